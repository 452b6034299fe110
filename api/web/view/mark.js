// The product's mark: the drawing of icon.svg, in the colours of the page.

import { svg } from "./dom.js";

export function mark() {
  const drawing = svg("use", { href: "/icon.svg#mark" });
  return svg("svg", { class: "mark", viewBox: "0 0 32 32", "aria-hidden": "true" }, drawing);
}
