// Messages as rows: grouped by author and day, with the author's face as the message's emotion makes it.

import { fill, h, set, text } from "./dom.js";
import { dayName, sameDay, time, wholeTime } from "./format.js";
import { faceKey, userFace, userName } from "./names.js";
import { openPerson } from "./people.js";

/** Messages of one author that come within this time stand together, in ms. */
const TOGETHER = 5 * 60_000;

/** What the list shows, in order: days, the line before new messages, messages, and those on their way. */
export function items(app, messages, pending, divider) {
  const rows = [];
  let before = null;
  let marked = divider === null || !messages.length || messages[0].seq > divider + 1;
  const add = (message, key, extra) => {
    if (!before || !sameDay(before.created, message.created)) {
      rows.push({
        kind: "day",
        key: `day ${new Date(message.created).toDateString()}`,
        label: dayName(message.created),
      });
      before = null;
    }
    if (!marked && message.seq > divider) {
      marked = true;
      rows.push({ kind: "new", key: "new" });
      before = null;
    }
    rows.push({ kind: "message", key, message, lead: !continues(before, message), ...extra });
    before = message;
  };
  for (const message of messages) {
    // The same key before and after it has a number, so that the row stays when a message of mine arrives.
    add(message, message.author === app.user ? message.token : message.id, { state: "sent" });
  }
  for (const entry of pending) {
    const message = { ...entry, author: app.user, data: {}, seq: null };
    add(message, entry.token, { state: entry.state, detail: entry.detail });
  }
  return rows;
}

function continues(before, message) {
  if (!before || before.author !== message.author) return false;
  if ((before.data.emotion ?? null) !== (message.data.emotion ?? null)) return false;
  return new Date(message.created) - new Date(before.created) < TOGETHER;
}

export function makeMessage(app, item) {
  if (item.kind === "day") return h("li", { class: "day" }, h("span", {}, item.label));
  if (item.kind === "new") return h("li", { class: "new-line" }, h("span", {}, "New"));
  const { message } = item;
  const mine = message.author === app.user;
  const portrait = h("button", {
    type: "button",
    class: "portrait",
    tabindex: "-1",
    onclick: () => openPerson(app, message.author),
  });
  const body = h("div", { class: `bubble ${message.type}` }, content(app, message));
  const row = h(
    "li",
    { class: `message ${mine ? "mine" : "theirs"}` },
    portrait,
    h(
      "div",
      { class: "said" },
      h("p", { class: "byline" }, h("strong", {}), h("time", {})),
      h("div", { class: "line" }, body, h("span", { class: "fate" })),
    ),
  );
  row.dataset.token = message.token;
  return row;
}

export function drawMessage(app, row, item) {
  if (item.kind !== "message") return;
  const { message, lead, state } = item;
  const [portrait, said] = row.children;
  const [byline, line] = said.children;
  row.classList.toggle("lead", lead);
  row.dataset.state = state;
  if (message.seq !== null) row.dataset.seq = message.seq;
  portrait.hidden = byline.hidden = !lead;
  if (lead) drawLead(app, portrait, byline, message);
  if (message.type === "action") text(line.querySelector(".actor"), `${userName(app, message.author)} `);
  drawFate(app, line.lastChild, item);
}

function drawLead(app, portrait, byline, message) {
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

function drawFate(app, fate, { message, state, detail }) {
  const key = `${state} ${detail ?? ""} ${message.seq ?? ""}`;
  if (fate.dataset.key === key) return;
  fate.dataset.key = key;
  fate.className = `fate ${state}`;
  if (state === "sending") fill(fate, "Sending…");
  else if (state === "failed") {
    const { token } = message;
    fill(
      fate,
      h("span", {}, `Not sent: ${detail}`),
      h("button", { type: "button", class: "link", onclick: () => app.outbox.retry(token) }, "Retry"),
      h("button", { type: "button", class: "link", onclick: () => app.outbox.discard(token) }, "Discard"),
    );
  } else {
    const show = () => app.showEvent(message);
    const label = `Show the event of message ${message.seq}`;
    fill(
      fate,
      h(
        "button",
        { type: "button", class: "seq", tabindex: "-1", "aria-label": label, title: label, onclick: show },
        `#${message.seq}`,
      ),
    );
  }
}

function content(app, { type, content: said, author }) {
  if (type === "text") return linked(said.text);
  if (type === "action") return [h("em", { class: "actor" }, `${userName(app, author)} `), ...linked(said.text)];
  // Pictures and files of other hosts are never fetched by themselves: a link lets the reader decide.
  if (type === "image" || type === "file") return [link(said.url, said.alt || said.name || said.url)];
  return [h("pre", {}, JSON.stringify(said, null, 2))];
}

/** Text with its web addresses as links. */
function linked(said) {
  return said
    .split(/(https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)])/)
    .map((part, index) => (index % 2 ? link(part, part) : part));
}

function link(url, label) {
  if (!/^https?:\/\//.test(url)) return label;
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, label);
}
