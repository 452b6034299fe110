// Messages as rows: what was said, by whom, with the author's face as the message's emotion makes it.

import { messageActions, showEdits } from "./actions.js";
import { fill, h, set, text } from "./dom.js";
import { editor } from "./editing.js";
import { time, wholeTime } from "./format.js";
import { formatted, link } from "./formatted.js";
import { faceKey, userFace, userName } from "./names.js";
import { noticeWords } from "./notices.js";
import { openPerson } from "./people.js";
import { drawSeen, seenBy } from "./seen.js";
import { worded } from "./toasts.js";

const LINES = { new: "New", gap: "Messages between these are in the archive" };

export function makeRow(app, item) {
  if (item.kind === "day") return h("li", { class: "day" }, h("span", {}, item.label));
  if (item.kind in LINES) return h("li", { class: `${item.kind}-line` }, h("span", {}, LINES[item.kind]));
  if (item.kind === "notice") return makeNotice(app, item);
  const { message } = item;
  const mine = message.author === app.user;
  const line = h("div", { class: "line" }, h("div", { class: "bubble" }), h("span", { class: "fate" }));
  const row = h("li", { class: `message ${mine ? "mine" : "theirs"}` }, h("div", { class: "said" }, line));
  return row;
}

export function drawRow(app, row, item) {
  if (item.kind === "notice") return drawNotice(app, row, item);
  if (item.kind !== "message") return;
  const { message, lead, state } = item;
  row.classList.toggle("lead", lead);
  row.dataset.state = state;
  if (message.seq !== null) row.dataset.seq = message.seq;
  drawLead(app, row, lead, message);
  const line = row.querySelector(".line");
  drawBody(app, row, line.firstChild, message);
  drawFate(app, line.lastChild, item);
  drawReaders(app, row, item);
}

/** Who has read up to a message; without readers there is no element, as there are many messages. */
function drawReaders(app, row, item) {
  let seen = row.querySelector(":scope > .seen");
  if (!seen && !item.readers?.length) return;
  if (!seen) row.append((seen = seenBy(app)));
  drawSeen(app, seen, item);
}

function makeNotice(app, { message }) {
  const words = h("span", {});
  const when = h("time", { datetime: message.created, title: wholeTime(message.created) }, time(message.created));
  const row = h("li", { class: "notice" }, h("p", {}, words, " ", when));
  row.dataset.seq = message.seq;
  return row;
}

function drawNotice(app, row, item) {
  text(row.firstChild.firstChild, noticeWords(app, item.message));
  drawReaders(app, row, item);
}

/** The head of what one says in a row: face, name and time. */
function drawLead(app, row, lead, message) {
  let [portrait, byline] = [row.querySelector(":scope > .portrait"), row.querySelector(".byline")];
  if (!lead) {
    portrait?.remove();
    byline?.remove();
    return;
  }
  if (!portrait) {
    const person = () => openPerson(app, message.author);
    portrait = h("button", { type: "button", class: "portrait", tabindex: "-1", onclick: person });
    byline = h("p", { class: "byline" }, h("strong", {}), h("time", {}));
    row.prepend(portrait);
    row.querySelector(".said").prepend(byline);
  }
  const emotion = message.data.emotion ?? null;
  const name = userName(app, message.author);
  const key = faceKey(app, message.author, emotion) + name;
  if (portrait.dataset.key !== key) {
    const label = emotion ? `${name}, ${emotion}` : name;
    // Only an emotion that arrives while one looks makes the face move.
    portrait.classList.toggle("moved", "key" in portrait.dataset && Boolean(emotion));
    portrait.replaceChildren(userFace(app, message.author, emotion));
    set(portrait, "aria-label", label);
    set(portrait, "title", label);
  }
  portrait.dataset.key = key;
  const [author, when] = byline.children;
  text(author, message.author === app.user ? "You" : name);
  text(when, time(message.created));
  set(when, "datetime", message.created);
  set(when, "title", wholeTime(message.created));
}

/** The bubble: what was said, or that it is gone, or the box in which its author changes it. */
function drawBody(app, row, bubble, message) {
  const editing = Boolean(message.id) && app.editing === message.id;
  const key = editing ? "editing" : message.deleted ? "gone" : `${message.revision ?? 0}`;
  if (bubble.dataset.key !== key) {
    bubble.dataset.key = key;
    row.classList.toggle("editing", editing);
    bubble.className = `bubble ${message.deleted ? "gone" : message.type}`;
    fill(bubble, editing ? editor(app, message) : content(app, message));
    if (editing) bubble.querySelector("textarea").focus();
  }
  if (message.type === "action" && !editing && !message.deleted) {
    text(bubble.querySelector(".actor"), `${userName(app, message.author)} `);
  }
}

function drawFate(app, fate, { message, state, detail }) {
  const key = `${state} ${detail ?? ""} ${message.seq ?? ""} ${message.edited ?? ""} ${message.deleted ?? ""}`;
  if (fate.dataset.key === key) return;
  fate.dataset.key = key;
  fate.className = `fate ${state}`;
  if (state === "sending") fill(fate, "Sending…");
  else if (state === "failed") fill(fate, failed(app, message.client_id, detail));
  else fill(fate, message.edited && !message.deleted ? edited(app, message) : null, tools(app, message));
}

function failed(app, client_id, detail) {
  return [
    h("span", {}, `Not sent: ${worded(detail ?? "")}`),
    h("button", { type: "button", class: "link", onclick: () => app.outbox.retry(client_id) }, "Retry"),
    h("button", { type: "button", class: "link", onclick: () => app.outbox.discard(client_id) }, "Discard"),
  ];
}

function edited(app, { room, id, seq, edited: when }) {
  const show = ({ currentTarget }) => showEdits(app, currentTarget, room, id);
  const props = { type: "button", class: "edited", tabindex: "-1", onclick: show, title: `Edited ${wholeTime(when)}` };
  return h("button", { ...props, "aria-label": `Message ${seq} was edited: show how` }, "edited");
}

function tools(app, { room, id, seq }) {
  const message = () => app.store.state.messages[room]?.[id];
  const label = `Show the event of message ${seq}`;
  const show = () => app.showEvent(message());
  const number = { type: "button", class: "seq", tabindex: "-1", "aria-label": label, title: label, onclick: show };
  const act = ({ currentTarget }) => messageActions(app, currentTarget, message());
  const more = { type: "button", class: "act", "aria-label": `Actions for message ${seq}`, "aria-haspopup": "menu" };
  return [h("button", number, `#${seq}`), h("button", { ...more, tabindex: "-1", onclick: act }, "⋯")];
}

function content(app, { type, content: said, author, deleted }) {
  if (deleted) return "Message deleted";
  if (type === "text") return formatted(said.text);
  if (type === "action") return [h("em", { class: "actor" }, `${userName(app, author)} `), ...formatted(said.text)];
  // Pictures and files of other hosts are never fetched by themselves: a link lets the reader decide.
  if (type === "image" || type === "file") return [link(said.url, said.alt || said.name || said.url)];
  return [h("pre", {}, JSON.stringify(said, null, 2))];
}
