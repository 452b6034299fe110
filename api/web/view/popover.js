// Small boxes beside what opened them: menus and notes. The browser's own popovers: Esc and a click elsewhere close them.

import { h } from "./dom.js";

/** Space kept free to the edges of the window, in pixels. */
const EDGE = 8;

/** Opens a box beside `anchor`, which gets the focus back. Returns how to close it. */
export function popover(anchor, props, children) {
  const box = h("div", { popover: "auto", ...props, class: `popover ${props.class ?? ""}` }, children);
  // Where its anchor stands: in a modal dialog everything outside of that is inert, and it belongs to its landmark.
  (anchor.closest("dialog, main, nav, aside") ?? document.body).append(box);
  const within = () => box.contains(document.activeElement) || document.activeElement === document.body;
  let held = false;
  box.addEventListener("beforetoggle", ({ newState }) => newState === "closed" && (held = within()));
  box.addEventListener("toggle", ({ newState }) => {
    if (newState !== "closed") return;
    box.remove();
    anchor.setAttribute("aria-expanded", "false");
    if (held && anchor.isConnected) anchor.focus({ preventScroll: true });
  });
  box.showPopover();
  anchor.setAttribute("aria-expanded", "true");
  place(box, anchor);
  return { box, close: () => box.isConnected && box.hidePopover(), place: () => place(box, anchor) };
}

/** Below the anchor, or above when there is no room; inside the window in any case. */
function place(box, anchor) {
  const at = anchor.getBoundingClientRect();
  const { width, height } = box.getBoundingClientRect();
  const left = at.left + width > innerWidth - EDGE ? at.right - width : at.left;
  const below = at.bottom + 4 + height <= innerHeight - EDGE;
  box.style.left = `${Math.max(EDGE, Math.min(left, innerWidth - EDGE - width))}px`;
  box.style.top = `${Math.max(EDGE, below ? at.bottom + 4 : at.top - 4 - height)}px`;
}

/** A menu of `{ label, run, danger? }`; Up, Down, Home and End move, Enter chooses. */
export function menu(anchor, label, entries) {
  const items = entries.map((entry) =>
    h(
      "button",
      {
        type: "button",
        role: "menuitem",
        class: entry.danger ? "danger" : null,
        tabindex: "-1",
        onclick: choose(entry),
      },
      entry.label,
    ),
  );
  const { box, close } = popover(anchor, { class: "menu", role: "menu", "aria-label": label }, items);
  function choose({ run }) {
    return () => (close(), run());
  }
  box.addEventListener("keydown", (event) => {
    const at = items.indexOf(document.activeElement);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1 + items.length, Home: 0, End: items.length - 1 }[event.key];
    if (event.key === "Tab") close();
    if (next === undefined) return;
    event.preventDefault();
    items[next % items.length].focus();
  });
  items[0].focus();
}
