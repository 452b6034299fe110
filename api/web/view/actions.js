// What one can do with a message: change it, delete it, mark what follows as unread, see what it held before.

import { may } from "../klatsch/permissions.js";
import { confirmed } from "./confirm.js";
import { fill, h } from "./dom.js";
import { summary, wholeTime } from "./format.js";
import { menu, popover } from "./popover.js";
import { tried } from "./toasts.js";

/** Types of messages whose text is changed in place. */
const TEXTS = new Set(["text", "action"]);

/** Whether a message is one that I can change here. */
export function editable(app, message) {
  const entry = app.store.state.rooms[message.room];
  const mine = message.author === app.user;
  return Boolean(entry) && TEXTS.has(message.type) && !message.deleted && may("EditMessage", entry, { mine });
}

export function messageActions(app, anchor, message) {
  const entry = app.store.state.rooms[message.room];
  const mine = message.author === app.user;
  const entries = [];
  if (editable(app, message)) entries.push({ label: "Edit", run: () => edit(app, message.id) });
  if (message.edited && !message.deleted) {
    entries.push({ label: "Show edits", run: () => showEdits(app, anchor, message.room, message.id) });
  }
  if (may("MarkRead", entry)) entries.push({ label: "Mark unread from here", run: () => app.markUnread(message) });
  entries.push({ label: "Show the event", run: () => app.showEvent(message) });
  if (!message.deleted && may("DeleteMessage", entry, { mine })) {
    entries.push({ label: "Delete", danger: true, run: () => remove(app, message) });
  }
  menu(anchor, `Message ${message.seq}`, entries);
}

/** Opens a message for changing in its place; null closes it. */
export function edit(app, id) {
  app.editing = id;
  app.store.changed();
}

async function remove(app, message) {
  const words = `“${shorten(summary(message, ""))}” will be gone for everybody. Its place in the conversation stays.`;
  if (!(await confirmed("Delete this message?", words, "Delete"))) return;
  await tried(() => app.api.do("DELETE", `/v1/rooms/${message.room}/messages/${message.id}`));
}

const shorten = (said) => (said.length > 120 ? `${[...said].slice(0, 119).join("")}…` : said);

/** What a message held before, the oldest first. */
export async function showEdits(app, anchor, room, id) {
  const list = h("ol", { class: "edits" }, h("li", { class: "hint" }, "Fetching…"));
  const note = popover(anchor, { class: "note", role: "dialog", "aria-label": "Earlier versions", tabindex: "-1" }, [
    h("h2", {}, "Earlier versions"),
    list,
  ]);
  note.box.focus();
  const done = await tried(async () => {
    const { message, revisions } = await app.api.get(`/v1/rooms/${room}/messages/${id}/edits`);
    fill(
      list,
      [...revisions, { ...message, created: message.edited }].map((one) => version(message.type, one)),
    );
  });
  if (done) note.place();
  else note.close();
}

function version(type, { content, created, revision }) {
  const when = h("time", { datetime: created }, wholeTime(created), revision ? " (now)" : "");
  return h("li", {}, when, h("p", {}, summary({ type, content }, "")));
}
