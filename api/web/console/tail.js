// The live tail: events as they are appended, by type, stream and actor; a click shows the envelope.

import { fill, h, set, text } from "../view/dom.js";
import { brief, count, time } from "./format.js";

/** Rows that are kept. */
const ROWS = 200;
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
      ["stream", "id of a room or user"],
      ["actor", "id of a user"],
    ].map(([name, example]) => [
      name,
      h("input", {
        type: "search",
        name,
        placeholder: example,
        "aria-label": `Only events of ${name}`,
        spellcheck: "false",
        onchange: open,
      }),
    ]),
  );
  let paused = false;
  let waiting = [];
  let dropped = 0;
  let opened = null;

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
    rows.prepend(...waiting.reverse().map(row));
    waiting = [];
    while (rows.childElementCount > ROWS) rows.lastChild.remove();
  }

  function tell(trouble = "") {
    const parts = [
      trouble,
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
        const response = await access.open(`/v1/console/tail${query ? `?${query}` : ""}`, { signal: mine.signal });
        tell();
        for await (const { event, data } of messages(response.body)) {
          if (event === "dropped") dropped = data.count;
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
      h("header", {}, h("h2", {}, "Live tail"), pause),
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

function row({ position, event }) {
  const type = event?.type ?? "unreadable";
  const kind = type.split(".")[0];
  const envelope = h("pre", { tabindex: "0", hidden: true, "aria-label": `Envelope of ${position}` });
  const button = h(
    "button",
    { type: "button", "aria-expanded": "false", onclick: toggle },
    h("time", {}, event ? time(event.time) : ""),
    h("b", { "data-kind": KINDS.has(kind) ? kind : "other" }, type),
    h("span", {}, brief(event?.subject ?? "")),
    h("span", { class: "actor" }, event ? `by ${brief(event.actor)}` : ""),
    h("small", {}, position),
  );
  function toggle() {
    envelope.hidden = !envelope.hidden;
    set(button, "aria-expanded", !envelope.hidden);
    if (!envelope.textContent) text(envelope, JSON.stringify(event, null, 2));
  }
  return h("li", { "data-position": position }, button, envelope);
}
