// Messages on their way: each with a token made here, so that sending one again, after a lost answer, a restart of the
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
    /** `{ token, room, type, content, created, state, detail }`, oldest first; state is "sending" or "failed". */
    this.entries = entries;
    this.#changed = changed;
  }

  attach(connection, store) {
    this.#connection = connection;
    this.store = store;
    store.listen(({ type, data }) => type === "message.posted" && this.#arrived(data.token));
  }

  of(room) {
    return this.entries.filter((entry) => entry.room === room);
  }

  send(room, type, content) {
    const created = new Date().toISOString();
    this.entries.push({ token: newKey(), room, type, content, created, state: "sending", detail: "" });
    this.#tell();
    this.#flush(room);
  }

  retry(token) {
    const entry = this.entries.find((one) => one.token === token);
    if (!entry) return;
    Object.assign(entry, { state: "sending", detail: "" });
    this.#tell();
    this.#flush(entry.room);
  }

  discard(token) {
    this.entries = this.entries.filter((entry) => entry.token !== token);
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
      const { token, type, content } = entry;
      try {
        const { message } = await this.#connection.rpc("messages.send", { room, token, type, content });
        this.store.learn({ message });
        this.#arrived(token);
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

  #arrived(token) {
    if (this.entries.some((entry) => entry.token === token)) this.discard(token);
  }

  #tell() {
    this.#changed(this.entries);
  }
}
