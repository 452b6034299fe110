// The list of chats: the latest first, each with its last message and how many are unread.

import { unread } from "../klatsch/fold.js";
import { h, keyed, set, text } from "./dom.js";
import { count, recent, summary } from "./format.js";
import { pictureKey, roomName, roomPicture, userName } from "./names.js";
import { arrows } from "./side.js";

export function roomList(app, find) {
  const list = arrows(h("ul", { class: "rows", "aria-label": "Chats" }));
  const empty = h(
    "div",
    { class: "empty" },
    h("p", {}, "No conversations yet."),
    h("p", {}, "Find somebody by name, or open this page in a second window and be somebody else."),
    h("button", { type: "button", class: "quiet", onclick: find }, "Find people and groups"),
  );
  const element = h("div", { class: "list" }, list, empty);

  function make({ room }) {
    const row = h(
      "a",
      { class: "row", href: `#/rooms/${room.id}` },
      h("span", { class: "row-picture" }),
      h("span", { class: "row-title" }),
      h("time", { class: "row-time" }),
      h("span", { class: "row-last" }),
      h("span", { class: "badge" }),
    );
    return h("li", {}, row);
  }

  function update() {
    const entries = Object.values(app.store.state.rooms).sort((a, b) => (a.room.updated < b.room.updated ? 1 : -1));
    empty.hidden = entries.length > 0;
    keyed(
      list,
      entries,
      (entry) => entry.room.id,
      make,
      (item, entry) => draw(item.firstChild, entry),
    );
  }

  function draw(row, entry) {
    const { room } = entry;
    const [picture, title, time, last, badge] = row.children;
    const key = pictureKey(app, room);
    if (row.dataset.key !== key) picture.replaceChildren(roomPicture(app, room));
    row.dataset.key = key;
    text(title, roomName(app, room));
    text(time, recent(room.updated));
    text(last, lastWords(room));
    const waiting = unread(entry);
    text(badge, waiting ? String(Math.min(waiting, 999)) : "");
    set(badge, "aria-label", waiting ? count(waiting, "unread message") : null);
    badge.hidden = !waiting;
    set(row, "aria-current", app.route.room === room.id ? "page" : null);
  }

  function lastWords(room) {
    const message = app.store.state.messages[room.id]?.[room.last];
    if (!message) return room.type === "group" ? count(room.members, "member") : "No messages yet";
    const author = userName(app, message.author);
    const said = summary(message, author);
    if (message.type === "action") return said;
    if (message.author === app.user) return `You: ${said}`;
    return room.type === "group" ? `${author}: ${said}` : said;
  }

  return { element, update };
}
