// Writing a message: Enter sends, Shift+Enter makes a new line. What is half written stays with its conversation.

import { loadDrafts, saveDrafts } from "../klatsch/session.js";
import { h, icon, set } from "./dom.js";
import { roomName } from "./names.js";

/** Longest text of one message, in characters (code points); the server's own limit. */
const LENGTH = 2000;
/** Characters before the limit from which on the rest is shown. */
const WARN = 200;

/** `sent()` is called after a message; `up()` when somebody goes up from an empty box: whether that led anywhere. */
export function composer(app, { sent, up }) {
  const drafts = new Map(loadDrafts(app.user));
  let room = null;
  const left = h("span", { class: "left", role: "status" });
  const input = h("textarea", {
    rows: 1,
    enterkeyhint: "send",
    "aria-label": "Message",
    oninput: typed,
    onkeydown: key,
  });
  const send = h(
    "button",
    { type: "submit", class: "icon-button send", "aria-label": "Send", title: "Send (Enter)" },
    icon("send"),
  );
  const element = h("form", { class: "composer", onsubmit: submit }, input, left, send);

  function key(event) {
    if (event.isComposing) return;
    if (event.key === "ArrowUp" && !input.value && up()) event.preventDefault();
    if (event.key !== "Enter" || event.shiftKey) return;
    event.preventDefault();
    element.requestSubmit();
  }

  function submit(event) {
    event.preventDefault();
    const said = input.value.trim();
    if (!said || !room || input.disabled || rest() < 0) return;
    const action = /^\/me\s+([\s\S]+)$/.exec(said);
    app.outbox.send(room, action ? "action" : "text", { text: action ? action[1] : said });
    input.value = "";
    keep();
    grow();
    app.signals.posted(room);
    sent();
  }

  const rest = () => LENGTH - [...input.value.trim()].length;

  function typed() {
    keep();
    grow();
    app.signals.type(room, input.value.trim() !== "");
  }

  function grow() {
    input.style.height = "auto";
    input.style.height = `${Math.min(input.scrollHeight, 180)}px`;
    const characters = rest();
    left.textContent = characters <= WARN ? String(characters) : "";
    left.classList.toggle("over", characters < 0);
  }

  /** What is written stays with its room, over a reload too. */
  function keep() {
    if (input.value) drafts.set(room, input.value);
    else drafts.delete(room);
    saveDrafts(app.user, [...drafts]);
  }

  function enter(next) {
    room = next;
    input.value = drafts.get(room) ?? "";
    grow();
  }

  function update(entry, allowed) {
    input.disabled = send.disabled = !allowed;
    set(input, "placeholder", allowed ? `Message ${roomName(app, entry.room)}` : reason(entry));
  }

  return { element, enter, update, focus: () => input.focus({ preventScroll: true }) };
}

function reason({ room }) {
  return room.state === "archived" ? "This room is archived: it can be read" : "Only admins write in this room";
}
