// The conversation in front: its head, its messages, who types, the box to write in; and marking messages read.

import { unread } from "../klatsch/fold.js";
import { may } from "../klatsch/permissions.js";
import { composer } from "./composer.js";
import { conversation } from "./conversation.js";
import { h, text } from "./dom.js";
import { face } from "./face.js";
import { chatHead } from "./head.js";
import { roomName, userName } from "./names.js";
import { typingWords } from "./presence.js";
import { tried } from "./toasts.js";

export function chatPane(app) {
  let room = null;
  let reading = false;
  /** Marked as unread by hand: not read again by being in sight, until the room is opened anew. */
  let held = false;
  /** The message to go to: the room's id and the sequence number. */
  let target = null;
  let generation = app.store.generation;
  const head = chatHead(app);
  const talking = conversation(app, markRead);
  const offline = h(
    "p",
    { class: "offline", role: "status", hidden: true },
    "No connection. What you write is sent when it is back.",
  );
  const typing = h("p", { class: "typing" });
  const write = composer(app, {
    sent: () => {
      talking.divide(null);
      talking.toLatest();
    },
    up: talking.editLast,
  });
  const talk = h("div", { class: "talk" }, head.element, offline, talking.element, talking.pill, typing, write.element);
  const nothing = nothingOpen();
  const element = h("main", { class: "chat" }, talk, nothing);
  document.addEventListener("visibilitychange", looked);
  const unlisten = app.store.listen(announce);
  Object.assign(app, { editing: null, showMessage, markUnread, focusComposer: write.focus });

  function showMessage(message) {
    target = message;
    if (app.route.room === message.room && app.route.page === "room") update();
    else app.open(message.room);
  }

  async function markUnread({ seq }) {
    held = true;
    const done = await tried(async () => {
      app.store.learn(await app.api.do("PUT", `/v1/rooms/${room}/read`, { seq: seq - 1 }));
    });
    if (done) talking.divide(seq - 1);
    else held = false;
    app.store.changed();
  }

  function announce({ type, stream, actor, data }) {
    // What is gone must not go on being said either.
    if (type === "message.deleted" && stream === room) app.announce("A message was deleted");
    if (type === "room.deleted") app.announce("A room was deleted");
    if (type !== "message.posted" || actor === app.user) return;
    const author = userName(app, actor);
    const entry = app.store.state.rooms[stream];
    if (stream === room) app.announce(`${author}: ${data.content.text ?? data.type}`);
    else if (entry?.member.notifications) app.announce(`New message in ${roomName(app, entry.room)}`);
  }

  /** The page has come into sight, or gone out of it. */
  function looked() {
    tellFront();
    markRead();
  }

  function tellFront() {
    const visible = document.visibilityState === "visible" && room && element.checkVisibility();
    app.signals.show(visible ? room : null);
  }

  async function markRead() {
    const entry = app.rooms.mine(room);
    if (!entry || reading || held || !unread(entry) || app.connection.state !== "online") return;
    if (document.visibilityState !== "visible" || !element.checkVisibility() || !talking.atEnd()) return;
    reading = true;
    try {
      app.store.learn(await app.connection.rpc("members.read", { room: entry.room.id, seq: entry.room.seq, forward: true }));
    } catch {
      // Stays unread; the next change or scroll tries again.
    }
    reading = false;
  }

  function update() {
    const entry = app.rooms.mine(app.route.room);
    talk.hidden = !entry;
    nothing.hidden = Boolean(entry);
    offline.hidden = ["online", "connecting"].includes(app.connection.state);
    if (entry) show(entry);
    else leave();
    tellFront();
    markRead();
  }

  function leave() {
    if (room === null) return;
    room = null;
    talking.leave();
  }

  function show(entry) {
    const { id } = entry.room;
    const seq = target?.room === id ? target.seq : null;
    if (room !== id) open(entry, seq);
    else if (generation !== app.store.generation) talking.enter(entry, { anew: true });
    generation = app.store.generation;
    head.update(entry);
    write.update(entry, may("PostMessage", entry));
    text(
      typing,
      typingWords(app, room, (user) => userName(app, user)),
    );
    talking.draw();
    if (seq === null) return;
    target = null;
    talking.jump(seq);
  }

  function open(entry, seq) {
    room = entry.room.id;
    held = false;
    app.editing = null;
    talking.enter(entry, { target: seq });
    write.enter(room);
  }

  const stop = () => {
    unlisten();
    talking.stop();
    document.removeEventListener("visibilitychange", looked);
  };
  return { element, update, focus: write.focus, stop };
}

function nothingOpen() {
  return h(
    "div",
    { class: "nothing" },
    h(
      "div",
      { class: "pair", "aria-hidden": "true" },
      face({ shape: "cat", colour: "lilac" }, "anticipation"),
      face({ shape: "round", colour: "coral" }, "joy"),
    ),
    h("p", {}, "Choose a conversation, or find somebody to talk with."),
    h("p", { class: "hint" }, h("kbd", {}, "Ctrl"), " ", h("kbd", {}, "K"), " goes to the search."),
  );
}
