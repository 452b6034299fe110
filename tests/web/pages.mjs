// Pages of a snapshot in the demo's store, with what happens while they are on their way. Run by test_pages.py.

import assert from "node:assert/strict";

import { Rest } from "../../api/web/klatsch/rest.js";
import { Store } from "../../api/web/klatsch/store.js";

function entry(id, more = {}) {
  const room = { id, type: "public", name: id, description: null, settings: {}, state: "active", data: {}, seq: 0 };
  const times = { last: null, members: 2, owner: null, created: "t", updated: "t", version: 5, ...more };
  const member = { room: id, user: "me", role: "member", joined: "t", read: 0, read_at: "t", version: 5 };
  return { room: { ...room, ...times }, member: { ...member, notifications: true }, unread: 0, message: null, peer: null };
}

function page(rooms, next, more = {}) {
  return { vector: { "rooms/0": 10 }, rooms, relationships: [], friend_of: [], invitations: [], users: [], next, ...more };
}

function first(next) {
  return page([entry("a")], next, { cursor: 1, epoch: "e", me: { id: "me", version: 1, data: {} } });
}

let place = 20;

function happens(type, stream, data, actor = "you") {
  const delta = { id: `${place}`, type, stream, position: `rooms/0/${place}`, time: "t2", actor, data };
  store.apply(delta, place);
  place += 1;
}

/** The next request: which page it asks for, and how it is answered. */
let asked;
const api = {
  get: (path, query) => new Promise((resolve) => (asked = { path, cursor: query.cursor, answer: resolve })),
};
const turn = () => new Promise((resolve) => setTimeout(resolve));
const rooms = () => Object.keys(store.state.rooms).sort();

const store = new Store();
store.replace(first("n1"));
const reading = new Rest(api, store).read();
assert.deepEqual([asked.path, asked.cursor], ["/v1/sync", "n1"]);

// The page is older than what happens while it is on its way.
happens("room.renamed", "b", { name: "New" });
happens("message.posted", "b", { message: "m", seq: 1, token: "t", type: "text", content: { text: "x" }, data: {} });
happens("member.left", "c", { user: "me" }, "me");
happens("room.deleted", "d", {});
const old = [entry("b"), entry("c"), entry("d", { name: "secret", data: { a: "secret" } })];
const friend = { user: "u", other: "me", type: "friend", version: 3 };
asked.answer(page(old, "n2", { friend_of: [friend], users: [{ id: "u", name: "U", version: 1 }] }));
await turn();
assert.deepEqual(rooms(), ["a", "b", "d"]);
assert.deepEqual([store.state.rooms.b.room.name, store.state.rooms.b.room.seq], ["New", 1]);
assert.equal(store.state.messages.b.m.content.text, "x");
assert.deepEqual([store.state.rooms.d.room.state, store.state.rooms.d.room.name], ["deleted", ""]);
assert.ok(!JSON.stringify(store.state).includes("secret"));
assert.deepEqual([store.state.friendOf.u.type, store.state.users.u.name], ["friend", "U"]);

// A snapshot that comes meanwhile has pages of its own; what was asked for before is not taken.
assert.equal(asked.cursor, "n2");
store.replace(first("m1"));
asked.answer(page([entry("z")], null));
await turn();
assert.deepEqual([asked.cursor, rooms()], ["m1", ["a"]]);
asked.answer(page([entry("y")], null));
await reading;
assert.deepEqual([rooms(), store.state.next], [["a", "y"], null]);
