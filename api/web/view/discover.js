// Public rooms to look around in: those of the latest activity, with a way in.

import { h, keyed, text } from "./dom.js";
import { enterRoom } from "./entering.js";
import { count } from "./format.js";
import { drawRoom } from "./names.js";
import { tried } from "./toasts.js";

/** Rooms of one page. */
const PAGE = 30;

export function discoverList(app) {
  let rooms = new Map();
  let next = null;
  const list = h("ul", { class: "rows", "aria-label": "Public rooms" });
  const none = h("p", { class: "hint", role: "status" });
  const more = h("button", { type: "button", class: "quiet more", onclick: () => fetch(next) }, "More rooms");
  const element = h("div", { class: "list" }, list, none, more);

  async function fetch(cursor = null) {
    text(none, "Fetching the public rooms…");
    const done = await tried(async () => {
      const found = await app.api.get("/v1/rooms", { scope: "public", limit: PAGE, cursor });
      if (!cursor) rooms = new Map();
      for (const { room } of found.rooms) rooms.set(room.id, room);
      next = found.next;
    });
    text(none, done && !rooms.size ? "There are no public rooms yet. Make one." : "");
    app.store.changed();
  }

  function update() {
    more.hidden = !next;
    none.hidden = !none.textContent;
    keyed(
      list,
      [...rooms.values()],
      (room) => room.id,
      (room) => roomRow(app, room),
      (item, room) => drawRoomRow(app, item, app.store.state.rooms[room.id]?.room ?? room),
    );
  }

  return { element, update, open: () => fetch() };
}

/** A room that one can enter; `drawRoomRow` fills it. */
export function roomRow(app, { id }) {
  const enter = () =>
    tried(async () => {
      if (!app.rooms.mine(id)) app.store.learn(await app.api.do("PUT", `/v1/rooms/${id}/members/me`));
      await enterRoom(app, id);
    });
  const row = h(
    "button",
    { type: "button", class: "row public", onclick: enter },
    h("span", { class: "row-picture" }),
    h("span", { class: "row-title" }),
    h("span", { class: "join" }),
    h("span", { class: "row-last" }),
  );
  return h("li", {}, row);
}

export function drawRoomRow(app, item, room) {
  const [picture, title, join, last] = item.firstChild.children;
  drawRoom(app, picture, room);
  text(title, room.name);
  text(join, app.rooms.mine(room.id) ? "Open" : room.state === "archived" ? "Archived" : "Join");
  text(last, [count(room.members, "member"), room.description].filter(Boolean).join(" · "));
}
