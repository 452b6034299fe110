// The list that scrolls at both ends, and keeps what is in sight where it is whatever comes in above, below or between.

import { AHEAD } from "../klatsch/reader.js";
import { h } from "./dom.js";

/** How near to the end the list counts as at its end, in pixels. */
const NEAR = 60;

/** `back()` and `forth()` are called when an end comes near, `moved()` after scrolling. */
export function scrolling(list, { back, forth, moved }) {
  const older = h("p", { class: "older", role: "status" }, "Fetching older messages…");
  const newer = h("p", { class: "older done", role: "status" }, "Fetching newer messages…");
  const element = h(
    "div",
    { class: "scroller", tabindex: "0", role: "region", "aria-label": "Conversation" },
    older,
    list,
    newer,
  );
  /** Whether the view stays at the end as messages come in. */
  let stick = true;
  let top = 0;
  let place = [];

  const near = () => element.scrollHeight - element.scrollTop - element.clientHeight < NEAR;
  const open = (end) => !end.classList.contains("done");
  const watcher = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries)
        if (isIntersecting && open(target)) (target === older ? back : forth)();
    },
    { root: element, rootMargin: `${AHEAD}px` },
  );
  const resized = new ResizeObserver(() => (stick ? toEnd() : settle()));
  for (const one of [older, newer]) watcher.observe(one);
  for (const one of [element, list]) resized.observe(one);
  element.addEventListener("scroll", () => {
    top = element.scrollTop;
    stick = near() && !open(newer);
    place = hold();
    moved();
  });

  function toEnd(behavior = "instant") {
    element.scrollTo({ top: element.scrollHeight, behavior });
    top = element.scrollTop;
  }

  /**
   * The messages in sight, each with where its lower edge is: its head may go when another of its author comes above it.
   * Not the days between them: a day's line goes up with its first message.
   */
  function hold() {
    const edge = element.getBoundingClientRect().top;
    // Days stick to the upper edge: only messages stand in the order of their places.
    const rows = list.querySelectorAll("[data-seq]");
    let [from, to] = [0, rows.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (rows[middle].getBoundingClientRect().bottom - edge <= 0) from = middle + 1;
      else to = middle;
    }
    const found = [];
    for (let at = from; at < rows.length && found.length < 8; at += 1) {
      const { bottom } = rows[at].getBoundingClientRect();
      found.push({ row: rows[at], bottom: bottom - edge });
    }
    return found;
  }

  /** Puts the first row of `place` that is still there back to where it was. */
  function settle() {
    const kept = place.find(({ row }) => row.isConnected);
    if (!kept) return;
    const edge = element.getBoundingClientRect().top;
    const moved = kept.row.getBoundingClientRect().bottom - edge - kept.bottom;
    if (Math.abs(moved) >= 0.5) element.scrollTop += moved;
    top = element.scrollTop;
  }

  /** Changes the list by `paint`, without moving what is in sight; `ends`: whether there is more at either end. */
  function draw(ends, paint) {
    // Scrolled up since, and the event of it has not come yet.
    if (element.scrollTop < top) stick = near() && !open(newer);
    if (!stick) place = hold();
    paint();
    const before = [open(older), open(newer)];
    older.classList.toggle("done", !ends.older);
    newer.classList.toggle("done", !ends.newer);
    if (stick && !ends.newer) toEnd();
    else settle();
    place = hold();
    // An end that was near all along, and behind which there is more only since.
    if (open(older) !== before[0] || open(newer) !== before[1]) look();
  }

  /** Looks again whether an end is near: the observer tells of changes only. */
  function look() {
    for (const one of [older, newer]) {
      watcher.unobserve(one);
      watcher.observe(one);
    }
  }

  /** Scrolls to a row. */
  function to(row, block) {
    row.scrollIntoView({ block });
    top = element.scrollTop;
    stick = near() && !open(newer);
    place = hold();
  }

  const stop = () => {
    watcher.disconnect();
    resized.disconnect();
  };
  return {
    element,
    draw,
    look,
    to,
    toEnd,
    stop,
    atEnd: () => near() && !open(newer),
    follow: () => (stick = true),
    stuck: () => stick,
  };
}
