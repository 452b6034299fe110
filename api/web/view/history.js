// The history: the events behind what is on screen, as they happen, and those of the open conversation from its start.

import { place } from "../klatsch/fold.js";
import { fill, h, iconButton, keyed, set, text } from "./dom.js";
import { exactTime, summary, wholeTime } from "./format.js";
import { userName } from "./names.js";
import { tried } from "./toasts.js";

/** Deltas that are kept for looking at. */
const KEPT = 500;
/** Events of one page of a room's past. */
const PAGE = 50;
/** How long an event counts as fresh, in ms. */
const FRESH = 1500;

/** What an event says in a few words. `name(id)` gives a person's name. */
const GIST = {
  "user.profile_changed": ({ data }) => data.name ?? "data",
  "relationship.set": ({ data }, name) => `${data.type ?? "neither"}: ${name(data.other)}`,
  "room.created": ({ data }) => data.name || `${data.type} chat`,
  "room.renamed": ({ data }) => data.name,
  "room.described": ({ data }) => data.description ?? "no description",
  "room.settings_changed": ({ data }) =>
    Object.entries(data.settings)
      .map((pair) => pair.join(": "))
      .join(", "),
  "member.joined": ({ data }, name) => `${name(data.user)}, ${data.role}`,
  "member.left": ({ data }, name) => name(data.user),
  "member.invited": ({ data }, name) => name(data.user),
  "invitation.declined": ({ data }, name) => name(data.user),
  "invitation.withdrawn": ({ data }, name) => name(data.user),
  "user.added_by_chosen": ({ data }) => data.added_by ?? "as the installation has it",
  "member.role_changed": ({ data }, name) => `${name(data.user)}, ${data.role}`,
  "member.read": ({ data }) => `up to #${data.seq}`,
  "member.notifications_set": ({ data }) => (data.notifications ? "notified" : "not notified"),
  "message.posted": ({ data }) => `#${data.seq} ${summary(data, "")}`,
  "message.edited": ({ data }) => data.content.text ?? "",
  "message.emotion_detected": ({ data }) => data.emotion ?? "not shown",
};

export function historyPane(app) {
  const recent = [];
  /** Room -> its past: { events by position, before, under way }. */
  const pasts = new Map();
  let generation = app.store.generation;
  let scope = "room";
  let wanted = null;
  const scopes = { room: button("This conversation", "room"), all: button("Everything", "all") };
  const list = h("ol", { class: "events", "aria-label": "Events, the latest first" });
  const more = h(
    "button",
    { type: "button", class: "quiet more", onclick: () => past(app.route.room) },
    "Earlier events",
  );
  const empty = h("p", { class: "hint" });
  const close = iconButton("close", "Hide the history", app.toggleHistory);
  const live = h("span", { class: "live" });
  const title = h("h2", { tabindex: "-1" }, "History");
  const element = h(
    "aside",
    { class: "history", "aria-label": "History" },
    h("header", { class: "history-head" }, title, live, close),
    h("div", { class: "segments" }, scopes.room, scopes.all),
    h("div", { class: "tape", tabindex: "0", "aria-label": "Events" }, empty, list, more),
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
    update();
    const row = list.querySelector(".wanted");
    row?.querySelector("details").setAttribute("open", "");
    row?.scrollIntoView({ block: "center" });
    row?.querySelector("summary").focus({ preventScroll: true });
  }

  function update() {
    const { room } = app.route;
    if (generation !== app.store.generation) {
      // A snapshot stands for deltas that never came: what was known has holes.
      generation = app.store.generation;
      pasts.clear();
    }
    const own = scope === "room" && room;
    set(scopes.room, "aria-pressed", String(Boolean(own)));
    set(scopes.all, "aria-pressed", String(!own));
    scopes.room.disabled = !room;
    if (!element.checkVisibility()) return;
    const online = app.connection.state === "online";
    text(live, online ? "live" : "paused");
    live.classList.toggle("paused", !online);
    if (own && !pasts.has(room)) past(room);
    const known = own ? pasts.get(room) : null;
    const events = known
      ? [...known.events.values()].sort((a, b) => place(b.position).offset - place(a.position).offset)
      : own
        ? []
        : recent;
    keyed(list, events, (event) => event.position, make, draw);
    more.hidden = !known || known.busy || known.before === null;
    const nothing = own
      ? "Fetching the events of this conversation…"
      : "Nothing has happened since this page was opened.";
    text(empty, events.length ? "" : nothing);
  }

  function make(event) {
    const { type, position, time } = event;
    const who = h("span", { class: "event-actor" });
    const json = h("pre", {});
    const details = h(
      "details",
      { ontoggle: () => details.open && !json.firstChild && fill(json, JSON.stringify(event, null, 2)) },
      h(
        "summary",
        {},
        h("span", { class: "event-type" }, type),
        h("time", { datetime: time, title: wholeTime(time) }, exactTime(time)),
        who,
        h("code", { class: "event-position" }, position),
      ),
      json,
    );
    const item = h("li", { class: "event" }, details);
    item.dataset.kind = type.split(".")[0];
    item.dataset.position = position;
    if (Date.now() - Date.parse(time) < FRESH) {
      item.classList.add("fresh");
      setTimeout(() => item.classList.remove("fresh"), FRESH);
    }
    return item;
  }

  function draw(item, event) {
    const name = (id) => (id === app.user ? "you" : userName(app, id));
    const gist = GIST[event.type]?.(event, name);
    const words = [name(event.actor), gist].filter(Boolean);
    // Of what a service finds, the finding says more than the service's name.
    if (event.type === "message.emotion_detected") words.reverse();
    text(item.querySelector(".event-actor"), words.join(" · "));
    item.classList.toggle(
      "wanted",
      wanted !== null && event.type === "message.posted" && event.data.message === wanted,
    );
  }

  return { element, update, focus: () => title.focus(), stop: unlisten };
}
