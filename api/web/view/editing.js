// Changing a message in its place: Enter saves, Escape leaves it as it was.

import { edit } from "./actions.js";
import { h } from "./dom.js";
import { tried } from "./toasts.js";

/** Longest text of one message, in characters; the server's own limit. */
const LENGTH = 2000;

export function editor(app, message) {
  const input = h("textarea", {
    rows: 1,
    maxlength: LENGTH * 2,
    "aria-label": `Change message ${message.seq}`,
    "aria-describedby": "editing-hint",
    oninput: grow,
    onkeydown: key,
  });
  input.value = message.content.text;
  const save = h("button", { type: "submit", class: "link" }, "Save");
  const cancel = h("button", { type: "button", class: "link", onclick: close }, "Cancel");
  const hint = h("small", { id: "editing-hint" }, "Enter saves, Esc cancels");
  const form = h("form", { class: "edit", onsubmit: submit }, input, h("span", {}, save, cancel, hint));
  // Its height is known only when it stands in the page.
  queueMicrotask(() => (grow(), input.setSelectionRange(input.value.length, input.value.length)));

  function grow() {
    input.style.height = "auto";
    input.style.height = `${Math.min(input.scrollHeight, 240)}px`;
  }

  function key(event) {
    if (event.isComposing) return;
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      close();
    }
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      form.requestSubmit();
    }
  }

  function close() {
    edit(app, null);
    app.focusComposer();
  }

  async function submit(event) {
    event.preventDefault();
    const said = input.value.trim();
    if (!said || said === message.content.text) return close();
    save.disabled = true;
    const path = `/v1/rooms/${message.room}/messages/${message.id}`;
    const content = { ...message.content, text: said };
    const done = await tried(async () => app.store.learn(await app.api.do("PATCH", path, { content })));
    save.disabled = false;
    if (done) close();
  }

  return form;
}
