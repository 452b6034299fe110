// The conversation in front: its head, its messages with endless scrolling back, and marking them read.

import { unread } from "../klatsch/fold.js";
import { composer } from "./composer.js";
import { h, icon, keyed } from "./dom.js";
import { face } from "./face.js";
import { chatHead } from "./head.js";
import { drawMessage, items, makeMessage } from "./messages.js";
import { roomName, userName } from "./names.js";

/** How near to the end the list counts as at its end, in pixels. */
const NEAR = 60;
/** How many messages are fetched to reach the first unread one. */
const FAR = 150;

export function chatPane(app) {
  let room = null;
  let oldest = 0;
  let newest = 0;
  let divider = null;
  let arriving = false;
  let reading = false;
  let generation = app.store.generation;
  const head = chatHead(app);
  const older = h("p", { class: "older", role: "status" }, "Fetching older messages…");
  const list = h("ol", { class: "messages", "aria-label": "Messages" });
  const scroller = h("div", { class: "scroller", tabindex: "0", "aria-label": "Conversation" }, older, list);
  const pill = h(
    "button",
    { type: "button", class: "pill", hidden: true, onclick: () => toEnd("smooth") },
    icon("down"),
    "New messages",
  );
  const offline = h(
    "p",
    { class: "offline", role: "status", hidden: true },
    "No connection. What you write is sent when it is back.",
  );
  const write = composer(app, () => {
    divider = null;
    stick = true;
  });
  const talk = h("div", { class: "talk" }, head.element, offline, scroller, pill, write.element);
  const nothing = h(
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
  const element = h("main", { class: "chat" }, talk, nothing);

  const atEnd = () => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR;
  const toEnd = (behavior = "instant") => {
    scroller.scrollTo({ top: scroller.scrollHeight, behavior });
    top = scroller.scrollTop;
  };
  const watcher = new IntersectionObserver(([entry]) => entry.isIntersecting && back(), {
    root: scroller,
    rootMargin: "300px",
  });
  const resized = new ResizeObserver(() => stick && toEnd());
  let stick = true;
  let top = 0;
  watcher.observe(older);
  resized.observe(scroller);
  resized.observe(list);
  scroller.addEventListener("scroll", () => {
    top = scroller.scrollTop;
    stick = atEnd();
    if (stick) pill.hidden = true;
    markRead();
  });
  document.addEventListener("visibilitychange", markRead);
  const unlisten = app.store.listen(announce);

  /** Fetches the page before, and keeps what is in sight where it is. */
  async function back() {
    const asked = room;
    if (!asked || !app.lookups.messages(asked).older) return;
    const { run } = app.lookups.messages(asked);
    await app.lookups.older(asked);
    // Still in sight after a short page: the observer tells of changes only.
    const more = app.lookups.messages(asked);
    if (room === asked && more.older && more.run.length > run.length) {
      watcher.unobserve(older);
      watcher.observe(older);
    }
  }

  function announce({ type, stream, actor, data }) {
    if (type !== "message.posted" || actor === app.user) return;
    const author = userName(app, actor);
    const entry = app.store.state.rooms[stream];
    if (stream === room) app.announce(`${author}: ${data.content.text ?? data.type}`);
    else if (entry) app.announce(`New message in ${roomName(app, entry.room)}`);
  }

  async function markRead() {
    const entry = app.store.state.rooms[room];
    if (!entry || reading || arriving || !unread(entry) || app.connection.state !== "online") return;
    if (document.visibilityState !== "visible" || !element.checkVisibility() || !atEnd()) return;
    reading = true;
    try {
      app.store.learn(await app.connection.rpc("members.read", { room: entry.room.id, seq: entry.room.seq }));
    } catch {
      // Stays unread; the next change or scroll tries again.
    }
    reading = false;
  }

  function update() {
    const entry = app.store.state.rooms[app.route.room];
    talk.hidden = !entry;
    nothing.hidden = Boolean(entry);
    offline.hidden = ["online", "connecting"].includes(app.connection.state);
    if (!entry) return (room = null);
    if (room !== entry.room.id || generation !== app.store.generation) enter(entry);
    head.update(entry);
    write.update(entry);
    draw(entry);
    markRead();
  }

  function enter(entry) {
    const other = room !== entry.room.id;
    room = entry.room.id;
    generation = app.store.generation;
    stick = true;
    [oldest, newest] = [0, 0];
    pill.hidden = true;
    if (other) {
      // The line "new" stands before what was unread when the conversation was opened.
      divider = unread(entry) ? entry.member.read : null;
      arriving = divider !== null;
      list.keyed = new Map();
      list.replaceChildren();
      write.enter(room);
    }
  }

  function draw() {
    const { run, older: more } = app.lookups.messages(room);
    const height = scroller.scrollHeight;
    const at = scroller.scrollTop;
    older.classList.toggle("done", !more);
    // Scrolled up since, and the event of it has not come yet.
    if (at < top) stick = atEnd();
    keyed(
      list,
      items(app, run, app.outbox.of(room), divider),
      (item) => item.key,
      (item) => makeMessage(app, item),
      (row, item) => drawMessage(app, row, item),
    );
    const [first, last] = [run[0]?.seq ?? 0, run.at(-1)?.seq ?? 0];
    if (stick) toEnd();
    // Older messages came in above: what was in sight stays in sight.
    else if (first < oldest) scroller.scrollTop = at + scroller.scrollHeight - height;
    else if (last > newest && newest && run.at(-1).author !== app.user) pill.hidden = false;
    [oldest, newest] = [first, last];
    if (!run.length && more) back();
    if (arriving) arrive(run);
  }

  /** Comes to rest at the first unread message, or, when that is too far back, at the first that was fetched. */
  function arrive(run) {
    const first = run[0]?.seq ?? Infinity;
    if (first > divider + 1 && run.length < FAR) return back();
    arriving = false;
    list.querySelector(".new-line")?.scrollIntoView({ block: "start" });
    stick = atEnd();
  }

  const stop = () => {
    unlisten();
    watcher.disconnect();
    resized.disconnect();
    document.removeEventListener("visibilitychange", markRead);
  };
  return { element, update, focus: () => write.focus(), stop };
}
