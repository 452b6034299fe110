// A line chart over the last minutes: hand-made SVG, as wide as its place, read at a glance.

import { h, set, svg, text } from "../view/dom.js";
import { measure } from "./format.js";

const HEIGHT = 148;
const EDGE = { top: 22, right: 8, bottom: 18, left: 44 };
/** Samples further apart than this are not joined, in ms: the server keeps one in 5 s. */
const GAP = 12_000;
/** A limit is drawn, and the scale reaches to it, once values come as near to it as this share of it. */
const NEAR = 0.25;

/**
 * `title`: what stands above, `label` its short name; `unit` that of the scale. `series`: `[{ name, label, kind }]`,
 * `kind` names its colour. `limits`: `[{ at, label, kind }]`, the lowest first: from there on it is worth a word. `sum`:
 * whether the large figure is that of all series together instead of the first; `least`: the least that the scale
 * reaches to.
 */
export function chart({ title, label, unit, series, limits = [], sum = false, least = 1 }) {
  const drawing = svg("svg", { class: "drawing", role: "img", height: HEIGHT });
  const figure = h("span", { class: "figure" }, "–");
  const legend = series.map(({ label: name, kind }) => {
    const value = h("b", {}, "–");
    return { item: h("li", { "data-kind": kind }, h("i", { "aria-hidden": "true" }), `${name} `, value), value };
  });
  const element = h(
    "section",
    { class: "panel chart", "aria-label": label },
    h("header", {}, h("h2", {}, title), h("p", { class: "now" }, figure, h("small", {}, unit))),
    drawing,
    h("ul", { class: "legend" }, ...legend.map(({ item }) => item)),
  );
  let pointed = null;
  let shown = () => {};
  drawing.addEventListener("pointermove", (event) => ((pointed = event.offsetX), shown()));
  drawing.addEventListener("pointerleave", () => ((pointed = null), shown()));
  return {
    element,
    /** Shows the samples of the last `span` ms before `now`; `old`: nothing is known of now. */
    update(samples, now, span, old = false) {
      shown = () => show(samples, now, span, old);
      shown();
    },
  };

  function show(samples, now, span, old) {
    const width = Math.max(160, drawing.clientWidth || 320);
    const inside = samples.filter(({ at }) => at >= now - span);
    const most = highest(inside, series, least);
    const near = limits.filter(({ at }) => most >= at * NEAR);
    const place = { width, now, span, unit, top: ceiling(Math.max(most, ...near.map(({ at }) => at))) };
    set(drawing, "viewBox", `0 0 ${width} ${HEIGHT}`);
    const last = old ? undefined : inside.at(-1);
    const at = pointed === null ? last : nearest(inside, now - span + share(pointed, width) * span);
    drawing.replaceChildren(
      ...grid(place),
      ...marks(limits, near, place),
      ...series.flatMap((one) => lines(one, inside, place)),
      ...pointer(at, place, pointed),
    );
    legend.forEach(({ value }, index) => text(value, measure(at?.values[series[index].name])));
    const values = series.map(({ name }) => at?.values[name] ?? null);
    const large =
      sum && values.some((value) => value !== null) ? values.reduce((all, value) => all + (value ?? 0), 0) : values[0];
    text(figure, measure(large));
    const spoken = series.map(({ label: name }, index) => `${name} ${measure(values[index])}`).join(", ");
    const warned = limits.map((one) => `; ${one.label} from ${measure(one.at)}`).join("");
    const minutes = Math.round(span / 60_000);
    set(drawing, "aria-label", `${label} in the last ${minutes} minutes; now, ${unit}: ${spoken}${warned}`);
  }
}

const share = (x, width) => (x - EDGE.left) / (width - EDGE.left - EDGE.right);

function nearest(samples, at) {
  return samples.reduce(
    (best, one) => (!best || Math.abs(one.at - at) < Math.abs(best.at - at) ? one : best),
    undefined,
  );
}

function highest(samples, series, least) {
  let most = least;
  for (const { values } of samples) for (const { name } of series) most = Math.max(most, values[name] ?? 0);
  return most;
}

/** The top of the scale: 1, 2 or 5 times a power of ten, at or above a value. */
function ceiling(most) {
  const power = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 5, 10].find((step) => step * power >= most) * power;
}

const height = (value, top) => HEIGHT - EDGE.bottom - (Math.min(value, top) / top) * (HEIGHT - EDGE.top - EDGE.bottom);

function spot(at, value, { width, now, span, top }) {
  const x = EDGE.left + ((at - now + span) / span) * (width - EDGE.left - EDGE.right);
  return `${x.toFixed(1)} ${height(value, top).toFixed(1)}`;
}

function grid({ width, span, top, unit }) {
  const found = [0, 0.5, 1].flatMap((part) => {
    const y = height(part * top, top);
    return [
      svg("line", { class: "grid", x1: EDGE.left, x2: width - EDGE.right, y1: y, y2: y }),
      svg("text", { class: "scale", x: EDGE.left - 6, y: y + 4, "text-anchor": "end" }, measure(part * top)),
    ];
  });
  const minutes = Math.round(span / 60_000);
  return [
    ...found,
    svg("text", { class: "scale", x: 0, y: 11 }, unit),
    svg("text", { class: "scale", x: EDGE.left, y: HEIGHT - 3 }, `${minutes} min ago`),
    svg("text", { class: "scale", x: width - EDGE.right, y: HEIGHT - 3, "text-anchor": "end" }, "now"),
  ];
}

/** The limits that are near as lines; the lowest of the others in words, so that one knows how far off it is. */
function marks(limits, near, { width, top }) {
  const found = near.flatMap(({ at, kind }) => {
    const y = height(at, top);
    return [svg("line", { class: "limit", "data-kind": kind, x1: EDGE.left, x2: width - EDGE.right, y1: y, y2: y })];
  });
  const next = near.at(-1) ?? limits[0];
  const words = next ? `${next.label} from ${measure(next.at)}` : "";
  return words
    ? [...found, svg("text", { class: "scale", x: width - EDGE.right, y: 11, "text-anchor": "end" }, words)]
    : found;
}

function lines({ name, kind }, samples, place) {
  let path = "";
  let last = null;
  for (const { at, values } of samples) {
    const value = values[name];
    if (value === null || value === undefined) {
      last = null;
      continue;
    }
    path += `${last !== null && at - last < GAP ? "L" : "M"}${spot(at, value, place)}`;
    last = at;
  }
  return path ? [svg("path", { class: "line", "data-kind": kind, d: path })] : [];
}

function pointer(sample, place, pointed) {
  if (!sample || pointed === null) return [];
  const [x] = spot(sample.at, 0, place).split(" ");
  return [svg("line", { class: "pointer", x1: x, x2: x, y1: EDGE.top, y2: HEIGHT - EDGE.bottom })];
}
