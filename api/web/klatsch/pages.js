// The messages of rooms as far as they were read: unbroken runs of them, and the pages that make the runs longer.

/** Messages of one page. */
const PAGE = 50;

export class Pages {
  #store;
  #read;
  /** Room -> a page that is under way. */
  #busy = new Map();
  /** Room -> its known messages in order, by id; made anew when there are others. */
  #order = new Map();
  /** Messages ("room seq") before which a page had nothing up to the next known one: what is between is archived. */
  #joined = new Set();

  /** `read(path, query)` reads views into the store; it gives the answer, or null when that failed. */
  constructor(store, read) {
    this.#store = store;
    this.#read = read;
  }

  /**
   * The unbroken run of a room's messages that holds `at`, or the latest without it; and whether there are `older` and
   * `newer` ones than the run has.
   */
  run(room, at = null) {
    const known = this.#known(room);
    const end = this.#store.state.rooms[room]?.room.seq ?? 0;
    let place = known.length - 1;
    if (at !== null) while (place > 0 && known[place].seq > at) place -= 1;
    let [from, to] = [place, place + 1];
    while (from > 0 && this.#follows(room, known[from - 1], known[from])) from -= 1;
    while (to < known.length && this.#follows(room, known[to - 1], known[to])) to += 1;
    const run = known.slice(Math.max(0, from), to);
    const oldest = run[0]?.seq ?? end + 1;
    return { run, older: oldest > 1 && !this.#joined.has(`${room} ${oldest}`), newer: (run.at(-1)?.seq ?? end) < end };
  }

  message(room, seq) {
    return this.#known(room).find((message) => message.seq === seq) ?? null;
  }

  /** Fetches the page before a message, or the latest; the same promise while one is under way. */
  older(room, before = null) {
    return this.#page(room, { before }, ({ messages }) => {
      // Nothing that follows on: an archived month lies between, or before everything.
      if (before !== null && messages.at(-1)?.seq !== before - 1) this.#joined.add(`${room} ${before}`);
    });
  }

  /** Fetches the page after a message. */
  newer(room, after) {
    return this.#page(room, { after }, ({ messages: [first] }) => {
      if (first && first.seq !== after + 1) this.#joined.add(`${room} ${first.seq}`);
    });
  }

  /** Fetches the page around a message. */
  around(room, seq) {
    return this.#page(room, { around: seq }, () => {});
  }

  #page(room, place, learn) {
    if (!this.#busy.has(room)) {
      const page = this.#read(`/v1/rooms/${room}/messages`, { ...place, limit: PAGE })
        .then((answer) => answer && learn(answer))
        .finally(() => this.#busy.delete(room));
      this.#busy.set(room, page);
    }
    return this.#busy.get(room);
  }

  #known(room) {
    const all = this.#store.state.messages[room] ?? {};
    const ids = Object.keys(all);
    let found = this.#order.get(room);
    if (found?.all !== all || found.ids.length !== ids.length) {
      found = { all, ids: ids.sort((a, b) => all[a].seq - all[b].seq) };
      this.#order.set(room, found);
    }
    return found.ids.map((id) => all[id]);
  }

  #follows(room, one, next) {
    return next.seq === one.seq + 1 || this.#joined.has(`${room} ${next.seq}`);
  }
}
