// A line chart over the last minutes: hand-made SVG, as wide as its place, read at a glance.

import { h, set, svg, text } from "../view/dom.js";
import { measure } from "./format.js";

const HEIGHT = 132;
const EDGE = { top: 8, right: 8, bottom: 18, left: 38 };
/** Samples further apart than this are not joined, in ms: nobody looked in between. */
const GAP = 6_000;

/**
 * `series`: `[{ name, label, kind }]`, `kind` names its colour. `sum`: whether the large figure is that of all series
 * together instead of the first; `least`: the least that the scale reaches to.
 */
export function chart({ title, unit, series, sum = false, least = 1 }) {
  const drawing = svg("svg", { class: "drawing", role: "img", height: HEIGHT });
  const figure = h("span", { class: "figure" }, "–");
  const legend = series.map(({ label, kind }) => {
    const value = h("b", {}, "–");
    return { item: h("li", { "data-kind": kind }, h("i", { "aria-hidden": "true" }), `${label} `, value), value };
  });
  const element = h(
    "section",
    { class: "panel chart", "aria-label": title },
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
    /** Shows the samples of the last `span` ms before `now`. */
    update(samples, now, span) {
      shown = () => show(samples, now, span);
      shown();
    },
  };

  function show(samples, now, span) {
    const width = Math.max(160, drawing.clientWidth || 320);
    const inside = samples.filter(({ at }) => at >= now - span);
    const place = { width, now, span, top: ceiling(inside, series, least) };
    set(drawing, "viewBox", `0 0 ${width} ${HEIGHT}`);
    const at = pointed === null ? inside.at(-1) : nearest(inside, now - span + share(pointed, width) * span);
    drawing.replaceChildren(
      ...grid(place),
      ...series.flatMap((one) => lines(one, inside, place)),
      ...pointer(at, place, pointed),
    );
    legend.forEach(({ value }, index) => text(value, measure(at?.values[series[index].name])));
    const values = series.map(({ name }) => at?.values[name] ?? null);
    const large =
      sum && values.some((value) => value !== null) ? values.reduce((all, value) => all + (value ?? 0), 0) : values[0];
    text(figure, measure(large));
    const spoken = series.map(({ label }, index) => `${label} ${measure(values[index])}`).join(", ");
    set(drawing, "aria-label", `${title} in the last ${Math.round(span / 60_000)} minutes; now, ${unit}: ${spoken}`);
  }
}

const share = (x, width) => (x - EDGE.left) / (width - EDGE.left - EDGE.right);

function nearest(samples, at) {
  return samples.reduce(
    (best, one) => (!best || Math.abs(one.at - at) < Math.abs(best.at - at) ? one : best),
    undefined,
  );
}

/** The top of the scale: 1, 2 or 5 times a power of ten, at or above all values. */
function ceiling(samples, series, least) {
  let most = least;
  for (const { values } of samples) for (const { name } of series) most = Math.max(most, values[name] ?? 0);
  const power = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 5, 10].find((step) => step * power >= most) * power;
}

function spot(at, value, { width, now, span, top }) {
  const x = EDGE.left + ((at - now + span) / span) * (width - EDGE.left - EDGE.right);
  const y = HEIGHT - EDGE.bottom - (Math.min(value, top) / top) * (HEIGHT - EDGE.top - EDGE.bottom);
  return `${x.toFixed(1)} ${y.toFixed(1)}`;
}

function grid({ width, span, top }) {
  const found = [0, 0.5, 1].flatMap((part) => {
    const y = HEIGHT - EDGE.bottom - part * (HEIGHT - EDGE.top - EDGE.bottom);
    return [
      svg("line", { class: "grid", x1: EDGE.left, x2: width - EDGE.right, y1: y, y2: y }),
      svg("text", { class: "scale", x: EDGE.left - 6, y: y + 4, "text-anchor": "end" }, measure(part * top)),
    ];
  });
  const minutes = Math.round(span / 60_000);
  return [
    ...found,
    svg("text", { class: "scale", x: EDGE.left, y: HEIGHT - 3 }, `${minutes} min ago`),
    svg("text", { class: "scale", x: width - EDGE.right, y: HEIGHT - 3, "text-anchor": "end" }, "now"),
  ];
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
