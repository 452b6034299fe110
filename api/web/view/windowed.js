// A long list of rows of one height: only those in sight are elements, so that thousands cost no more than a screenful.

import { keyed, set } from "./dom.js";

/** Height of a row, in pixels. The same number stands in css/side.css. */
const ROW = 60;
/** Rows beyond either edge that are elements too: what comes into sight is there, and Tab leads on. */
const BEYOND = 3;

/**
 * Makes `list`, which stands in the scrolling `scroller`, show items: `show(items)`. `keyOf`, `make` and `draw` are those
 * of `keyed`. The row with the focus stays, wherever the list is scrolled to.
 */
export function windowed(list, scroller, { keyOf, make, draw }) {
  let items = [];
  list.classList.add("windowed");
  list.addEventListener("keydown", walk);
  scroller.addEventListener("scroll", paint, { passive: true });
  new ResizeObserver(paint).observe(scroller);

  const above = () => scroller.getBoundingClientRect().top - list.getBoundingClientRect().top;

  function show(next) {
    items = next;
    list.style.height = `${items.length * ROW}px`;
    paint();
  }

  function paint() {
    const top = above();
    const from = Math.max(0, Math.floor(top / ROW) - BEYOND);
    const to = Math.min(items.length, Math.ceil((top + scroller.clientHeight) / ROW) + BEYOND);
    const shown = [];
    for (let index = from; index < to; index += 1) shown.push(index);
    const kept = focused();
    if (kept >= 0 && kept < from) shown.unshift(kept);
    if (kept >= to) shown.push(kept);
    keyed(
      list,
      shown,
      (index) => keyOf(items[index]),
      (index) => make(items[index]),
      place,
    );
  }

  function place(row, index) {
    row.style.top = `${index * ROW}px`;
    set(row, "aria-posinset", index + 1);
    set(row, "aria-setsize", items.length);
    draw(row, items[index]);
  }

  /** The index of the item whose row has the focus, or -1. */
  function focused() {
    if (!list.contains(document.activeElement)) return -1;
    const row = document.activeElement.closest("li");
    return items.findIndex((item) => list.keyed.get(keyOf(item)) === row);
  }

  /** Up, Down, Home and End move between all rows, also to those that are no elements yet. */
  function walk(event) {
    const at = focused();
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (next === undefined || at < 0 || !items[next]) return;
    event.preventDefault();
    reveal(next);
    list.keyed.get(keyOf(items[next])).querySelector(".row").focus({ preventScroll: true });
  }

  /** Scrolls no further than it takes to see a row. */
  function reveal(index) {
    const [top, height] = [above(), scroller.clientHeight];
    if (index * ROW < top) scroller.scrollTop += index * ROW - top;
    else if ((index + 1) * ROW > top + height) scroller.scrollTop += (index + 1) * ROW - top - height;
    paint();
  }

  return { show, reveal };
}
