// Asking before what cannot be taken back.

import { dialog } from "./dialog.js";
import { h } from "./dom.js";

/** Keyboards differ in how they compose a letter; to who reads it, it is the same. */
const composed = (text) => text?.normalize("NFC");

/**
 * Asks; true when the answer is yes. `yes`: what the button says, in the words of the deed. `typed`: a text that must be
 * typed first.
 */
export function confirmed(title, words, yes, { typed = null } = {}) {
  return new Promise((resolve) => {
    let answer = false;
    const box = dialog(title, (close) => {
      const button = h(
        "button",
        { type: "submit", class: "primary danger", disabled: typed !== null, autofocus: !typed },
        yes,
      );
      const input = h("input", {
        id: "confirm-typed",
        type: "text",
        autocomplete: "off",
        spellcheck: "false",
        autofocus: true,
        oninput: () => (button.disabled = composed(input.value.trim()) !== composed(typed)),
      });
      const submit = (event) => {
        event.preventDefault();
        answer = true;
        close();
      };
      const field = h("div", { class: "field" }, h("label", { for: input.id }, `Type “${typed}” to go on`), input);
      return h(
        "form",
        { onsubmit: submit },
        h("p", {}, words),
        typed === null ? null : field,
        h(
          "div",
          { class: "actions end" },
          h("button", { type: "button", class: "quiet", onclick: close }, "Cancel"),
          button,
        ),
      );
    });
    box.addEventListener("close", () => resolve(answer));
  });
}
