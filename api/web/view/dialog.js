// Modal dialogs: the browser's own, so that Esc closes them and focus stays inside and comes back.

import { h, iconButton } from "./dom.js";

/**
 * Opens a dialog with a title. `content(close)` gives its children. `watch(update)` registers for changes and returns how
 * to stop; it is undone when the dialog closes.
 */
export function dialog(title, content, { wide = false } = {}) {
  const heading = h("h2", { id: `dialog-${++dialog.made}` }, title);
  const element = h("dialog", { class: wide ? "dialog wide" : "dialog", "aria-labelledby": heading.id });
  const close = () => element.close();
  element.append(
    h("header", { class: "dialog-head" }, heading, iconButton("close", "Close", close)),
    h("div", { class: "dialog-body" }, content(close, element)),
  );
  element.addEventListener("click", (event) => event.target === element && close());
  document.body.append(element);
  element.showModal();
  element.addEventListener("close", () => {
    // Notices that stand in the dialog go back to the page with it.
    document.body.append(...element.querySelectorAll(".toasts"));
    element.remove();
  });
  return element;
}
dialog.made = 0;
