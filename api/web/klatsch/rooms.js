// The rooms that I am in, as they are listed.

import { unread } from "./fold.js";

/** The rooms that are shown: a deleted one is gone, whatever is still known of it. */
export class Rooms {
  #store;

  constructor(store) {
    this.#store = store;
  }

  /** The entry of a room that I am in, or null. */
  mine(id) {
    const entry = this.#store.state.rooms[id];
    return entry && entry.room.state !== "deleted" ? entry : null;
  }

  /** All of them, the latest activity first; in the order of the server's list where times are equal. */
  all() {
    return Object.values(this.#store.state.rooms)
      .filter(({ room }) => room.state !== "deleted")
      .sort(({ room: a }, { room: b }) => ([a.updated, a.id] < [b.updated, b.id] ? 1 : -1));
  }

  /** Unread messages of all rooms that I want to be told of. */
  unread() {
    return this.all().reduce((sum, entry) => sum + (entry.member.notifications ? unread(entry) : 0), 0);
  }
}
