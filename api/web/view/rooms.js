// The list of chats: the latest first, each with its last message and how many are unread; the archived ones below.

import { unread } from "../klatsch/fold.js";
import { h, keyed, set, text } from "./dom.js";
import { count, recent, summary } from "./format.js";
import { invitationList } from "./invitations.js";
import { drawRoom, roomName, userName } from "./names.js";
import { NOTICES, noticeWords } from "./notices.js";
import { arrows } from "./side.js";

export function roomList(app, { find, discover }) {
  const list = arrows(h("ul", { class: "rows", "aria-label": "Chats" }));
  const past = arrows(h("ul", { class: "rows", "aria-label": "Archived chats" }));
  const title = h("summary", {});
  const archived = h("details", { class: "archived" }, title, past);
  const empty = h(
    "div",
    { class: "empty" },
    h("p", {}, "No conversations yet."),
    h("p", {}, "Find somebody by name, or open this page in a second window and be somebody else."),
    h("button", { type: "button", class: "quiet", onclick: find }, "Find people and rooms"),
    h("button", { type: "button", class: "quiet", onclick: discover }, "Look at the public rooms"),
  );
  const invitations = invitationList(app);
  const element = h("div", { class: "list" }, invitations.element, list, empty, archived);

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
    const all = app.rooms.all();
    const [now, then] = [
      all.filter(({ room }) => room.state === "active"),
      all.filter(({ room }) => room.state !== "active"),
    ];
    const waiting = invitations.update();
    empty.hidden = all.length + waiting > 0;
    archived.hidden = !then.length;
    text(title, `Archived (${then.length})`);
    for (const [rows, entries] of [
      [list, now],
      [past, then],
    ]) {
      keyed(
        rows,
        entries,
        ({ room }) => room.id,
        make,
        (item, entry) => draw(item.firstChild, entry),
      );
    }
    if (then.some(({ room }) => room.id === app.route.room)) archived.open = true;
  }

  function draw(row, entry) {
    const { room, member } = entry;
    const [picture, title, time, last, badge] = row.children;
    drawRoom(app, picture, room);
    text(title, roomName(app, room));
    text(time, recent(room.updated));
    drawLast(last, room);
    const waiting = unread(entry);
    text(badge, waiting ? String(Math.min(waiting, 999)) : "");
    set(badge, "aria-label", waiting ? count(waiting, "unread message") : null);
    set(badge, "data-muted", !member.notifications);
    badge.hidden = !waiting;
    set(row, "aria-current", app.route.room === room.id ? "page" : null);
  }

  function drawLast(last, room) {
    const typing = app.signals.typing(room.id).some((user) => user !== app.user);
    last.classList.toggle("now", typing);
    text(last, typing ? "typing…" : lastWords(app, room));
  }

  return { element, update };
}

function lastWords(app, room) {
  const message = app.store.state.messages[room.id]?.[room.last];
  if (!message) return room.description ?? (room.type === "direct" ? "No messages yet" : count(room.members, "member"));
  if (NOTICES.has(message.type)) return noticeWords(app, message);
  const author = userName(app, message.author);
  const said = summary(message, author);
  if (message.type === "action" && !message.deleted) return said;
  if (message.author === app.user) return `You: ${said}`;
  return room.type === "direct" ? said : `${author}: ${said}`;
}
