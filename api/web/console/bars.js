// A bar chart over the days of a month, or the hours of a day: hand-made SVG, as wide as its place.

import { h, svg, text } from "../view/dom.js";
import { measure } from "./format.js";

const HEIGHT = 132;
const EDGE = { top: 10, right: 2, bottom: 18, left: 52 };
let numbers = 0;

/**
 * `title`; `figure`: the value of all bars together, as text, and `about`: how it comes about. `bars`:
 * `[{ label, name, value, open }]`, in order: `label` below it, or none, `name` in full, `open`: time that is not over.
 * `show(value)` gives a value as text; `unit(most)`: in what the scale counts, if not in ones.
 */
export function barChart({ title, figure, about, kind, bars, show, unit }) {
  const drawing = svg("svg", { class: "bars", role: "img", height: HEIGHT, "data-kind": kind });
  const pointed = h("p", { class: "pointed" }, about);
  const element = h(
    "section",
    { class: "panel chart bar-chart", "aria-label": title },
    h("header", {}, h("h2", {}, title), h("p", { class: "now" }, h("span", { class: "figure" }, figure))),
    drawing,
    pointed,
  );
  drawing.addEventListener("pointermove", ({ target }) => {
    const bar = bars[target.dataset?.bar];
    text(pointed, bar ? `${bar.name}: ${show(bar.value)}` : about);
  });
  drawing.addEventListener("pointerleave", () => text(pointed, about));
  return { element, draw: () => draw(drawing, { title, figure, about, bars, show, unit }) };
}

function draw(drawing, { title, figure, about, bars, show, unit = () => 1 }) {
  const width = Math.max(200, drawing.clientWidth || 320);
  const most = bars.reduce((best, bar) => (bar.value > (best?.value ?? 0) ? bar : best), null);
  const top = ceiling(Math.max(2, most?.value ?? 0), unit(most?.value ?? 0));
  const step = (width - EDGE.left - EDGE.right) / bars.length;
  const space = HEIGHT - EDGE.top - EDGE.bottom;
  const [name, words] = [`bars-title-${++numbers}`, `bars-words-${numbers}`];
  drawing.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
  drawing.setAttribute("aria-labelledby", `${name} ${words}`);
  const best = most ? `; most: ${show(most.value)}, ${most.name}` : "; nothing yet";
  drawing.replaceChildren(
    svg("title", { id: name }, title),
    svg("desc", { id: words }, `${figure}, ${about}${best}. The table has all numbers.`),
    ...[0, 0.5, 1].flatMap((part) => {
      const y = EDGE.top + space * (1 - part);
      return [
        svg("line", { class: "grid", x1: EDGE.left, x2: width - EDGE.right, y1: y, y2: y }),
        svg("text", { class: "scale", x: EDGE.left - 6, y: y + 4, "text-anchor": "end" }, label(part * top, show)),
      ];
    }),
    ...bars.flatMap((bar, index) => {
      const x = EDGE.left + index * step;
      const tall = bar.value > 0 ? Math.max(1.5, (bar.value / top) * space) : 0;
      const size = { x: x + step * 0.12, width: step * 0.76, rx: Math.min(2.5, step / 6) };
      return [
        tall
          ? svg("rect", { class: "bar", ...size, y: EDGE.top + space - tall, height: tall, "data-open": bar.open })
          : null,
        // The whole column answers, however low its bar is.
        svg("rect", { class: "column", x, y: EDGE.top, width: step, height: space, "data-bar": index }),
        bar.label
          ? svg("text", { class: "scale", x: x + step / 2, y: HEIGHT - 4, "text-anchor": "middle" }, bar.label)
          : null,
      ].filter(Boolean);
    }),
  );
}

const label = (value, show) => (Number.isInteger(value) ? show(value) : measure(value));

/** The top of the scale: a value whose half is as round, at or above `most`, counted in `unit`. */
export function ceiling(most, unit) {
  const power = 10 ** Math.floor(Math.log10(most / unit)) * unit;
  return [1, 2, 4, 6, 8, 10].find((step) => step * power >= most) * power;
}
