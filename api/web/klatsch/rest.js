// The rest of a snapshot: its pages after the first one, read one after the other until all is here.

/** Pause before a page is asked for again, in ms. */
const AGAIN = 2000;

export class Rest {
  #api;
  #store;
  #running = false;

  constructor(api, store) {
    this.#api = api;
    this.#store = store;
    this.stopped = false;
  }

  /** Reads what is not here yet; nothing when all is, or when that is under way. */
  async read() {
    if (this.#running) return;
    this.#running = true;
    try {
      while (!this.stopped && this.#store.state.next !== null) await this.#page();
    } finally {
      this.#running = false;
    }
  }

  async #page() {
    const { state } = this.#store;
    try {
      await this.#store.page(this.#api.get("/v1/sync", { cursor: state.next }, state.vector));
    } catch (problem) {
      // A cursor that is not understood: of a state that an older version saved. Deltas and look-ups bring the rest.
      if (problem.status === 422) state.next = null;
      else if (problem.status === 401) this.stopped = true;
      else await new Promise((resolve) => setTimeout(resolve, AGAIN));
    }
  }
}
