// Signals: what is so just now and is kept nowhere. Who is present, who types, who has a room open; and saying the same
// of oneself. Beside the store, because no snapshot has it and nothing repeats it: it ages, and goes with the connection.

/** How long somebody types after the last word of it, in ms: the server's 5 s, and a moment for the way. */
const TYPING = 6000;
/** Pause between two signals that one still types, in ms: well below the server's 5 s. */
const TYPES_AGAIN = 3000;
/** How long after a message typing is not told, in ms: the server takes it for what came before the message. */
const POSTED = 700;
/** Pause between two signals that the page is used, in ms: well below the 5 minutes after which one is away. */
const USED_AGAIN = 60_000;
/** Ids that `GET /v1/presence` takes at most. */
const IDS = 100;
/** Members of a room above which presence and reading positions are not told; presence can be asked for. */
export const NAMED = 256;
/** Pause between two questions about a large room, in ms. */
const ROOM_AGAIN = 30_000;

const OFFLINE = { status: "offline", active: null, room: null };

export class Signals {
  #api;
  #store;
  #connection = null;
  #presence = new Map();
  #typing = new Map();
  #watching = new Map();
  #online = new Map();
  #asked = new Set();
  #due = new Set();
  /** The room in front; what the server was last told. */
  #front = null;
  #used = -Infinity;
  #typed = { room: null, at: -Infinity };
  #timer = null;

  constructor(api, store) {
    this.#api = api;
    this.#store = store;
    // Who has posted has ceased to type.
    store.listen(({ type, stream, actor }) => {
      const typing = type === "message.posted" && this.#typing.get(stream);
      if (typing)
        this.#types(
          stream,
          typing.users.filter((user) => user !== actor),
        );
    });
  }

  attach(connection) {
    this.#connection = connection;
  }

  /** A publication without a place: `{ signal, ... }`. One of an unknown kind is left to a newer client. */
  take(data) {
    if (data.signal === "presence") for (const one of data.users) this.#keep(one);
    else if (data.signal === "typing") this.#types(data.room, data.users);
    else if (data.signal === "watching") this.#watching.set(data.room, data);
    this.#store.changed();
  }

  /** The connection stands: nothing is known yet, and nobody knows what this client shows. */
  connected() {
    this.lost();
    this.#tellFront();
    if (this.#front) this.#askRoom();
  }

  /** Without a connection nothing of all this can be known. */
  lost() {
    for (const { timer } of this.#typing.values()) clearTimeout(timer);
    for (const map of [this.#presence, this.#typing, this.#watching, this.#online]) map.clear();
    this.#asked.clear();
    clearTimeout(this.#timer);
    this.#store.changed();
  }

  /** `{ status, active, room }` of a user, as far as it was told; with `ask`, what was not told is asked for once. */
  of(user, { ask = false } = {}) {
    const found = this.#presence.get(user);
    if (ask && !found?.active && !this.#asked.has(user)) this.#ask(user);
    return found ?? OFFLINE;
  }

  /** Who types in a room, ids. */
  typing(room) {
    return this.#typing.get(room)?.users ?? [];
  }

  /** `{ count, users }` of those who have a room open; null while it is not known. */
  watching(room) {
    return this.#watching.get(room) ?? null;
  }

  /** How many members of a room are there; `members` are those known of a small one. */
  online(room, members) {
    const all = Object.keys(members ?? {});
    // Of a small room each is told; in a large one, or while not all members are known, the count is asked for.
    if (room.members > NAMED || all.length < room.members) return this.#online.get(room.id) ?? null;
    return all.filter((user) => this.#here(user)).length;
  }

  /** The room that is in front of the user, or null; says so to the server when it is another. */
  show(room) {
    if (room === this.#front) return;
    this.#front = room;
    this.#tellFront();
    clearTimeout(this.#timer);
    if (room) this.#askRoom();
  }

  /** The page is used. */
  used() {
    if (performance.now() - this.#used > USED_AGAIN) this.#tellFront();
  }

  /** One types in a room, or has ceased to. */
  type(room, typing) {
    const { room: before, at } = this.#typed;
    const told = before === room && performance.now() - at < TYPES_AGAIN;
    if (typing ? told : before !== room) return;
    this.#typed = { room: typing ? room : null, at: performance.now() };
    this.#send("signals.type", { room, typing });
  }

  /** What one wrote was sent: the others see it end with the message, and a word right after it would seem older. */
  posted(room) {
    this.#typed = { room, at: performance.now() - TYPES_AGAIN + POSTED };
  }

  /** Who has gone was last active when it was last told. */
  #keep(one) {
    this.#presence.set(one.user, { ...one, active: one.active ?? this.#presence.get(one.user)?.active ?? null });
  }

  #here(user) {
    return user === this.#store.state.me?.id || this.of(user).status !== "offline";
  }

  #types(room, users) {
    clearTimeout(this.#typing.get(room)?.timer);
    this.#typing.delete(room);
    const end = () => (this.#typing.delete(room), this.#store.changed());
    if (users.length) this.#typing.set(room, { users, timer: setTimeout(end, TYPING) });
  }

  #tellFront() {
    this.#used = performance.now();
    this.#send("presence.set", { room: this.#front });
  }

  async #send(method, fields) {
    if (this.#connection?.state !== "online") return;
    try {
      await this.#connection.rpc(method, fields);
    } catch {
      // A signal that is lost is not worth a word: the next one says the same.
    }
  }

  /** Who has the room open, and how many are there; in a large room again and again, because nobody tells. */
  async #askRoom() {
    const room = this.#front;
    const found = await this.#read(`/v1/rooms/${room}/presence`, {});
    if (!found || room !== this.#front) return;
    this.#online.set(room, found.count);
    this.#watching.set(room, { count: found.watchers, users: found.watching });
    this.#store.changed();
    const large = (this.#store.state.rooms[room]?.room.members ?? 0) > NAMED;
    if (large) this.#timer = setTimeout(() => this.#askRoom(), ROOM_AGAIN);
  }

  #ask(user) {
    this.#asked.add(user);
    if (!this.#due.size) setTimeout(() => this.#askUsers());
    this.#due.add(user);
  }

  async #askUsers() {
    const ids = [...this.#due];
    this.#due.clear();
    for (let start = 0; start < ids.length; start += IDS) {
      const found = await this.#read("/v1/presence", { users: ids.slice(start, start + IDS).join(",") });
      // What was told meanwhile is newer.
      for (const one of found?.presence ?? []) {
        if (this.of(one.user).status === "offline") this.#keep(one);
      }
    }
    this.#store.changed();
  }

  async #read(path, query) {
    if (this.#connection?.state !== "online") return null;
    try {
      return await this.#api.get(path, query);
    } catch {
      // Unknown, as it was; the next connection asks again.
      return null;
    }
  }
}
