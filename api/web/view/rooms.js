// The list of chats: the latest first, each with its last message and how many are unread; the archived ones below.

import { unread } from "../klatsch/fold.js";
import { h, set, text } from "./dom.js";
import { count, recent, summary } from "./format.js";
import { invitationList } from "./invitations.js";
import { drawRoom, roomName, userName } from "./names.js";
import { NOTICES, noticeWords } from "./notices.js";
import { windowed } from "./windowed.js";

export function roomList(app, { find, discover }) {
  /** Whether only the chats with unread messages are listed, and the open one. */
  let filtered = false;
  /** The open chat that was scrolled into sight. */
  let revealed = null;
  const list = h("ul", { class: "rows", "aria-label": "Chats" });
  const past = h("ul", { class: "rows", "aria-label": "Archived chats" });
  const title = h("summary", {});
  const archived = h("details", { class: "archived", ontoggle: () => app.store.changed() }, title, past);
  const filter = h("button", { type: "button", class: "filter", onclick: () => ((filtered = !filtered), update()) });
  const empty = h(
    "div",
    { class: "empty" },
    h("p", {}, "No conversations yet."),
    h("p", {}, "Find somebody by name, or open this page in a second window and be somebody else."),
    h("button", { type: "button", class: "quiet", onclick: find }, "Find people and rooms"),
    h("button", { type: "button", class: "quiet", onclick: discover }, "Look at the public rooms"),
  );
  const invitations = invitationList(app);
  const none = h("p", { class: "hint", role: "status" });
  const element = h("div", { class: "list" }, invitations.element, filter, none, list, empty, archived);
  const parts = { keyOf: ({ room }) => room.id, make, draw: (item, entry) => draw(item.firstChild, entry) };
  const chats = windowed(list, element, parts);
  const archive = windowed(past, element, parts);

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
    drawFilter(now);
    const listed = filtered ? now.filter((entry) => unread(entry) || entry.room.id === app.route.room) : now;
    text(none, filtered && !listed.length ? "Everything is read." : "");
    chats.show(listed);
    if (then.some(({ room }) => room.id === app.route.room)) archived.open = true;
    archive.show(archived.open ? then : []);
    reveal(listed);
  }

  function drawFilter(chats) {
    const waiting = chats.filter(unread).length;
    filter.hidden = !chats.length;
    text(filter, `Unread (${waiting})`);
    set(filter, "aria-pressed", String(filtered));
  }

  /** The open chat comes into sight once, as it is opened; then the list is scrolled by its user only. */
  function reveal(listed) {
    const { room } = app.route;
    if (revealed === room || !element.clientHeight) return;
    const index = listed.findIndex((entry) => entry.room.id === room);
    if (index >= 0) chats.reveal(index);
    if (index >= 0 || !room) revealed = room;
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
