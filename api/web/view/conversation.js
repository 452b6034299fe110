// The messages of the room in front: which part of them is shown, and moving in them. The rows are in messages.js.

import { unread } from "../klatsch/fold.js";
import { Reader } from "../klatsch/reader.js";
import { NAMED } from "../klatsch/signals.js";
import { edit, editable } from "./actions.js";
import { h, icon, keyed, text } from "./dom.js";
import { count } from "./format.js";
import { items, readersOf } from "./items.js";
import { drawRow, makeRow } from "./messages.js";
import { scrolling } from "./scroller.js";
import { roomStart } from "./start.js";

/** Unread messages that are shown in one piece with the latest, fewer than fit into any view; of more, the first ones. */
const FAR = 20;
/** How long a message that was jumped to stays marked, in ms. */
const REACHED = 2500;

/** `moved()` is called when another part may be in sight. */
export function conversation(app, moved) {
  const reader = new Reader(app.pages);
  let room = null;
  /** What was read when the room was opened: the line "new" stands after it; null: no line. */
  let divider = null;
  /** On the way to the first unread message, or to one that was asked for: what is shown is not what is looked for. */
  let arriving = false;
  let jumping = false;
  /** The last message that was in sight at the end. */
  let seen = 0;
  const list = h("ol", { class: "messages", "aria-label": "Messages", onkeydown: walk });
  const start = roomStart(app);
  const scroll = scrolling(list, {
    back: () => more("back"),
    forth: () => more("forth"),
    moved: () => (drawPill(), moved()),
  });
  scroll.element.prepend(start.element);
  const fresh = h("span", { class: "badge" });
  const pill = h(
    "button",
    { type: "button", class: "pill", hidden: true, onclick: toLatest },
    icon("down"),
    "Latest",
    fresh,
  );

  /** Shows a room; `target`: the sequence number of the message to go to. With `anew`, after its messages were lost. */
  function enter(entry, { target = null, anew = false } = {}) {
    if (anew && !reader.following) return void go(reader.shown().messages[0]?.seq ?? entry.room.seq).then(draw);
    room = entry.room.id;
    reader.enter(room);
    scroll.follow();
    if (anew) return;
    divider = unread(entry) ? entry.member.read : null;
    arriving = divider !== null && target === null;
    jumping = target !== null;
    seen = entry.room.seq;
    clear();
  }

  function leave() {
    room = null;
    clear();
  }

  function clear() {
    list.keyed = new Map();
    list.replaceChildren();
  }

  function draw() {
    const entry = app.rooms.mine(room);
    if (!entry || (jumping && !list.children.length)) return;
    reader.fit(scroll.element.clientHeight);
    const { messages, older, newer } = reader.shown(scroll.stuck());
    const pending = newer ? [] : app.outbox.of(room);
    const readers = readersOf(app, messages, membersOf(entry));
    const rows = items(app, { messages, pending, divider, readers });
    scroll.draw({ older, newer }, () => {
      const make = (item) => makeRow(app, item);
      keyed(
        list,
        rows,
        (item) => item.key,
        make,
        (row, item) => drawRow(app, row, item),
      );
      start.update(entry, older || newer ? null : [...messages, ...pending]);
      reachable();
    });
    if (!messages.length && older) more("back");
    if (arriving && !jumping) arrive(entry, messages);
    drawPill();
  }

  /** The members whose reading positions are told: all of a room that is not too large. */
  function membersOf({ room: { members } }) {
    if (members > NAMED) return {};
    const found = app.lookups.members(room) ?? {};
    if (app.lookups.hasMoreMembers(room)) app.lookups.moreMembers(room);
    return found;
  }

  /** One of the messages can be reached by Tab: the last. From there, Up and Down move between their actions. */
  function reachable() {
    for (const one of list.querySelectorAll(".act[tabindex='0']")) one.tabIndex = -1;
    const acts = list.querySelectorAll(".act");
    if (acts.length) acts[acts.length - 1].tabIndex = 0;
  }

  function walk(event) {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!step || !event.target.classList.contains("act")) return;
    event.preventDefault();
    const all = [...list.querySelectorAll(".act")];
    all[all.indexOf(event.target) + step]?.focus();
  }

  /** Shows more at one end; what is in sight stays where it is. */
  async function more(way) {
    const asked = room;
    if (!asked || !reader.shown()[way === "back" ? "older" : "newer"]) return;
    await reader[way]();
    if (room !== asked) return;
    draw();
    scroll.look();
  }

  function toLatest() {
    if (!reader.following) {
      reader.enter(room);
      draw();
    }
    scroll.follow();
    scroll.toEnd();
  }

  /** Comes to rest at the first unread message. */
  async function arrive(entry, messages) {
    if (!messages.length) return;
    if (messages[0].seq > divider + 1 && reader.following) {
      if (unread(entry) <= FAR) return more("back");
      if (await go(divider + 1)) draw();
      return scroll.look();
    }
    arriving = false;
    const line = list.querySelector(".new-line");
    if (line) scroll.to(line, "start");
  }

  /** Shows the part around a message. Returns whether it is still this room. */
  async function go(seq) {
    const asked = room;
    jumping = true;
    await reader.jump(seq);
    if (room !== asked) return false;
    jumping = false;
    return true;
  }

  /** Shows a message in its place, and marks it for a moment. */
  async function jump(seq) {
    arriving = false;
    if (!(await go(seq))) return;
    draw();
    const row = list.querySelector(`[data-seq="${seq}"]`);
    if (!row) return;
    scroll.to(row, "center");
    scroll.look();
    row.classList.add("reached");
    setTimeout(() => row.classList.remove("reached"), REACHED);
    row.querySelector(".act")?.focus({ preventScroll: true });
    app.announce(`Message ${seq}`);
  }

  /** Opens my last message for changing. Returns whether there is one. */
  function editLast() {
    const { messages } = reader.shown();
    const last = messages.findLast((message) => message.author === app.user && editable(app, message));
    if (last) edit(app, last.id);
    return Boolean(last);
  }

  function drawPill() {
    const entry = app.rooms.mine(room);
    if (!entry) return;
    if (scroll.atEnd()) seen = entry.room.seq;
    pill.hidden = scroll.atEnd() || arriving;
    const waiting = Math.max(0, entry.room.seq - seen);
    fresh.hidden = !waiting;
    text(fresh, waiting ? String(Math.min(waiting, 999)) : "");
    pill.setAttribute(
      "aria-label",
      waiting ? `Go to the latest: ${count(waiting, "new message")}` : "Go to the latest",
    );
  }

  return {
    element: scroll.element,
    pill,
    enter,
    leave,
    draw,
    jump,
    editLast,
    toLatest,
    /** Puts the line "new" after a message, or takes it away. */
    divide: (seq) => (divider = seq),
    /** Whether the latest messages are in sight. */
    atEnd: () => scroll.atEnd() && !arriving && !jumping,
    stop: scroll.stop,
  };
}
