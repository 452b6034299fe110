// What a search finds: people and rooms, as one types; messages have a search of their own.

import { arrows } from "./arrows.js";
import { drawRoomRow, roomRow } from "./discover.js";
import { h, icon, keyed, text } from "./dom.js";
import { findMessages } from "./finder.js";
import { drawPerson, personRow } from "./people.js";
import { tried } from "./toasts.js";

/** Pause after the last key before the server is asked, in ms. */
const PAUSE = 180;
/** Pause before an empty result is asked for again, in ms: who has just registered is found a moment later. */
const AGAIN = 1500;

export function searchResults(app, input) {
  let asked = "";
  let timer = null;
  let found = { users: [], rooms: [] };
  const people = arrows(h("ul", { class: "rows", "aria-label": "People found" }));
  const rooms = arrows(h("ul", { class: "rows", "aria-label": "Rooms found" }));
  const words = h("span", {});
  const messages = h(
    "button",
    { type: "button", class: "quiet find-messages", onclick: () => findMessages(app, { words: input.value.trim() }) },
    icon("chat"),
    words,
  );
  const none = h("p", { class: "hint", role: "status" });
  const element = h(
    "div",
    { class: "list results", hidden: true },
    h("h2", {}, "People"),
    people,
    h("h2", {}, "Rooms"),
    rooms,
    none,
    messages,
  );
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE);
    app.store.changed();
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && input.value) {
      event.preventDefault();
      clear();
    }
    if (event.key === "ArrowDown" || event.key === "Enter") {
      event.preventDefault();
      element.querySelector(".row")?.focus();
    }
  });
  element.addEventListener("keydown", (event) => event.key === "Escape" && (clear(), input.focus()));

  async function ask() {
    const name = input.value.trim();
    asked = name;
    if (!name || !input.isConnected) return;
    await tried(async () => {
      const [{ users }, { rooms: named }] = await Promise.all([
        app.api.get("/v1/users", { name, limit: 20 }),
        app.api.get("/v1/rooms", { name, limit: 20 }),
      ]);
      if (asked !== name) return;
      found = { users: users.filter((user) => user.id !== app.user), rooms: named, name };
      app.store.learn({ users: found.users });
      if (!found.users.length && !rooms.length) timer = setTimeout(ask, AGAIN);
    });
  }

  function clear() {
    clearTimeout(timer);
    input.value = "";
    asked = "";
    found = { users: [], rooms: [] };
    app.store.changed();
  }

  app.clearSearch = clear;

  function update() {
    const active = input.value.trim() !== "";
    element.hidden = !active;
    keyed(
      people,
      found.users,
      (user) => user.id,
      () => personRow(app),
      (item, user) => drawPerson(app, item, user),
    );
    keyed(
      rooms,
      found.rooms,
      ({ room }) => room.id,
      ({ room }) => roomRow(app, room),
      (item, { room }) => drawRoomRow(app, item, app.store.state.rooms[room.id]?.room ?? room),
    );
    people.previousSibling.hidden = !found.users.length;
    rooms.previousSibling.hidden = !found.rooms.length;
    const nothing = found.name === input.value.trim() && !found.users.length && !found.rooms.length;
    text(none, nothing ? `Nobody and nothing is called “${found.name}”.` : "");
    text(words, `Messages with “${input.value.trim()}”`);
  }

  return { element, update, active: () => input.value.trim() !== "" };
}
