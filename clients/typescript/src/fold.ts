// What a snapshot and the deltas after it make true. Pure: no network, no clock.
//
// 1. A delta whose offset is below the vector's for its shard is in the state already; each delta moves the vector.
// 2. An entity's `version` is the offset of its latest event. Of two views of one entity the higher version stays, and an
//    event at or below it is in it: views that come along (`include`) may be newer than the delta.
// 3. What happens in a room that is not held is not for this state: it was left, or comes with the next join.
// 4. What was received while a further page was on its way is folded once more after it (`refold`).

import { GONE, ROOM_CHANGES } from "./contract.js";
import type { Delta, DeltaInclude, Entry, Invitation, Member, MemberWithUser, Message, Presence } from "./contract.js";
import type { Relationship, Room, RoomChange, RoomMember, Self, Snapshot, SyncGetAnswer, User } from "./contract.js";

/** Messages that are held of a room: the latest ones. Older ones are read with `rpc.messages.read`. */
export const HELD = 200;

export type RoomEntry = {
  room: Room;
  /** The own membership, with `read`. */
  member: Member;
  /** The other person of a direct room. */
  peer: string | null;
  /** The last message, and those that came since the snapshot, by `seq`; at most HELD. */
  messages: Message[];
  /** All members, by user, once `client.members` was asked for them. */
  members: Record<string, RoomMember> | null;
};

/** Plain JSON: it may be stored, and given to a later client. */
export type State = {
  me: Self;
  /** Profiles of others, by id. */
  users: Record<string, User>;
  /** What I am to others, by their ids. */
  relationships: Record<string, Relationship>;
  /** Who holds me for a friend, by their ids. */
  friendOf: Record<string, Relationship>;
  /** By room. */
  invitations: Record<string, Invitation>;
  rooms: Record<string, RoomEntry>;
  /** Who is there, by user; whoever is missing is offline. */
  presence: Record<string, Presence>;
  /** Who types, by room. */
  typing: Record<string, string[]>;
  /** Who has a room open that is open here, by room. */
  watching: Record<string, { count: number; users: string[] }>;
  /** Who is in the live channels that this connection watches, by channel. */
  channels: Record<number, ChannelMember[]>;
  /** Next offset of each shard: everything below is in this state. */
  vector: Record<string, number>;
  /** Place in the stream up to which this state goes. */
  cursor: number;
  epoch: string;
  /** Where the snapshot goes on; null: all of it is here. */
  next: string | null;
};

/** Somebody in a live channel: username, user id, and the number that stands in what they say. */
export type ChannelMember = { id: string; user: string; number: number | null };

type Of<T extends Delta["type"]> = Extract<Delta, { type: T }>;
type Rule<T extends Delta["type"]> = (state: State, delta: Of<T>, offset: number) => void;

/** Unread messages of a room: derived, so that it cannot drift. */
export function unread(entry: RoomEntry): number {
  return Math.max(0, entry.room.seq - entry.member.read);
}

/** The state of a snapshot, or of its first page. */
export function fromSnapshot(snapshot: Snapshot): State {
  const { me, vector, cursor, epoch } = structuredClone(snapshot);
  const state: State = {
    me, users: {}, relationships: {}, friendOf: {}, invitations: {}, rooms: {},
    presence: {}, typing: {}, watching: {}, channels: {}, vector, cursor, epoch, next: null,
  };
  takePage(state, snapshot);
  return state;
}

/** Takes in what a page of the snapshot holds. */
export function takePage(state: State, page: Snapshot | SyncGetAnswer): void {
  const found = structuredClone(page);
  for (const user of found.users) keep(state.users, user.id, user);
  for (const one of found.relationships) keep(state.relationships, one.other, one);
  for (const one of found.friend_of) keep(state.friendOf, one.user, one);
  for (const one of found.invitations) keep(state.invitations, one.room, one);
  for (const entry of found.rooms) enter(state, entry);
  state.next = found.next;
}

/** Takes all members of a room in. */
export function takeMembers(state: State, entry: RoomEntry, found: MemberWithUser[]): void {
  entry.members = {};
  for (const { member, user } of structuredClone(found)) {
    entry.members[member.user] = member;
    if (user.id !== state.me.id) keep(state.users, user.id, user);
  }
}

/** Whether a delta is in the state already. */
export function has(state: State, delta: Delta): boolean {
  const { shard, offset } = place(delta.position);
  return offset < (state.vector[shard] ?? 0);
}

/** Takes one delta in; false when the state has it already. */
export function fold(state: State, delta: Delta): boolean {
  if (has(state, delta)) return false;
  const { shard, offset } = place(delta.position);
  state.vector[shard] = offset + 1;
  refold(state, delta);
  return true;
}

/** Folds a delta into entities that may have come after it: versions make that harmless. */
export function refold(state: State, delta: Delta): void {
  const told = structuredClone(delta);
  // A newer server may tell of what this client does not know.
  const rule = FOLD[told.type] as ((state: State, delta: Delta, offset: number) => void) | undefined;
  rule?.(state, told, place(told.position).offset);
  const { user, users = [] } = told.include ?? {};
  for (const one of user ? [...users, user] : users) if (one.id !== state.me.id) keep(state.users, one.id, one);
}

/** `rooms/3/1234` -> shard `rooms/3`, offset 1234. */
function place(position: string): { shard: string; offset: number } {
  const cut = position.lastIndexOf("/");
  return { shard: position.slice(0, cut), offset: Number(position.slice(cut + 1)) };
}

function nothing(): void {}

/** One rule a type of delta: the compiler names a missing one, and one that cannot take what its delta holds. */
const FOLD: { [T in Delta["type"]]: Rule<T> } = {
  "user.registered": nothing,
  "user.profile_changed": (state, delta, offset) => {
    const { name, data, avatar, bio, custom } = delta.data;
    profile(state, delta, offset, {
      ...(name != null && { name }),
      ...(data != null && { data }),
      // Empty: none any more.
      ...(avatar != null && { avatar: avatar || null }),
      ...(bio != null && { bio: bio || null }),
      ...(custom != null && { custom }),
    });
  },
  "user.email_changed": (state, { data: { email }, time }, offset) => change(state.me, offset, { email, updated: time }),
  "user.email_abandoned": (state, _, offset) => change(state.me, offset, {}),
  "user.password_changed": (state, _, offset) => change(state.me, offset, {}),
  "user.seen": (state, { data }, offset) => change(state.me, offset, { seen: later(state.me.seen, data.seen) }),
  "user.visual_chosen": (state, delta, offset) => profile(state, delta, offset, { visual: delta.data.visual }),
  "user.added_by_chosen": (state, { data: { added_by }, time }, offset) =>
    change(state.me, offset, { added_by, updated: time }),
  "user.deactivated": (state, delta, offset) => profile(state, delta, offset, { deactivated: delta.time }),
  "user.reactivated": (state, delta, offset) => profile(state, delta, offset, { deactivated: null }),
  "user.tokens_revoked": (state, _, offset) => change(state.me, offset, {}),
  "user.erased": erased,
  "user.erasure_noted": (state, _, offset) => change(state.me, offset, {}),
  "user.team_set": (state, { data: { team }, time }, offset) => change(state.me, offset, { team, updated: time }),
  "session.opened": ({ me }, { time }, offset) =>
    change(me, offset, { seen: later(me.seen, time), updated: time, data: { ...me.data, last_login: time } }),
  "session.renewed": nothing,
  "session.used": nothing,
  "session.closed": nothing,
  "relationship.set": (state, { stream: user, data: { other, type }, time, include }, offset) => {
    const mine = user === state.me.id;
    const [views, far] = mine ? [state.relationships, other] : [state.friendOf, user];
    keep(views, far, { user, other, type, created: time, updated: time, version: offset });
    if (views[far]?.type === null) delete views[far];
    // Who blocks somebody no longer sees what that one is to them; it comes along when the block is lifted.
    if (mine && type === "block") delete state.friendOf[far];
    if (include?.friend_of) keep(state.friendOf, far, include.friend_of);
  },
  "visual.created": nothing,
  "visual.changed": nothing,
  "room.created": nothing,
  ...roomChanges(),
  "room.archived": roomIs("archived"),
  "room.unarchived": roomIs("active"),
  "room.deleted": roomIs("deleted"),
  "room.restored": roomIs("active"),
  "member.invited": (state, { stream, data, include }) => {
    const entry = state.rooms[stream];
    if (include?.invitation) keep(state.invitations, stream, include.invitation);
    // Who is asked into a direct room is the other of it.
    else if (data.user !== state.me.id && entry?.room.type === "direct") entry.peer ??= data.user;
  },
  "invitation.declined": answered,
  "invitation.withdrawn": answered,
  "member.joined": (state, delta, offset) => {
    const { user, role } = delta.data;
    if (user === state.me.id) {
      answered(state, delta, offset);
      const { room, member, message = null, peer = null } = delta.include ?? {};
      // Without them the user has left again since.
      if (room && member) enter(state, { room, member, message, peer });
      return;
    }
    const entry = state.rooms[delta.stream];
    if (!entry) return;
    const more = said(state, entry, delta, offset, "join", { user });
    const owner = role === "owner" ? user : entry.room.owner;
    changeRoom(entry, offset, { members: entry.room.members + 1, owner, ...more });
    if (entry.room.type === "direct") entry.peer = user;
    const { stream: room, time } = delta;
    const read = delta.data.seq ?? entry.room.seq;
    const made = { room, user, role, joined: time, read, read_at: time, custom: {}, version: offset };
    if (entry.members) keep(entry.members, user, delta.include?.joined ?? made);
  },
  "member.left": (state, delta, offset) => {
    const { user } = delta.data;
    const entry = state.rooms[delta.stream];
    if (!entry) return;
    if (user === state.me.id) {
      // Not when the membership that is held is one of a later join.
      if (entry.member.version < offset) delete state.rooms[delta.stream];
      return;
    }
    // Before what is said, which moves the versions of who acts.
    const gone = listed(entry, user).some((view) => view.version < offset);
    const more = said(state, entry, delta, offset, "leave", { user });
    const owner = entry.room.owner === user ? null : entry.room.owner;
    changeRoom(entry, offset, { members: entry.room.members - 1, owner, ...more });
    if (gone) delete entry.members?.[user];
  },
  "member.role_changed": (state, delta, offset) => {
    const { user, role } = delta.data;
    const entry = state.rooms[delta.stream];
    if (!entry) return;
    // Before what is said, which moves the versions of who acts.
    const views = [...(user === state.me.id ? [entry.member] : []), ...listed(entry, user)];
    for (const view of views) if (view.version < offset) view.role = role;
    const more = said(state, entry, delta, offset, "system", { event: "role_changed", user, role });
    const before = entry.room.owner;
    changeRoom(entry, offset, { owner: role === "owner" ? user : before === user ? null : before, ...more });
    for (const view of views) change(view, offset, {});
  },
  "member.read": (state, { stream, data: { user, seq: read }, time: read_at }, offset) => {
    const entry = state.rooms[stream];
    if (!entry) return;
    if (user === state.me.id) change(entry.member, offset, { read, read_at });
    for (const view of listed(entry, user)) change(view, offset, { read, read_at });
  },
  "member.notifications_set": (state, { stream, data: { notifications } }, offset) => {
    const entry = state.rooms[stream];
    if (!entry) return;
    change(entry.member, offset, { notifications });
    for (const view of listed(entry, state.me.id)) change(view, offset, {});
  },
  "member.custom_changed": (state, { stream, data: { user, custom }, include }, offset) => {
    const entry = state.rooms[stream];
    if (!entry) return;
    if (user === state.me.id) {
      // Also of a room that is deleted since, of which the rest is left out.
      if (include?.member) take(entry, { member: include.member });
      change(entry.member, offset, { custom });
    }
    for (const view of listed(entry, user)) change(view, offset, { custom });
  },
  "message.posted": (state, delta, offset) => {
    const entry = state.rooms[delta.stream];
    const { type, content, token, data } = delta.data;
    if (entry) changeRoom(entry, offset, said(state, entry, delta, offset, type, content, token, data));
  },
  "message.edited": (state, delta, offset) => {
    const { content, data } = delta.data;
    const message = held(state, delta);
    const changes = { content, data, edited: delta.time, updated: delta.time, revision: (message?.revision ?? 0) + 1 };
    change(message, offset, changes as Partial<Message>);
  },
  "message.deleted": (state, delta, offset) => {
    const changes = { content: {}, data: {}, deleted: delta.time, updated: delta.time };
    change(held(state, delta), offset, changes as Partial<Message>);
  },
  "message.restored": (state, delta) => {
    const entry = state.rooms[delta.stream];
    const message = delta.include?.restored;
    if (entry && message && held(state, delta)) keepMessage(entry, message);
  },
  "message.emotion_detected": (state, delta, offset) => {
    const message = held(state, delta);
    if (!message) return;
    const { emotion: _, ...data } = message.data as Message["data"] & { emotion?: unknown };
    const { shown, emotion } = delta.data;
    const changes = { data: shown ? { ...data, emotion } : data, updated: delta.time };
    change(message, offset, changes as Partial<Message>);
  },
  "message.pinned": pins(1),
  "message.unpinned": pins(-1),
};

/** Rule 2 for whole views. */
function keep<T extends { version: number }>(views: Record<string, T>, key: string, view: T): void {
  const known = views[key];
  if (!known || known.version <= view.version) views[key] = view;
}

/** Rule 2 for an event that changes some members of a view; nothing where there is no such view. */
function change<T extends { version: number }>(view: T | undefined, offset: number, changes: Partial<T>): void {
  if (view && view.version < offset) Object.assign(view, changes, { version: offset });
}

function changeRoom(entry: RoomEntry, offset: number, changes: Partial<Room>): void {
  change(entry.room, offset, changes);
  hide(entry);
}

/** From its deletion on nothing is held of a room; all comes along when it is brought back. */
function hide(entry: RoomEntry): void {
  if (entry.room.state !== "deleted") return;
  Object.assign(entry.room, structuredClone(GONE));
  entry.messages = [];
  entry.members = null;
}

/** Nothing of the person is left; what they are called is a fixed word. */
function erased(state: State, delta: Delta, offset: number): void {
  const mine = delta.stream === state.me.id;
  const view = mine ? state.me : state.users[delta.stream];
  profile(state, delta, offset, {
    username: "", name: "Deleted user", visual: null, avatar: null, bio: null, data: {}, custom: {},
    deactivated: view?.deactivated ?? delta.time, erased: view?.erased ?? delta.time,
    ...(mine ? { email: null, seen: null, added_by: null, external: null } : {}),
  });
}

function profile(state: State, { stream, time }: Delta, offset: number, changes: Partial<User>): void {
  // From before a block: whom the user blocks shows as what came along with the block.
  if (state.relationships[stream]?.type === "block") return;
  if (stream === state.me.id) change(state.me, offset, { ...changes, updated: time });
  else change(state.users[stream], offset, changes);
}

function roomChanged(state: State, delta: { stream: string; time: string; data: Partial<Room> }, offset: number): void {
  const entry = state.rooms[delta.stream];
  if (entry) changeRoom(entry, offset, { ...delta.data, updated: delta.time });
}

function roomChanges(): { [T in RoomChange]: typeof roomChanged } {
  return Object.fromEntries(ROOM_CHANGES.map((type) => [type, roomChanged])) as { [T in RoomChange]: typeof roomChanged };
}

function roomIs(to: Room["state"]) {
  return (state: State, { stream, time, include }: Delta, offset: number): void => {
    const entry = state.rooms[stream];
    if (!entry) return;
    changeRoom(entry, offset, { state: to, updated: time });
    take(entry, include ?? {});
  };
}

function pins(more: number) {
  return (state: State, { stream }: { stream: string }, offset: number): void => {
    const entry = state.rooms[stream];
    if (entry) changeRoom(entry, offset, { pins: entry.room.pins + more });
  };
}

/** The own invitation into the room waits no more, unless it is a later one. */
function answered(state: State, { stream, data }: { stream: string; data: { user: string } }, offset: number): void {
  const invitation = state.invitations[stream];
  if (data.user === state.me.id && invitation && invitation.version < offset) delete state.invitations[stream];
}

/** A room with what is seen of it: anew, or newer views of what is held. */
function enter(state: State, found: Pick<Entry, "room" | "member" | "message" | "peer">): void {
  const { room, member, peer } = found;
  if (!member) return;
  const entry = (state.rooms[room.id] ??= { room, member, peer, messages: [], members: null });
  entry.peer ??= peer;
  take(entry, { room, member, message: found.message });
}

function take(entry: RoomEntry, { room, member, message }: DeltaInclude): void {
  if (room && entry.room.version <= room.version) entry.room = room;
  if (member && entry.member.version <= member.version) entry.member = member;
  if (message) keepMessage(entry, message);
  hide(entry);
}

/** Rule 2 for a message, in the order of `seq`. */
function keepMessage(entry: RoomEntry, message: Message): void {
  const at = entry.messages.findLastIndex((one) => one.seq <= message.seq);
  const known = entry.messages[at];
  if (known?.id !== message.id) entry.messages.splice(at + 1, 0, message);
  else if (known.version <= message.version) entry.messages[at] = message;
  if (entry.messages.length > HELD) entry.messages.shift();
}

function held(state: State, delta: { stream: string; data: { message: string } }): Message | undefined {
  return state.rooms[delta.stream]?.messages.findLast((one) => one.id === delta.data.message);
}

function listed(entry: RoomEntry, user: string): RoomMember[] {
  const member = entry.members?.[user];
  return member ? [member] : [];
}

/** The message that an event makes, if it makes one; returns what else of the room changes by it. */
function said(
  state: State, entry: RoomEntry, delta: { stream: string; actor: string; time: string; data: { message?: string | null; seq?: number | null } },
  offset: number, type: string, content: object, token = "", data: object = {},
): Partial<Room> {
  const { message: id, seq } = delta.data;
  if (id == null || seq == null) return {};
  const { stream: room, actor: author, time } = delta;
  const message = {
    id, room, seq, author, token, type, content, data, created: time, updated: time,
    edited: null, deleted: null, revision: 0, version: offset,
  };
  if (entry.room.state !== "deleted") keepMessage(entry, message as Message);
  // Who says something, or acts, has read what was said before.
  if (author === state.me.id) change(entry.member, offset, { read: seq, read_at: time });
  for (const view of listed(entry, author)) change(view, offset, { read: seq, read_at: time });
  return { seq, last: id, updated: time };
}

/** The later of two times: of one width, so that the order of texts is that of times. */
function later(one: string | null, other: string): string {
  return one !== null && one > other ? one : other;
}
