// What a search finds: people and groups, as one types.

import { h, keyed, text } from "./dom.js";
import { count } from "./format.js";
import { roomPicture } from "./names.js";
import { drawPerson, enterRoom, personRow } from "./people.js";
import { arrows } from "./side.js";
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
  const groups = arrows(h("ul", { class: "rows", "aria-label": "Groups found" }));
  const none = h("p", { class: "hint", role: "status" });
  const element = h(
    "div",
    { class: "list results", hidden: true },
    h("h3", {}, "People"),
    people,
    h("h3", {}, "Groups"),
    groups,
    none,
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
      const [{ users }, { rooms }] = await Promise.all([
        app.api.get("/v1/users", { name, limit: 20 }),
        app.api.get("/v1/rooms", { name, limit: 20 }),
      ]);
      if (asked !== name) return;
      found = { users: users.filter((user) => user.id !== app.user), rooms, name };
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

  function groupRow({ room }) {
    const join = async () => {
      await tried(async () => {
        if (!app.store.state.rooms[room.id])
          app.store.learn(await app.api.do("PUT", `/v1/rooms/${room.id}/members/me`));
        await enterRoom(app, room.id);
      });
    };
    const row = h(
      "button",
      { type: "button", class: "row", onclick: join },
      h("span", { class: "row-picture" }, roomPicture(app, room)),
      h("span", { class: "row-title" }, room.name),
      h("span", { class: "row-last" }),
    );
    return h("li", {}, row);
  }

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
      groups,
      found.rooms,
      ({ room }) => room.id,
      groupRow,
      (item, { room }) => {
        const inside = Boolean(app.store.state.rooms[room.id]);
        text(item.querySelector(".row-last"), `${count(room.members, "member")} · ${inside ? "open" : "join"}`);
      },
    );
    people.previousSibling.hidden = !found.users.length;
    groups.previousSibling.hidden = !found.rooms.length;
    const nothing = found.name === input.value.trim() && !found.users.length && !found.rooms.length;
    text(none, nothing ? `Nobody and nothing is called “${found.name}”.` : "");
  }

  return { element, update, active: () => input.value.trim() !== "" };
}
