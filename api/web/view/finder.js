// Searching messages, in one room or in all: what is found is marked, and leads to its place in the conversation.

import { arrows } from "./arrows.js";
import { dialog } from "./dialog.js";
import { fill, h, icon, set, text } from "./dom.js";
import { count, recent, wholeTime } from "./format.js";
import { roomName, userName } from "./names.js";
import { tried } from "./toasts.js";

/** Pause after the last key before the server is asked, in ms. */
const PAUSE = 200;
/** Found messages of one page. */
const PAGE = 30;
/** Characters that are shown before what was found, in a long message. */
const BEFORE = 60;
const AFTER = 160;

/** `room`: the room to search first, or none; `words`: what to search for. */
export function findMessages(app, { room = null, words = "" }) {
  let scope = room;
  let next = null;
  let asked = 0;
  let timer = null;
  const input = h("input", {
    type: "search",
    id: "finder-words",
    placeholder: "Words, or “a phrase”",
    "aria-label": "Search the messages",
    autocomplete: "off",
    spellcheck: "false",
    maxlength: 200,
    autofocus: true,
    oninput: () => (clearTimeout(timer), (timer = setTimeout(ask, PAUSE))),
    onkeydown: down,
  });
  const list = arrows(h("ol", { class: "rows found", "aria-label": "Messages found" }));
  const note = h("p", { class: "hint", role: "status" });
  const more = h("button", { type: "button", class: "quiet more", hidden: true, onclick: () => ask(next) }, "More");
  const here = h("button", { type: "button", onclick: () => choose(room) }, "This conversation");
  const everywhere = h("button", { type: "button", onclick: () => choose(null) }, "Everywhere");
  const bar = h(
    "div",
    { class: "segments", role: "group", "aria-label": "Where to search", hidden: !room },
    here,
    everywhere,
  );
  const box = dialog("Search the messages", () => [
    h("div", { class: "search", role: "search" }, icon("search"), input),
    bar,
    h("div", { class: "found-list" }, list, more),
    note,
  ]);
  box.classList.add("finder");
  input.value = words;
  choose(scope);

  function choose(value) {
    scope = value;
    set(here, "aria-pressed", String(scope !== null));
    set(everywhere, "aria-pressed", String(scope === null));
    ask();
  }

  function down(event) {
    if (event.key !== "ArrowDown" && event.key !== "Enter") return;
    event.preventDefault();
    list.querySelector(".row")?.focus();
  }

  async function ask(cursor = null) {
    clearTimeout(timer);
    const said = input.value.trim();
    const number = ++asked;
    if (!said) return show([], null, "");
    await tried(async () => {
      const query = { text: said, room: scope, limit: PAGE, cursor };
      const answer = await app.api.get("/v1/messages", query, app.store.state.vector);
      if (number !== asked) return;
      if (answer.users) app.store.learn({ users: answer.users });
      const nothing = answer.found.length || cursor ? "" : `Nothing with “${said}” ${scope ? "here" : "anywhere"}.`;
      show(answer.found, answer.next, nothing, Boolean(cursor));
    });
  }

  function show(found, cursor, words, further = false) {
    next = cursor;
    const rows = found.map((one) => result(app, one, scope, close));
    if (further) list.append(...rows);
    else fill(list, rows);
    more.hidden = !next;
    text(
      note,
      words || (list.children.length ? `${count(list.children.length, "message")}${next ? " and more" : ""}` : ""),
    );
    if (further) rows[0]?.firstChild.focus();
  }

  function close(message) {
    box.close();
    app.showMessage(message);
  }
}

function result(app, { message, highlights }, scope, open) {
  const entry = app.rooms.mine(message.room);
  const place = scope || !entry ? "" : roomName(app, entry.room);
  const row = h(
    "button",
    { type: "button", class: "row result", onclick: () => open(message) },
    h("span", { class: "row-title" }, userName(app, message.author), place ? h("small", {}, ` in ${place}`) : null),
    h(
      "time",
      { class: "row-time", datetime: message.created, title: wholeTime(message.created) },
      recent(message.created),
    ),
    h("span", { class: "row-found" }, marked(searched(message), highlights)),
  );
  return h("li", {}, row);
}

const searched = ({ content }) => content.text ?? content.alt ?? content.name ?? "";

/** Text with parts of it marked. `highlights`: [start, end] in code points, which are not JavaScript's characters. */
export function marked(said, highlights) {
  const points = [...said];
  const first = Math.max(0, (highlights[0]?.[0] ?? 0) - BEFORE);
  const last = Math.min(points.length, (highlights[0]?.[1] ?? 0) + AFTER);
  const parts = [first > 0 ? "…" : ""];
  let at = first;
  for (const [start, end] of highlights) {
    if (start < at || end > last) continue;
    parts.push(points.slice(at, start).join(""), h("mark", {}, points.slice(start, end).join("")));
    at = end;
  }
  return [...parts, points.slice(at, last).join(""), last < points.length ? "…" : ""];
}
