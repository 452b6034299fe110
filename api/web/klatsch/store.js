// The client's state with those who watch it: snapshots and deltas in, "something changed" out; saved for a reload.

import { emptyState, fold, fromSnapshot, include, refold, takePage } from "./fold.js";

/** Messages of a room that are kept over a reload; older ones are read again when somebody scrolls to them. */
const SAVED_MESSAGES = 60;

export class Store {
  #watchers = new Set();
  #listeners = new Set();
  #due = false;

  constructor(state = emptyState()) {
    this.state = state;
    /** How often the state was replaced by a snapshot: what was read before may have holes. */
    this.generation = 0;
    /** How often anything in the state changed: whether there is something to save. */
    this.revision = 0;
  }

  /** `watcher()` is called after changes, once for many that come together. Returns how to stop. */
  watch(watcher) {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** `listener(delta)` is called for each new delta. Returns how to stop. */
  listen(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The state anew, from `GET /v1/sync` or from a publication of type "snapshot"; `page` brings the rest. */
  replace(snapshot) {
    this.state = fromSnapshot(snapshot);
    this.generation += 1;
    this.#renewed();
  }

  /** One delta of the feed. `cursor` is its publication's offset: also a delta that is old news moves the place. */
  apply(delta, cursor) {
    const news = fold(this.state, delta);
    this.state.cursor = cursor;
    if (!news) return;
    for (const listener of this.#listeners) listener(delta);
    this.#renewed();
  }

  /** Views from the answer to a command: as new as can be. */
  learn(views) {
    include(this.state, views);
    this.#renewed();
  }

  /**
   * Reads views from the API and takes them over. What happens to them meanwhile is folded into them afterwards: the
   * answer may be older than a delta that found no entity to change.
   */
  read(views) {
    return this.#take(views, include);
  }

  /** The same of a page of the snapshot that the state began with. */
  page(page) {
    return this.#take(page, takePage);
  }

  async #take(views, into) {
    const { state } = this;
    const meanwhile = [];
    const stop = this.listen((delta) => meanwhile.push(delta));
    try {
      const found = await views;
      // A snapshot that came meanwhile is newer than the answer.
      if (state !== this.state) return found;
      into(state, found);
      for (const delta of meanwhile) refold(state, delta);
      this.#renewed();
      return found;
    } finally {
      stop();
    }
  }

  /** Something is to be drawn anew: the state, or what is shown beside it. */
  changed() {
    if (this.#due) return;
    this.#due = true;
    // Not an animation frame: a window in the background must keep its title's unread count.
    setTimeout(() => {
      this.#due = false;
      for (const watcher of this.#watchers) watcher();
    });
  }

  #renewed() {
    this.revision += 1;
    this.changed();
  }

  /** The state as text, for `restore`. */
  save() {
    const messages = {};
    for (const [room, all] of Object.entries(this.state.messages)) {
      const latest = Object.values(all)
        .sort((a, b) => b.seq - a.seq)
        .slice(0, SAVED_MESSAGES);
      messages[room] = Object.fromEntries(latest.map((message) => [message.id, message]));
    }
    return JSON.stringify({ ...this.state, messages });
  }

  static restore(text) {
    return new Store({ ...emptyState(), ...JSON.parse(text) });
  }
}
