// Parked streams: what waits, why, and another attempt after a fix.

import { fill, h, keyed, text } from "../view/dom.js";
import { termed } from "./explain.js";
import { count, plural, whenever } from "./format.js";

/** How often the list is read while something is parked, in ms. */
const AGAIN = 5_000;

export function parkedPanel(access) {
  const list = h("ul", { class: "parked" });
  const none = h("p", { class: "none" }, "Nothing waits for a fix.");
  const said = h("p", { class: "said", role: "status" });
  const more = h("p", { class: "none", hidden: true });
  let read = -Infinity;
  let reading = false;

  async function refresh() {
    if (reading) return;
    reading = true;
    try {
      const found = await access.get("/v1/console/parked");
      keyed(
        list,
        found.streams,
        ({ consumer, stream }) => `${consumer} ${stream}`,
        (one) => entry(one, access, done),
        show,
      );
      none.hidden = found.streams.length > 0;
      more.hidden = found.all <= found.streams.length;
      text(more, `${count(found.all - found.streams.length)} more: './klatsch parked'.`);
      read = performance.now();
    } catch (problem) {
      if (!problem.code) throw problem;
    } finally {
      reading = false;
    }
  }

  function done(sentence) {
    text(said, sentence);
    refresh();
  }

  return {
    element: h(
      "section",
      { class: "panel", "aria-label": "Parked streams" },
      h("header", {}, h("h2", {}, ...termed("parked", "Waiting for a fix"))),
      said,
      none,
      list,
      more,
    ),
    update({ parked }) {
      const some = (parked ?? []).some(({ streams }) => streams);
      if ((some && performance.now() - read > AGAIN) || (parked && !some && list.childElementCount)) refresh();
    },
  };
}

function entry({ consumer, stream }, access, done) {
  const parts = { about: h("p", {}), error: h("p", { class: "error" }), events: h("div", {}) };
  const details = h(
    "details",
    { ontoggle: () => details.open && events(access, stream, parts.events) },
    h("summary", {}, "Events"),
    parts.events,
  );
  // The feed passes over what it cannot tell; only rows are made good by another attempt.
  const again = consumer === "read_models" ? retry(access, stream, done) : null;
  return Object.assign(h("li", {}, parts.about, parts.error, again, details), { parts });
}

function show(item, { stream, type, position, waiting, error, since, consumer }) {
  text(
    item.parts.about,
    `${stream}: ${type || "an unreadable event"} at ${position}, ${plural(waiting, "event")} wait, ${consumer}, since ${whenever(since)}`,
  );
  text(item.parts.error, error);
}

/** A button that asks first, in its place: a dialog would hide what it is about. */
function retry(access, stream, done) {
  const place = h("p", { class: "retry" });
  const ask = h(
    "button",
    { type: "button", onclick: () => (fill(place, ...sure()), place.firstChild.nextSibling.focus()) },
    "Retry",
  );
  const rest = () => fill(place, ask);
  const sure = () => [
    h("span", {}, "Is it mended? The events are applied in order, up to one that still fails."),
    h(
      "button",
      { type: "button", class: "yes", onclick: () => attempt(access, stream, place, done, rest) },
      "Retry now",
    ),
    h("button", { type: "button", onclick: () => (rest(), ask.focus()) }, "Leave it"),
  ];
  rest();
  return place;
}

async function attempt(access, stream, place, done, rest) {
  for (const button of place.querySelectorAll("button")) button.disabled = true;
  try {
    const { applied, parked } = await access.post("/v1/console/parked/retry", { stream });
    done(
      parked
        ? `${stream}: ${plural(applied, "event")} applied, ${count(parked)} still wait; the error is below.`
        : `${stream} is free: ${plural(applied, "event")} applied.`,
    );
  } catch (problem) {
    done(`${stream} was not retried: ${problem.detail ?? problem.message}`);
  }
  rest();
}

async function events(access, stream, place) {
  try {
    const { events: found } = await access.get("/v1/console/parked/stream", { stream });
    fill(
      place,
      ...found.map(({ position, error, event }) =>
        h(
          "div",
          {},
          h("p", {}, h("b", {}, position), ` ${error}`),
          h("pre", { tabindex: "0", "aria-label": `Event ${position}` }, JSON.stringify(event, null, 2)),
        ),
      ),
    );
  } catch (problem) {
    fill(place, h("p", {}, problem.detail ?? problem.message));
  }
}
