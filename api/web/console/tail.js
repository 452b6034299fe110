// The live tail: events as they are appended, by type, stream and actor; a click shows the envelope.

import { fill, h, set, text } from "../view/dom.js";
import { termed } from "./explain.js";
import { brief, count, time } from "./format.js";

/** Rows that are kept. */
const ROWS = 200;
/** Names that are kept; beyond, the oldest are asked for again with their next event. */
const NAMES = 2_000;
/** Pause before the stream is opened again, in ms. */
const AGAIN = 2_000;

const KINDS = new Set(["user", "session", "relationship", "visual", "room", "member", "message", "handle"]);

export function tailPanel(access) {
  const rows = h("ol", { class: "events", "aria-label": "Events, the latest first" });
  const state = h("p", { class: "said" }, "");
  const pause = h("button", { type: "button", "aria-pressed": "false", onclick: toggle }, "Pause");
  const fields = Object.fromEntries(
    [
      ["type", "message.*"],
      ["stream", "room or person"],
      ["actor", "by whom"],
    ].map(([name, example]) => [
      name,
      h("input", {
        type: "search",
        name,
        placeholder: example,
        "aria-label": `Only events of ${name}`,
        "aria-description": name === "type" ? "A type, or a pattern" : "By name or id",
        spellcheck: "false",
        onchange: open,
      }),
    ]),
  );
  let paused = false;
  let waiting = [];
  let dropped = 0;
  let opened = null;
  // Names of the filter that nobody has.
  let unknown = [];
  const names = new Map();

  function toggle() {
    paused = !paused;
    set(pause, "aria-pressed", paused);
    text(pause, paused ? "Go on" : "Pause");
    if (!paused) take([]);
    tell();
  }

  function take(found) {
    waiting.push(...found);
    waiting = waiting.slice(-ROWS);
    if (paused) return;
    rows.prepend(...waiting.reverse().map((one) => row(one, names, only)));
    waiting = [];
    while (rows.childElementCount > ROWS) rows.lastChild.remove();
  }

  function learn(found) {
    for (const [id, name] of Object.entries(found)) {
      names.delete(id);
      names.set(id, name);
    }
    for (const id of names.keys()) {
      if (names.size <= NAMES) break;
      names.delete(id);
    }
  }

  /** Shows only events of this `stream` or `actor`. */
  function only(field, id) {
    fields[field].value = id;
    open();
    fields[field].focus();
  }

  const filtered = () => Object.values(fields).some(({ value }) => value.trim());

  function tell(trouble = "") {
    const nothing = opened && !trouble && !rows.childElementCount && !waiting.length;
    const parts = [
      trouble,
      unknown.length ? `No room or person is called ${unknown.map((name) => `“${name}”`).join(" or ")}` : "",
      nothing ? `Nothing yet${filtered() ? " that fits the filter" : ""}; waiting for new events` : "",
      paused && waiting.length ? `${count(waiting.length)} new` : "",
      dropped ? `${count(dropped)} not shown: too many at once` : "",
    ];
    text(state, parts.filter(Boolean).join(" · "));
  }

  async function open() {
    opened?.abort();
    const mine = (opened = new AbortController());
    fill(rows);
    waiting = [];
    dropped = 0;
    const given = Object.entries(fields).map(([name, { value }]) => [name, value.trim()]);
    const query = new URLSearchParams(given.filter(([, value]) => value)).toString();
    let seen = null;
    while (!mine.signal.aborted) {
      try {
        unknown = [];
        const response = await access.open(`/v1/console/tail${query ? `?${query}` : ""}`, { signal: mine.signal });
        tell();
        for await (const { event, data } of messages(response.body)) {
          if (event === "dropped") dropped = data.count;
          else if (event === "unknown") unknown = data;
          else if (event === "names") learn(data);
          else if (seen === null || !seen.has(data.position)) take([data]);
          tell();
        }
      } catch (problem) {
        if (mine.signal.aborted || !access.token) return;
        // A stream that breaks off is a TypeError, and begins anew like one that was refused.
        tell(problem.status === 422 ? problem.detail : "The stream broke off; opening it again.");
      }
      // The server begins with the last events, which may stand here already.
      seen = new Set([...rows.children].map(({ dataset }) => dataset.position));
      await new Promise((resolve) => setTimeout(resolve, AGAIN));
    }
  }

  return {
    element: h(
      "section",
      { class: "panel tail", "aria-label": "Live tail" },
      h("header", {}, h("h2", {}, ...termed("event", "What happens now", "live tail")), pause),
      h(
        "form",
        { class: "filters", onsubmit: (event) => (event.preventDefault(), open()) },
        ...Object.values(fields),
        h("button", { type: "submit" }, "Filter"),
      ),
      state,
      rows,
    ),
    start: open,
    stop: () => opened?.abort(),
  };
}

/** The messages of an event stream: `{ event, data }`. */
async function* messages(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n\n");
    rest = parts.pop();
    for (const part of parts) {
      const fields = Object.fromEntries(
        part.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()]),
      );
      if (fields.data) yield { event: fields.event ?? "message", data: JSON.parse(fields.data) };
    }
  }
}

function row({ position, event }, names, only) {
  const type = event?.type ?? "unreadable";
  const kind = type.split(".")[0];
  const called = (id) => names.get(id) ?? brief(id);
  const more = h("div", { class: "more", hidden: true });
  const button = h(
    "button",
    { type: "button", "aria-expanded": "false", onclick: toggle },
    h("time", {}, event ? time(event.time) : ""),
    h("b", { "data-kind": KINDS.has(kind) ? kind : "other" }, type),
    h("span", { class: "of" }, called(event?.subject ?? "")),
    h("span", { class: "actor" }, event ? `by ${called(event.actor)}` : ""),
    h("small", {}, position),
  );
  function toggle() {
    more.hidden = !more.hidden;
    set(button, "aria-expanded", !more.hidden);
    if (!more.childElementCount) fill(more, ...envelope(position, event, only));
  }
  return h("li", { "data-position": position }, button, more);
}

/** The ids to copy or to follow, and the event as it stands in the log. */
function envelope(position, event, only) {
  const ids = [
    ["stream", "Of", event?.subject],
    ["actor", "By", event?.actor],
    [null, "At", position],
  ].filter(([, , id]) => id);
  return [
    ...ids.map(([field, label, id]) =>
      h(
        "p",
        { class: "id" },
        `${label} `,
        h("code", {}, id),
        " ",
        copying(id),
        field && h("button", { type: "button", onclick: () => only(field, id) }, "Only these"),
      ),
    ),
    h("pre", { tabindex: "0", "aria-label": `Envelope of ${position}` }, JSON.stringify(event, null, 2)),
  ];
}

function copying(id) {
  const button = h("button", { type: "button", "aria-label": `Copy ${id}`, onclick: copy }, "Copy");
  async function copy() {
    try {
      await navigator.clipboard.writeText(id);
      text(button, "Copied");
    } catch (error) {
      // Without TLS, or where the browser does not allow it: it is selected, to be copied by hand.
      if (!(error instanceof TypeError || error instanceof DOMException)) throw error;
      getSelection().selectAllChildren(button.parentElement.querySelector("code"));
    }
  }
  return button;
}
