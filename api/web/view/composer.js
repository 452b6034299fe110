// Writing a message: Enter sends, Shift+Enter makes a new line. What is half written stays with its conversation.

import { h, icon, set } from "./dom.js";
import { roomName } from "./names.js";

/** Longest text of one message, in characters; the server's own limit. */
const LENGTH = 2000;
/** Characters before the limit from which on the rest is shown. */
const WARN = 200;

export function composer(app, sent) {
  const drafts = new Map();
  let room = null;
  const left = h("span", { class: "left", role: "status" });
  const input = h("textarea", {
    rows: 1,
    maxlength: LENGTH,
    enterkeyhint: "send",
    "aria-label": "Message",
    oninput: grow,
    onkeydown: key,
  });
  const send = h(
    "button",
    { type: "submit", class: "icon-button send", "aria-label": "Send", title: "Send (Enter)" },
    icon("send"),
  );
  const element = h("form", { class: "composer", onsubmit: submit }, input, left, send);

  function key(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    element.requestSubmit();
  }

  function submit(event) {
    event.preventDefault();
    const said = input.value.trim();
    if (!said || !room) return;
    const action = /^\/me\s+([\s\S]+)$/.exec(said);
    app.outbox.send(room, action ? "action" : "text", { text: action ? action[1] : said });
    input.value = "";
    drafts.delete(room);
    grow();
    sent();
  }

  function grow() {
    input.style.height = "auto";
    input.style.height = `${Math.min(input.scrollHeight, 180)}px`;
    const rest = LENGTH - input.value.length;
    left.textContent = rest <= WARN ? String(rest) : "";
    if (room && input.value) drafts.set(room, input.value);
  }

  function enter(next) {
    room = next;
    input.value = drafts.get(room) ?? "";
    grow();
  }

  function update(entry) {
    set(input, "placeholder", `Message ${roomName(app, entry.room)}`);
  }

  return { element, enter, update, focus: () => input.focus({ preventScroll: true }) };
}
