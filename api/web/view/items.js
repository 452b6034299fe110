// What the list of messages shows, in order: days, the line before what is new, notices, messages, those on their way.

import { dayName, sameDay } from "./format.js";
import { NOTICES } from "./notices.js";

/** Messages of one author that come within this time stand together, in ms. */
const TOGETHER = 5 * 60_000;

/**
 * Rows for `messages` and for `pending` ones of mine. `divider`: what was read up to when the room was opened, or null;
 * `readers`: ids by the sequence number of the last message that they have read.
 */
export function items(app, { messages, pending, divider, readers }) {
  const rows = [];
  let before = null;
  let said = null;
  let marked = divider === null || !messages.length || messages[0].seq > divider + 1;
  const add = (message, key, extra) => {
    if (before?.seq && message.seq > before.seq + 1) {
      rows.push({ kind: "gap", key: `gap ${message.seq}` });
      before = null;
    }
    if (!before || !sameDay(before.created, message.created)) {
      const day = new Date(message.created).toDateString();
      if (day !== said) rows.push({ kind: "day", key: `day ${day}`, label: dayName(message.created) });
      said = day;
      before = null;
    }
    if (!marked && message.seq > divider) {
      marked = true;
      rows.push({ kind: "new", key: "new" });
      before = null;
    }
    const kind = NOTICES.has(message.type) ? "notice" : "message";
    rows.push({ kind, key, message, lead: !continues(before, message), readers: readers.get(message.seq), ...extra });
    before = message;
  };
  for (const message of messages) {
    // The same key before and after it has a number, so that the row stays when a message of mine arrives: the
    // client_id, which messages have as `token`.
    const mine = message.author === app.user && message.token;
    add(message, mine ? message.token : message.id, { state: "sent" });
  }
  for (const entry of pending) {
    const message = { ...entry, author: app.user, data: {}, seq: null };
    add(message, entry.client_id, { state: entry.state, detail: entry.detail });
  }
  return rows;
}

function continues(before, message) {
  if (!before || before.author !== message.author || NOTICES.has(before.type)) return false;
  if ((before.data.emotion ?? null) !== (message.data.emotion ?? null)) return false;
  return new Date(message.created) - new Date(before.created) < TOGETHER;
}

/** Who has read how far: for each message that is the last one somebody has read, their ids. Not of what they wrote. */
export function readersOf(app, messages, members) {
  const found = new Map();
  if (!messages.length) return found;
  for (const { user, read } of Object.values(members)) {
    if (user === app.user || read < messages[0].seq) continue;
    const last = messages.findLast((message) => message.seq <= read);
    if (last.author === user && !NOTICES.has(last.type)) continue;
    if (!found.has(last.seq)) found.set(last.seq, []);
    found.get(last.seq).push(user);
  }
  return found;
}
