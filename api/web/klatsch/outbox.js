// Messages on their way: each with a `client_id` made here, so that sending one again, after a lost answer, a restart of the
// server or a reload of the page, never makes a second message. One at a time a room, so that order is kept.

import { newKey } from "./api.js";

/** Pause before the next attempt while the connection stands but the server cannot take the message, in ms. */
const PAUSE = 1000;

export class Outbox {
  #busy = new Set();
  #connection = null;
  #changed;

  /** `entries` of an earlier page; `changed(entries)` after each change. */
  constructor(entries, changed) {
    /** `{ client_id, room, type, content, created, state, detail }`, oldest first; state is "sending" or "failed". */
    // What a page of an older version has left has it as `token`.
    this.entries = entries.map(({ token, ...entry }) => ({ client_id: token, ...entry }));
    this.#changed = changed;
  }

  attach(connection, store) {
    this.#connection = connection;
    this.store = store;
    store.listen(({ type, data }) => type === "message.posted" && this.#arrived(data.token)); // its client_id, as events have it
  }

  of(room) {
    return this.entries.filter((entry) => entry.room === room);
  }

  send(room, type, content) {
    const created = new Date().toISOString();
    this.entries.push({ client_id: newKey(), room, type, content, created, state: "sending", detail: "" });
    this.#tell();
    this.#flush(room);
  }

  retry(client_id) {
    const entry = this.entries.find((one) => one.client_id === client_id);
    if (!entry) return;
    Object.assign(entry, { state: "sending", detail: "" });
    this.#tell();
    this.#flush(entry.room);
  }

  discard(client_id) {
    this.entries = this.entries.filter((entry) => entry.client_id !== client_id);
    this.#tell();
  }

  /** Call it when the connection is there (again). */
  flush() {
    for (const room of new Set(this.entries.map((entry) => entry.room))) this.#flush(room);
  }

  async #flush(room) {
    if (this.#busy.has(room) || this.#connection?.state !== "online") return;
    this.#busy.add(room);
    let again = false;
    for (let entry; (entry = this.#next(room));) {
      const { client_id, type, content } = entry;
      try {
        const { message } = await this.#connection.rpc("messages.send", { room, client_id, type, content });
        this.store.learn({ message });
        this.#arrived(client_id);
      } catch (problem) {
        again = problem.retryable === true;
        if (again) break;
        Object.assign(entry, { state: "failed", detail: problem.detail ?? problem.message });
        this.#tell();
      }
    }
    this.#busy.delete(room);
    if (again) setTimeout(() => this.#flush(room), PAUSE);
  }

  #next(room) {
    return this.entries.find((entry) => entry.room === room && entry.state === "sending");
  }

  #arrived(client_id) {
    if (this.entries.some((entry) => entry.client_id === client_id)) this.discard(client_id);
  }

  #tell() {
    this.#changed(this.entries);
  }
}
