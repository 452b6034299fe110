// The fold: what a snapshot and each event make true for this client. Pure bookkeeping on one plain object: no network,
// no DOM. An entity has a `version`, the offset of its latest event; of two views of one entity the higher version wins,
// so an event that is already in a view (`version` >= its offset) changes nothing.

import { GONE, ROOM_CHANGES } from "./contract.js";

/** All that a client holds. Every map is keyed by id; `messages` and `members` by room first. */
export function emptyState() {
  return {
    me: null,
    users: {},
    visuals: {},
    /** What I am to others, by their id. */
    relationships: {},
    /** Who holds me for a friend, by their id. */
    friendOf: {},
    /** Into which rooms I am invited, by room. */
    invitations: {},
    /** Rooms I am in: `{ room, member, peer? }`; `member` is mine, with `read`; `peer` the other of a direct room. */
    rooms: {},
    /** Members of rooms, as far as they were asked for. */
    members: {},
    messages: {},
    /** Shard -> next offset: everything below is in this state. */
    vector: {},
    /** Place in the feed up to which this state goes. */
    cursor: 0,
    epoch: "",
    /** Where the snapshot goes on that this state began with; null: all of it is here. */
    next: null,
  };
}

/** The state of a snapshot (`GET /v1/sync`), or of its first page. */
export function fromSnapshot(snapshot) {
  const state = emptyState();
  state.me = snapshot.me;
  state.vector = { ...snapshot.vector };
  state.cursor = snapshot.cursor;
  state.epoch = snapshot.epoch;
  takePage(state, snapshot);
  return state;
}

/**
 * Takes over what a page of a snapshot holds. A further page must have been asked for with this state's vector as
 * position, so that no event of this state is missing in it; events that came since are folded in afterwards (`refold`).
 */
export function takePage(state, page) {
  for (const user of page.users) keepUser(state, user);
  for (const one of page.relationships) keep(state.relationships, one.other, one);
  for (const one of page.friend_of) keep(state.friendOf, one.user, one);
  for (const one of page.invitations) keep(state.invitations, one.room, one);
  for (const entry of page.rooms) keepEntry(state, entry);
  state.next = page.next;
}

/** Adds one event. Returns false when the state has it already. */
export function fold(state, delta) {
  const { shard, offset } = place(delta.position);
  if (offset < (state.vector[shard] ?? 0)) return false;
  refold(state, delta);
  state.vector[shard] = offset + 1;
  return true;
}

/** Adds an event to views that may have been read before it: versions make that harmless. */
export function refold(state, delta) {
  FOLD[delta.type]?.(state, { ...delta, offset: place(delta.position).offset });
  // A copy: the views change from here on, the event does not.
  include(state, structuredClone(delta.include));
}

/** `rooms/3/1234` -> shard `rooms/3`, offset 1234. */
export function place(position) {
  const cut = position.lastIndexOf("/");
  return { shard: position.slice(0, cut), offset: Number(position.slice(cut + 1)) };
}

/** One row an event type. A type that is not here concerns no entity that this client shows. */
export const FOLD = {
  "user.registered": () => {},
  "user.profile_changed": (state, { stream, offset, data }) => {
    const changes = {};
    if (data.name !== null && data.name !== undefined) changes.name = data.name;
    if (data.data !== null && data.data !== undefined) changes.data = data.data;
    if (data.custom !== null && data.custom !== undefined) changes.custom = data.custom;
    // Empty: none any more.
    if (typeof data.avatar === "string") changes.avatar = data.avatar || null;
    if (typeof data.bio === "string") changes.bio = data.bio || null;
    change(profile(state, stream), offset, changes);
  },
  "user.email_changed": (state, { offset, time, data }) => {
    change(state.me, offset, { email: data.email, updated: time });
  },
  "user.email_abandoned": (state, { offset }) => change(state.me, offset, {}),
  "user.password_changed": (state, { offset }) => change(state.me, offset, {}),
  "user.seen": (state, { offset, data }) => {
    change(state.me, offset, { seen: later(state.me?.seen, data.seen) });
  },
  "user.visual_chosen": (state, { stream, offset, data }) => {
    change(profile(state, stream), offset, { visual: data.visual });
  },
  "user.added_by_chosen": (state, { offset, time, data }) => {
    change(state.me, offset, { added_by: data.added_by, updated: time });
  },
  "user.deactivated": (state, { stream, offset, time }) => {
    change(profile(state, stream), offset, { deactivated: time });
  },
  "user.reactivated": (state, { stream, offset }) => change(profile(state, stream), offset, { deactivated: null }),
  "session.used": () => {},
  "user.tokens_revoked": (state, { offset }) => change(state.me, offset, {}),
  "user.erased": (state, { stream, offset, time }) => {
    const view = profile(state, stream);
    // Nothing of the person is left; what they are called is a fixed word.
    const gone = { username: "", name: "Deleted user", visual: null, avatar: null, bio: null, data: {}, custom: {} };
    change(view, offset, { ...gone, deactivated: view?.deactivated ?? time, erased: view?.erased ?? time });
  },
  "user.erasure_noted": (state, { offset }) => change(state.me, offset, {}),
  "user.team_set": (state, { offset, time, data }) => change(state.me, offset, { team: data.team, updated: time }),
  "session.opened": (state, { stream, offset, time }) => {
    const user = profile(state, stream);
    const data = { ...user?.data, last_login: time };
    change(user, offset, { data, seen: later(user?.seen, time), updated: time });
  },
  "session.renewed": () => {},
  "session.closed": () => {},
  "visual.created": (state, { stream, offset, time, data }) => {
    const { visual: id, model_data, emotion_data } = data;
    const visual = { id, owner: stream, model_data, emotion_data, created: time, updated: time, version: offset };
    keep(state.visuals, id, visual);
  },
  "visual.changed": (state, { offset, time, data }) => {
    const changes = { updated: time };
    if (data.model_data) changes.model_data = data.model_data;
    if (data.emotion_data) changes.emotion_data = data.emotion_data;
    change(state.visuals[data.visual], offset, changes);
  },
  "relationship.set": (state, { stream, offset, time, data }) => {
    const mine = stream === state.me?.id;
    const map = mine ? state.relationships : state.friendOf;
    const key = mine ? data.other : stream;
    const before = map[key];
    if (before && before.version >= offset) return;
    const { other, type } = data;
    map[key] = { user: stream, other, type, created: before?.created ?? time, updated: time, version: offset };
    // Who blocks somebody no longer sees what that one is to them; it comes along when the block is lifted.
    if (mine && type === "block") delete state.friendOf[other];
  },
  "room.created": () => {},
  ...Object.fromEntries(ROOM_CHANGES.map((type) => [type, roomChanged])),
  "room.archived": roomIs("archived"),
  "room.unarchived": roomIs("active"),
  "room.deleted": roomIs("deleted"),
  "room.restored": roomIs("active"),
  "member.joined": (state, delta) => {
    const { stream, offset, time, data } = delta;
    answered(state, delta);
    const room = state.rooms[stream]?.room;
    const owner = data.role === "owner" ? data.user : room?.owner;
    const more = said(state, delta, "join", { user: data.user });
    changeRoom(state, stream, offset, { members: (room?.members ?? 0) + 1, owner, ...more });
    const read = data.seq ?? room?.seq ?? 0;
    const member = {
      room: stream,
      user: data.user,
      role: data.role,
      joined: time,
      read,
      read_at: time,
      custom: {},
      version: offset,
    };
    if (state.members[stream]) keep(state.members[stream], data.user, member);
    if (room?.type === "direct" && data.user !== state.me?.id) state.rooms[stream].peer = data.user;
  },
  // My own invitation comes along; who is asked into a direct room is the other of it.
  "member.invited": (state, { stream, data }) => {
    const entry = state.rooms[stream];
    if (entry?.room.type === "direct" && data.user !== state.me?.id) entry.peer ??= data.user;
  },
  "invitation.declined": (state, delta) => answered(state, delta),
  "invitation.withdrawn": (state, delta) => answered(state, delta),
  "member.left": (state, delta) => {
    const { stream, offset, data } = delta;
    if (data.user === state.me?.id) {
      // Not when the view says that I have come back since.
      if (state.rooms[stream]?.member.version < offset) forget(state, stream);
      return;
    }
    const room = state.rooms[stream]?.room;
    const owner = room?.owner === data.user ? null : room?.owner;
    // Before what is said, which moves the versions of who acts.
    const gone = state.members[stream]?.[data.user]?.version < offset;
    const more = said(state, delta, "leave", { user: data.user });
    changeRoom(state, stream, offset, { members: (room?.members ?? 1) - 1, owner, ...more });
    if (gone) delete state.members[stream][data.user];
  },
  "member.role_changed": (state, delta) => {
    const { stream, offset, data } = delta;
    const room = state.rooms[stream]?.room;
    const mine = data.user === state.me?.id ? state.rooms[stream]?.member : undefined;
    const listed = state.members[stream]?.[data.user];
    // Before the room's message about it, by which who acts has read so far: two changes of one event.
    for (const member of [mine, listed]) if (member && member.version < offset) member.role = data.role;
    const owner = data.role === "owner" ? data.user : room?.owner === data.user ? null : room?.owner;
    const more = said(state, delta, "system", { event: "role_changed", user: data.user, role: data.role });
    changeRoom(state, stream, offset, { owner, ...more });
    change(mine, offset, {});
    change(listed, offset, {});
  },
  "member.read": (state, { stream, offset, time, data }) => {
    const changes = { read: data.seq, read_at: time };
    if (data.user === state.me?.id) change(state.rooms[stream]?.member, offset, changes);
    change(state.members[stream]?.[data.user], offset, changes);
  },
  "member.notifications_set": (state, { stream, offset, data }) => {
    change(state.rooms[stream]?.member, offset, { notifications: data.notifications });
    change(state.members[stream]?.[state.me?.id], offset, {});
  },
  "member.custom_changed": (state, { stream, offset, data }) => {
    const { user, custom } = data;
    if (user === state.me?.id) change(state.rooms[stream]?.member, offset, { custom });
    change(state.members[stream]?.[user], offset, { custom });
  },
  "message.posted": (state, delta) => {
    const { stream, offset, data } = delta;
    const { type, content, token } = data;
    changeRoom(state, stream, offset, said(state, delta, type, content, token, data.data));
  },
  "message.edited": (state, { stream, offset, time, data }) => {
    const message = state.messages[stream]?.[data.message];
    const { content, data: more } = data;
    const revision = (message?.revision ?? 0) + 1;
    change(message, offset, { content, data: more, edited: time, updated: time, revision });
  },
  "message.deleted": (state, { stream, offset, time, data }) => {
    const changes = { content: {}, data: {}, deleted: time, updated: time };
    change(state.messages[stream]?.[data.message], offset, changes);
  },
  // What it holds comes along: nothing of it was left.
  "message.restored": () => {},
  "message.emotion_detected": (state, { stream, offset, time, data }) => {
    const message = state.messages[stream]?.[data.message];
    if (!message) return;
    const { emotion: before, ...others } = message.data;
    change(message, offset, { data: data.shown ? { ...others, emotion: data.emotion } : others, updated: time });
  },
  "message.pinned": pins(1),
  "message.unpinned": pins(-1),
};

/** My invitation into the event's room waits no more, unless it is a later one. */
function answered(state, { stream, offset, data }) {
  const mine = data.user === state.me?.id;
  if (mine && state.invitations[stream]?.version < offset) delete state.invitations[stream];
}

function roomChanged(state, { stream, offset, time, data }) {
  changeRoom(state, stream, offset, { ...data, updated: time });
}

function roomIs(to) {
  return (state, { stream, offset, time }) => {
    changeRoom(state, stream, offset, { state: to, updated: time });
  };
}

function pins(more) {
  return (state, { stream, offset }) => {
    changeRoom(state, stream, offset, { pins: (state.rooms[stream]?.room.pins ?? 0) + more });
  };
}

function changeRoom(state, room, offset, changes) {
  change(state.rooms[room]?.room, offset, changes);
  hide(state, room);
}

/** From its deletion on nothing is held of a room; all comes along when it is brought back. */
function hide(state, id) {
  const room = state.rooms[id]?.room;
  if (room?.state !== "deleted") return;
  Object.assign(room, structuredClone(GONE));
  delete state.messages[id];
  delete state.members[id];
}

/** The message that an event makes, if it makes one; returns what else of the room changes by it. */
function said(state, { stream, offset, time, actor, data }, type, content, token = "", more = {}) {
  const entry = state.rooms[stream];
  if (!entry || !data.message) return {};
  const { message: id, seq } = data;
  const own = { edited: null, deleted: null, revision: 0, version: offset };
  const times = { created: time, updated: time };
  keepMessage(state, { id, room: stream, seq, author: actor, token, type, content, data: more, ...times, ...own });
  // Who says something, or acts, has read what was said before.
  if (actor === state.me?.id) change(entry.member, offset, { read: seq, read_at: time });
  change(state.members[stream]?.[actor], offset, { read: seq, read_at: time });
  return { seq, last: id, updated: time };
}

/** Takes over views that came with an event or an answer of the API. */
export function include(state, views) {
  if (!views) return;
  if (views.room && views.member) keepEntry(state, views);
  else if (views.room) keepRoom(state, views.room);
  else if (views.member) keepMember(state, views.member);
  if (views.joined && state.members[views.joined.room])
    keep(state.members[views.joined.room], views.joined.user, views.joined);
  if (views.restored && state.messages[views.restored.room]?.[views.restored.id]) keepMessage(state, views.restored);
  if (views.invitation?.user === state.me?.id) keep(state.invitations, views.invitation.room, views.invitation);
  if (views.user) keepUser(state, views.user);
  for (const user of views.users ?? []) keepUser(state, user);
  if (views.friend_of) keep(state.friendOf, views.friend_of.user, views.friend_of);
  if (views.relationship) keep(state.relationships, views.relationship.other, views.relationship);
  if (views.visual) keep(state.visuals, views.visual.id, views.visual);
  for (const visual of views.visuals ?? []) keep(state.visuals, visual.id, visual);
  if (views.message) keepMessage(state, views.message);
  for (const message of views.messages ?? []) keepMessage(state, message);
  if (views.members) keepMembers(state, views.members);
}

/** Unread messages of a room: derived, so that it cannot drift. */
export function unread(entry) {
  return Math.max(0, entry.room.seq - entry.member.read);
}

export function keepUser(state, user) {
  if (user.id !== state.me?.id) return keep(state.users, user.id, user);
  // My own view has more: others see neither `updated` nor private data.
  if (user.version >= state.me.version && "updated" in user) state.me = user;
}

export function keepMessage(state, message) {
  keep((state.messages[message.room] ??= {}), message.id, message);
}

function keepEntry(state, { room, member, message, peer }) {
  state.rooms[room.id] ??= { room, member };
  if (peer) state.rooms[room.id].peer = peer;
  keepRoom(state, room);
  keepMember(state, member);
  if (message) keepMessage(state, message);
}

/** All members of a room, with their profiles. */
function keepMembers(state, members) {
  for (const { member, user } of members) {
    const known = (state.members[member.room] ??= {});
    keep(known, member.user, member);
    keepUser(state, user);
  }
}

function keepRoom(state, room) {
  const entry = state.rooms[room.id];
  if (entry && room.version >= entry.room.version) entry.room = room;
  hide(state, room.id);
}

/** My own membership: only that view has `notifications`. */
function keepMember(state, member) {
  const entry = state.rooms[member.room];
  if (entry && "notifications" in member && member.version >= entry.member.version) entry.member = member;
}

function keep(map, key, view) {
  if (!map[key] || map[key].version <= view.version) map[key] = view;
}

function change(entity, offset, changes) {
  if (entity && entity.version < offset) Object.assign(entity, changes, { version: offset });
}

/** The later of two times, the first of which may be missing: one fixed width, so text order is time order. */
function later(one, other) {
  return one && one > other ? one : other;
}

/** The profile that an event changes; none of whom I block, who shows as what came along with the block. */
function profile(state, user) {
  if (state.relationships[user]?.type === "block") return null;
  return user === state.me?.id ? state.me : state.users[user];
}

function forget(state, room) {
  delete state.rooms[room];
  delete state.members[room];
  delete state.messages[room];
}
