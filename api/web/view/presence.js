// Presence as people see it: a dot beside a face, and in words.

import { h, set } from "./dom.js";
import { ago } from "./format.js";

const WORDS = { online: "online", away: "away" };

/** The dot of a face; `drawDot` says what it shows. */
export function dot() {
  return h("span", { class: "dot", role: "img", hidden: true });
}

export function drawDot(app, element, user) {
  const status = user ? statusOf(app, user) : "offline";
  element.hidden = status === "offline";
  set(element, "data-status", status);
  set(element, "aria-label", WORDS[status] ?? null);
}

/** "online", "away" or "offline"; of oneself, what the connection says. */
export function statusOf(app, user) {
  if (user === app.user) return app.connection.state === "online" ? "online" : "offline";
  return app.signals.of(user).status;
}

/** "online", "away", "last seen 5 minutes ago"; empty when nothing is known. */
export function presenceWords(app, user) {
  const { status, active } = app.signals.of(user, { ask: true });
  if (WORDS[status]) return WORDS[status];
  return active ? `last seen ${ago(active)}` : "";
}

/** "Ada is typing…"; empty when nobody types. */
export function typingWords(app, room, name) {
  const names = app.signals
    .typing(room)
    .filter((user) => user !== app.user)
    .map(name);
  if (!names.length) return "";
  if (names.length === 1) return `${names[0]} is typing…`;
  if (names.length <= 3) return `${names.slice(0, -1).join(", ")} and ${names.at(-1)} are typing…`;
  return `${names.slice(0, 2).join(", ")} and ${names.length - 2} others are typing…`;
}
