// What a view names and the state does not have yet, fetched once and in as few requests as possible.

/** Ids that `GET /v1/users?ids=` and `GET /v1/visuals?ids=` take at most. */
const IDS = 100;
/** Members of one page. */
const MEMBERS = 100;

export class Lookups {
  #asked = new Set();
  /** What the next request is to name, by path. */
  #waiting = new Map();
  /** Room -> where its list of members goes on. */
  #cursors = new Map();
  #generation = 0;

  constructor(api, store, onProblem) {
    this.api = api;
    this.store = store;
    this.onProblem = onProblem;
    // A room whose page of the snapshot has not come yet comes when something happens in it.
    store.listen(({ type, stream }) => {
      if (type !== "message.posted" || store.state.rooms[stream] || store.state.next === null) return;
      this.#once(`room ${stream}`, () => this.#views(`/v1/rooms/${stream}`));
    });
  }

  /** A user's view, or null while it is fetched. */
  user(id) {
    const { me, users } = this.store.state;
    if (id === me?.id) return me;
    if (!users[id]) this.#together("/v1/users", id);
    return users[id] ?? null;
  }

  /** The visual that a user has linked; null when there is none, or while it is fetched. */
  visual(user) {
    const id = user?.visual;
    if (!id) return null;
    const found = this.store.state.visuals[id];
    if (!found) this.#together("/v1/visuals", id);
    return found ?? null;
  }

  /** The members of a room by user id, the first page of them; null while they are fetched. */
  members(room) {
    const found = this.store.state.members[room];
    if (!found) this.moreMembers(room);
    return found ?? null;
  }

  /** Whether there are members beyond those fetched. */
  hasMoreMembers(room) {
    return Boolean(this.#cursors.get(room));
  }

  /** Fetches the next page of members. */
  moreMembers(room) {
    const fetch = async () => {
      const cursor = this.store.state.members[room] ? this.#cursors.get(room) : null;
      const page = await this.#views(`/v1/rooms/${room}/members`, { cursor, limit: MEMBERS });
      this.#cursors.set(room, page.next);
      this.store.changed();
    };
    return this.#once(`members ${room}`, fetch, { again: true });
  }

  /** The other person in a direct room, or null while it is looked up. */
  peer(room) {
    const { me, messages, rooms } = this.store.state;
    if (rooms[room]?.peer) return this.user(rooms[room].peer);
    const author = Object.values(messages[room] ?? {}).find((message) => message.author !== me.id)?.author;
    const other = author ?? Object.keys(this.members(room) ?? {}).find((user) => user !== me.id);
    return other ? this.user(other) : null;
  }

  /** Reads views into the store; null when that failed, which is then told. */
  async read(path, query) {
    let answer = null;
    await this.#quietly(async () => (answer = await this.#views(path, query)));
    return answer;
  }

  /** A read that includes at least what the deltas have brought to this state. */
  #views(path, query = {}) {
    return this.store.read(this.api.get(path, query, this.store.state.vector));
  }

  #first(what) {
    if (this.#generation !== this.store.generation) {
      this.#generation = this.store.generation;
      this.#asked.clear();
    }
    if (this.#asked.has(what)) return false;
    this.#asked.add(what);
    return true;
  }

  /** Runs `work` unless it was asked for before; after a failure, or with `again`, it may be asked for once more. */
  async #once(what, work, { again = false } = {}) {
    if (!this.#first(what)) return;
    const done = await this.#quietly(work);
    if (!done || again) this.#asked.delete(what);
  }

  async #quietly(work) {
    try {
      await work();
      return true;
    } catch (problem) {
      // What is not for this user to see stays unknown; everything else is worth telling.
      if (problem.code === "not_found") return true;
      this.onProblem(problem);
      return false;
    }
  }

  /** Asks for what is named in one go, of some kind, with one request. */
  #together(path, id) {
    if (!this.#first(`${path} ${id}`)) return;
    const waiting = this.#waiting.get(path);
    if (waiting) return waiting.push(id);
    this.#waiting.set(path, [id]);
    setTimeout(() => this.#fetch(path));
  }

  #fetch(path) {
    const ids = this.#waiting.get(path);
    this.#waiting.delete(path);
    for (let start = 0; start < ids.length; start += IDS) {
      const part = ids.slice(start, start + IDS);
      this.#quietly(() => this.#views(path, { ids: part.join(",") })).then((done) => {
        if (!done) for (const id of part) this.#asked.delete(`${path} ${id}`);
      });
    }
  }
}
