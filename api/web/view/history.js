// The history: the events behind what is on screen, as they happen, and those of the open conversation from its start.

import { place } from "../klatsch/fold.js";
import { h, iconButton, keyed, set, text } from "./dom.js";
import { drawEvent, makeEvent } from "./events.js";
import { tried } from "./toasts.js";

/** Deltas that are kept for looking at. */
const KEPT = 500;
/** Events of one page of a room's past. */
const PAGE = 30;
/** Events that are elements at most, and by how many the part that is shown moves. */
const SHOWN = 30;
const STEP = 15;
export function historyPane(app) {
  const recent = [];
  /** Room -> its past: { events by position, before, under way }. */
  const pasts = new Map();
  let generation = app.store.generation;
  let scope = "room";
  let wanted = null;
  /** What the shown part belongs to, and the position of its first event; null: the latest ones. */
  let part = { of: null, first: null };
  const scopes = { room: button("This conversation", "room"), all: button("Everything", "all") };
  const list = h("ol", { class: "events", "aria-label": "Events, the latest first" });
  const less = h("button", { type: "button", class: "quiet more", onclick: () => move(-STEP) }, "Later events");
  const more = h("button", { type: "button", class: "quiet more", onclick: earlier }, "Earlier events");
  const empty = h("p", { class: "hint" });
  const close = iconButton("close", "Hide the history", app.toggleHistory);
  const live = h("span", { class: "live" });
  const title = h("h2", { tabindex: "-1" }, "History");
  const element = h(
    "div",
    { class: "history", role: "complementary", "aria-label": "History" },
    h("div", { class: "history-head" }, title, live, close),
    h("div", { class: "segments" }, scopes.room, scopes.all),
    h("div", { class: "tape", tabindex: "0", "aria-label": "Events" }, empty, less, list, more),
  );
  const unlisten = app.store.listen((delta) => {
    recent.unshift(delta);
    recent.length = Math.min(recent.length, KEPT);
    pasts.get(delta.stream)?.events.set(delta.position, delta);
    if (delta.type === "message.deleted") forget(delta);
    if (delta.type === "room.deleted") forgetRoom(delta);
  });
  app.showEvent = showEvent;

  function button(label, value) {
    return h("button", { type: "button", onclick: () => ((scope = value), update()) }, label);
  }

  /** What a deleted message held is shown nowhere any more. */
  function forget({ stream, data }) {
    for (const event of [...recent, ...(pasts.get(stream)?.events.values() ?? [])]) {
      if (event.data.message !== data.message || !event.data.content) continue;
      event.data = { ...event.data, content: {}, data: {} };
      list.keyed?.get(event.position)?.remove();
      list.keyed?.delete(event.position);
    }
  }

  /** Nor what was said in a deleted room. */
  function forgetRoom({ stream, position }) {
    pasts.delete(stream);
    const left = recent.filter((event) => event.stream !== stream || event.position === position);
    recent.splice(0, recent.length, ...left);
  }

  /** The next page of a room's past. Returns whether there was one. */
  async function past(room) {
    const found = pasts.get(room) ?? { events: new Map(), before: undefined, busy: false };
    pasts.set(room, found);
    if (found.busy || found.before === null) return false;
    found.busy = true;
    const done = await tried(async () => {
      const query = { limit: PAGE, before: found.before };
      const { changes, before } = await app.api.get(`/v1/rooms/${room}/changes`, query, app.store.state.vector);
      for (const change of changes) if (!found.events.has(change.position)) found.events.set(change.position, change);
      found.before = before;
    });
    found.busy = false;
    app.store.changed();
    return done;
  }

  /** Shows the event that posted a message, wherever it is in the room's past. */
  async function showEvent(message) {
    scope = "room";
    wanted = message.id;
    const pane = element.closest(".shell");
    if (!element.checkVisibility()) app.toggleHistory();
    pane.dataset.history = "on";
    update();
    const holds = () =>
      [...(pasts.get(message.room)?.events.values() ?? [])].some(({ data }) => data.message === wanted);
    while (!holds() && (await past(message.room)));
    const index = shownEvents().findIndex(({ type, data }) => type === "message.posted" && data.message === wanted);
    part = { of: message.room, first: null };
    move(Math.max(0, index - (STEP >> 1)));
    const row = list.querySelector(".wanted");
    row?.querySelector("details").setAttribute("open", "");
    row?.scrollIntoView({ block: "center" });
    row?.querySelector("summary").focus({ preventScroll: true });
  }

  const own = () => scope === "room" && app.route.room;

  /** All events that could be shown, the latest first. */
  function shownEvents() {
    if (!own()) return recent;
    const events = [...(pasts.get(app.route.room)?.events.values() ?? [])];
    return events.sort((a, b) => place(b.position).offset - place(a.position).offset);
  }

  const start = (events) => Math.max(0, events.findIndex((event) => event.position === part.first));

  async function earlier() {
    const { room } = app.route;
    if (own() && start(shownEvents()) + SHOWN + STEP > shownEvents().length) await past(room);
    if (room === app.route.room) move(STEP);
  }

  /** Moves the part that is shown; what is in both parts stays where it is. */
  function move(by) {
    const events = shownEvents();
    const to = Math.max(0, Math.min(start(events) + by, events.length - SHOWN));
    const kept = events[by > 0 ? to : start(events)]?.position;
    const tape = list.parentElement;
    const at = () => list.keyed?.get(kept)?.getBoundingClientRect().top;
    const before = at();
    part.first = to ? events[to].position : null;
    update();
    if (before !== undefined && at() !== undefined) tape.scrollTop += at() - before;
  }

  function update() {
    const { room } = app.route;
    if (generation !== app.store.generation) {
      // A snapshot stands for deltas that never came: what was known has holes.
      generation = app.store.generation;
      pasts.clear();
    }
    set(scopes.room, "aria-pressed", String(Boolean(own())));
    set(scopes.all, "aria-pressed", String(!own()));
    scopes.room.disabled = !room;
    if (!element.checkVisibility()) return;
    const online = app.connection.state === "online";
    text(live, online ? "live" : "paused");
    live.classList.toggle("paused", !online);
    if (own() && !pasts.has(room)) past(room);
    if (part.of !== (own() || "all")) part = { of: own() || "all", first: null };
    const events = shownEvents();
    const first = start(events);
    keyed(
      list,
      events.slice(first, first + SHOWN),
      (event) => event.position,
      makeEvent,
      (item, event) => drawEvent(app, item, event, wanted),
    );
    const known = own() ? pasts.get(room) : { before: null };
    less.hidden = !first;
    more.hidden = first + SHOWN >= events.length && (!known || known.busy || known.before === null);
    const nothing = own()
      ? "Fetching the events of this conversation…"
      : "Nothing has happened since this page was opened.";
    text(empty, events.length ? "" : nothing);
  }

  return { element, title, update, focus: () => title.focus(), stop: unlisten };
}
