// Made from schemas/openapi.json and schemas/asyncapi.json by `./klatsch schemas`: change those, not this file.

/** Whatever JSON can say. */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** The public profile. Without `updated` and `seen`, which tell when the user was last here (see presence). */
export type User = {
  id: string;
  /** Unique in it, as registered; compared without case. Empty: none, as an application may leave it out. */
  username: string;
  /** Shown name. */
  name: string;
  /** `person`, or `service` for a program that acts by itself. */
  role: "person" | "service";
  /** The linked visual character. */
  visual: string | null;
  kind: "anonymous" | "guest" | "regular";
  /** Id of the team in which they are; None: in none. They see rooms and people of the same team only. */
  team: string | null;
  /** Address of a picture. */
  avatar: string | null;
  /** What they say of themselves. */
  bio: string | null;
  data: { [name: string]: string };
  custom: { [name: string]: Json };
  /** Since when they can do nothing; None: they can. */
  deactivated: string | null;
  /** Since when the account is erased, for good; None: it is not. */
  erased: string | null;
  created: string;
  /** Offset of the latest event; of two views of one thing keep the one with the higher version. */
  version: number;
};

/** The profile as the user sees it. The credential is shown to nobody. */
export type Self = {
  id: string;
  /** Unique in it, as registered; compared without case. Empty: none, as an application may leave it out. */
  username: string;
  /** Shown name. */
  name: string;
  /** `person`, or `service` for a program that acts by itself. */
  role: "person" | "service";
  /** The linked visual character. */
  visual: string | null;
  kind: "anonymous" | "guest" | "regular";
  /** Id of the team in which they are; None: in none. They see rooms and people of the same team only. */
  team: string | null;
  /** Address of a picture. */
  avatar: string | null;
  /** What they say of themselves. */
  bio: string | null;
  data: { [name: string]: string };
  custom: { [name: string]: Json };
  /** Since when they can do nothing; None: they can. */
  deactivated: string | null;
  /** Since when the account is erased, for good; None: it is not. */
  erased: string | null;
  created: string;
  /** Offset of the latest event; of two views of one thing keep the one with the higher version. */
  version: number;
  /**
   * Where mail reaches the user, as it is sent: the domain in lower case and ASCII (RFC 5890). Only the user sees
   * it.
   */
  email: string | null;
  /** When the user was last known to be here: the latest log-in, or the end of a visit. None: never logged in (S2). */
  seen: string | null;
  updated: string;
  /**
   * Who may add the user to rooms at once; others invite. None: not chosen, so the installation's default holds.
   * `contacts`: whom the user holds for a friend, and who shares a room with them in which they are by their own
   * will.
   */
  added_by: "contacts" | "everyone" | "nobody" | null;
  /** What their application calls them, in whose words the id is derived; None: registered themselves. */
  external: string | null;
};

/** What `user` is to `other`, as `user` sees it. */
export type Relationship = {
  user: string;
  other: string;
  type: "block" | "friend" | null;
  created: string;
  updated: string;
  /** Offset of the latest event; of two views of one thing keep the one with the higher version. */
  version: number;
};

/** A visual character; anyone may see and link it. */
export type Visual = {
  id: string;
  owner: string;
  model_data: { [name: string]: Json };
  /** Emotion name -> supported or not, or its settings: `{"joy": true, "anger": false, "fear": {"eyes": "wide"}}`. */
  emotion_data: { [name: string]: boolean | { [name: string]: Json } };
  created: string;
  updated: string;
  /** Offset of the latest event; of two views of one thing keep the one with the higher version. */
  version: number;
};

/** A room as its members see it. Of a deleted one only its type, state and times are left. */
export type Room = {
  id: string;
  /**
   * The name that its maker gave it as an address (S3 `type:id`), from which `id` follows; None: `id` is all it
   * has, or it was made before this was noted.
   */
  slug: string | null;
  /** Id of the team to which it belongs, for ever; None: to none. Only people of the same team see it. */
  team: string | null;
  /**
   * `public`: anyone finds it and may join. `private`: only members see it; they let others in. `direct`: exactly
   * two people, the same room for the same two.
   */
  type: "direct" | "private" | "public";
  /** Empty for a direct room: it is shown under the other's name. */
  name: string;
  /** What the room is for. */
  description: string | null;
  /** What it is about today, in one line. */
  topic_line: string | null;
  settings: RoomSettings;
  /** `archived`: it can be read, and left, but not written to. `deleted`: to its members it no longer exists. */
  state: "active" | "archived" | "deleted";
  data: { [name: string]: string };
  /** A JSON object that apps make up. */
  custom: { [name: string]: Json };
  /** Sequence number of the last message; the first is 1. */
  seq: number;
  /** Id of the last message. */
  last: string | null;
  /** How many members there are. */
  members: number;
  /** How many of its messages are pinned. */
  pins: number;
  /** The owner; None in a direct room, and in a room that everyone has left. */
  owner: string | null;
  created: string;
  /** Time of the last event that people see: message, name, description, topic line, settings, data, custom, state. */
  updated: string;
  /** Offset of the latest event; of two views of one thing keep the one with the higher version. */
  version: number;
};

/** A member as they see themselves: whether they want to be notified is their own. */
export type Member = {
  room: string;
  user: string;
  /** At most one member is the owner, at every position of the log. */
  role: "admin" | "member" | "owner";
  joined: string;
  /** Sequence number up to which everything is read: unread = the room's last - this. */
  read: number;
  /** When that was noted. */
  read_at: string;
  /** A JSON object that apps make up; who comes back still has it. */
  custom: { [name: string]: Json };
  /** Offset of the latest event; of two views of one thing keep the one with the higher version. */
  version: number;
  /** Whether the member wants to be notified of messages. */
  notifications: boolean;
};

/** A member as the others see them, with how far they have read. */
export type RoomMember = {
  room: string;
  user: string;
  /** At most one member is the owner, at every position of the log. */
  role: "admin" | "member" | "owner";
  joined: string;
  /** Sequence number up to which everything is read: unread = the room's last - this. */
  read: number;
  /** When that was noted. */
  read_at: string;
  /** A JSON object that apps make up; who comes back still has it. */
  custom: { [name: string]: Json };
  /** Offset of the latest event; of two views of one thing keep the one with the higher version. */
  version: number;
};

/** An invitation as who is invited sees it, and who invites: nothing of the room but what stands here. */
export type Invitation = {
  room: string;
  user: string;
  /** Who invited. */
  by: string;
  /** Type and name of the room, as of the invitation. */
  type: "direct" | "private" | "public";
  name: string;
  created: string;
  /** Offset of the latest event; of two views of one thing keep the one with the higher version. */
  version: number;
};

/** A message as the room's members see it. Of a deleted one only its place and author are left. */
export type Message = 
  | TextMessage
  | ActionMessage
  | ImageMessage
  | FileMessage
  | CustomMessage
  | JoinMessage
  | LeaveMessage
  | SystemMessage;

/** What a message held before an edit. */
export type Revision = {
  number: number;
  content: { [name: string]: Json };
  data: { [name: string]: Json };
  /** Since when the message held this. */
  created: string;
};

/** Who pinned a message, and when. */
export type Pin = {
  room: string;
  message: string;
  /** Who pinned it. */
  by: string;
  /** When it was pinned. */
  pinned: string;
  /** Offset of the latest event; of two views of one thing keep the one with the higher version. */
  version: number;
};

/** A live channel; who is in it now, its servers tell. */
export type Channel = {
  /** 1, 2, 3 and so on, in the order in which they were made. */
  id: number;
  name: string;
  /** How many users may be in it at once. */
  limit: number;
  /** Who made it. */
  owner: string;
  created: string;
  /** Offset of the latest event; of two views of one thing keep the one with the higher version. */
  version: number;
};

/** A log-in of yours. */
export type OwnSession = {
  id: string;
  opened: string;
  /** When the latest of its tokens ends. */
  expires: string;
  /** What the device on which it was opened calls itself; None: it did not say. */
  device: string | null;
  /** When it was last noted to be in use; None: a session of before this was noted. */
  used: string | null;
  /** Offset of the latest event; of two views of one thing keep the one with the higher version. */
  version: number;
  /** The one in use. */
  current: boolean;
};

/** A room in a list, with your membership and the last message. */
export type Entry = {
  room: Room;
  member: Member | null;
  /** Messages that you have not read: `seq` of the room - your `read`; deleted ones count. */
  unread: number;
  message: Message | null;
  /** The other person of a direct room. */
  peer: string | null;
};

/** A room that a search found. */
export type FoundRoom = {
  room: Room;
  /** Whether you are in it. */
  joined: boolean;
};

/** A message that a search found. */
export type FoundMessage = {
  message: Message;
  highlights: number[][];
};

/** A member's profile. */
export type MemberWithUser = {
  member: RoomMember;
  user: User;
};

/** Who came in: without `notifications`, unless it is you. */
export type AddedMember = {
  room: string;
  user: string;
  /** At most one member is the owner, at every position of the log. */
  role: "admin" | "member" | "owner";
  joined: string;
  /** Sequence number up to which everything is read: unread = the room's last - this. */
  read: number;
  /** When that was noted. */
  read_at: string;
  /** A JSON object that apps make up; who comes back still has it. */
  custom: { [name: string]: Json };
  /** Offset of the latest event; of two views of one thing keep the one with the higher version. */
  version: number;
  /** Whether the member wants to be notified of messages. */
  notifications?: boolean;
};

/** A pinned message of a room. */
export type PinnedMessage = {
  pin: Pin;
  /** null: of a month that an operator has archived. */
  message: Message | null;
};

/** A live channel with who is in it. */
export type ChannelNow = {
  /** 1, 2, 3 and so on, in the order in which they were made. */
  id: number;
  name: string;
  /** How many users may be in it at once. */
  limit: number;
  /** Who made it. */
  owner: string;
  created: string;
  /** Offset of the latest event; of two views of one thing keep the one with the higher version. */
  version: number;
  /** Who is in it, as its server has reported, without those with whom you have a block. */
  users: ChannelUser[];
};

/** Somebody who is in a live channel. */
export type ChannelUser = {
  /** The username. */
  id: string;
  /** The shown name. */
  name: string;
  /**
   * `user_id` of what they say in live channels, the same in all of them and for ever. null: they have never
   * listened here.
   */
  number: number | null;
};

/** A server of live channels. */
export type ChannelServer = {
  id: string;
  /** Where to connect: `host:port`. */
  address: string;
  name: string;
};

/** Whether the user is there. */
export type Presence = {
  user: string;
  /** `offline` also if you may not know. */
  status: "online" | "away" | "offline";
  /**
   * Last activity, as of the latest change; for somebody offline, when they were last seen. null: never, or you
   * may not know; in signals (push) for everybody offline.
   */
  active: string | null;
  /** The room that they show, if you are in it too. */
  room: string | null;
};

/** An event of a room's history. */
export type Change = {
  id: string;
  type: string;
  /** Where the event stands: `rooms/3/1234`. */
  position: string;
  stream: string;
  time: string;
  actor: string;
  /** The event's payload as you may see it; its fields: the reference of events. */
  data: { [name: string]: Json };
};

/** Everything that concerns you, as of `vector`, or the first page of it. */
export type Snapshot = {
  /** Where deltas continue, as offset of the push protocol. */
  cursor: number;
  /** Incarnation of the feed that the cursor belongs to. */
  epoch: string;
  /** Next offset of each shard (`rooms/3`): every event below it is in the snapshot. */
  vector: { [name: string]: number };
  me: Self;
  relationships: Relationship[];
  friend_of: Relationship[];
  invitations: Invitation[];
  rooms: Entry[];
  users: User[];
  /** Send it as `cursor` for the next page; null: the last page. */
  next: string | null;
};

/** The result of one emotion. */
export type EmotionResult = {
  message: string;
  result: "set" | "refused";
  /** Whether the author's visual can show it: only then do people see it. */
  shown?: boolean;
  /** Of a refusal, as in a problem document. */
  code?: string;
  detail?: string;
};

/** How a room is run (S2 ChatRoom.settings). A direct room has these defaults, without announcements. */
export type RoomSettings = {
  /** Whether those who join are notified of messages, until they choose for themselves. */
  notifications: boolean;
  /** Whether joining, leaving and new roles become messages of the room. */
  announcements: boolean;
  /** Who may post: all members, or only the owner and admins. */
  posting: "admins" | "members";
  /** Who may let others in. */
  inviting: "admins" | "members";
};

/** Settings that change; what is not named stays. */
export type RoomSettingsChange = {
  notifications?: boolean | null;
  announcements?: boolean | null;
  posting?: "admins" | "members" | null;
  inviting?: "admins" | "members" | null;
};

/** `text` and `action` (the message says what its author does: "/me waves"). */
export type TextContent = {
  text: string;
};

export type ImageContent = {
  url: string;
  alt?: string;
  width?: number | null;
  height?: number | null;
};

export type FileContent = {
  url: string;
  name: string;
  size?: number | null;
};

/** Any JSON object, for clients that know it. */
export type CustomContent = { [name: string]: Json };

export type ProblemErrors = {
  /** Where in the body (RFC 6901), or in the data of an RPC: `/content/text`. Empty: all of it. */
  pointer?: string;
  /** The parameter of the path or the query. */
  parameter?: string;
  /** The header. */
  header?: string;
  /** What was expected there, for people: `a string of 1 to 2000 characters`. */
  expected: string;
  /** What was found: its kind and size, seldom itself, never a password or token. `nothing`: no member. */
  actual: string;
};

/** What went wrong (RFC 9457). */
export type Problem = {
  /** `urn:klatsch:problem:` and the code; stable. */
  type: string;
  title: string;
  status: number;
  /** What was expected, and what was found. */
  detail: string;
  /** Each wrong place of the request, at most twenty; if known. */
  errors?: ProblemErrors[];
  /** Seconds to wait before trying again. */
  retry_after?: number;
  /** The limit that was met: of calls, or of the application's plan. */
  limit?: string;
  /** How much it allows. */
  most?: number;
  /** How much there is. */
  used?: number;
  /** Seconds until it is whole again, where time alone does it. */
  reset?: number;
  /** As in the header `X-Request-Id`: the operator finds it in the log. */
  request_id: string;
};

/** A text. */
export type TextMessage = {
  id: string;
  room: string;
  seq: number;
  /** The user id; `system` where no person acted. */
  author: string;
  /** Made by the client; unique for its author for ever. Empty in messages that events of members made. */
  token: string;
  type: "text";
  content: ShownText;
  /** Additional information (S2 metadata); `emotion` is what the author's visual shows with it. */
  data: { [name: string]: Json };
  created: string;
  updated: string;
  /** When the content last changed; what it was before, its revisions say. */
  edited: string | null;
  /** When it was deleted: from then on nobody is shown what it held. */
  deleted: string | null;
  /** How often it was edited. */
  revision: number;
  /** Offset of the latest event; of two views of one thing keep the one with the higher version. */
  version: number;
};

/** What its author does: "/me waves". */
export type ActionMessage = {
  id: string;
  room: string;
  seq: number;
  /** The user id; `system` where no person acted. */
  author: string;
  /** Made by the client; unique for its author for ever. Empty in messages that events of members made. */
  token: string;
  type: "action";
  content: ShownText;
  /** Additional information (S2 metadata); `emotion` is what the author's visual shows with it. */
  data: { [name: string]: Json };
  created: string;
  updated: string;
  /** When the content last changed; what it was before, its revisions say. */
  edited: string | null;
  /** When it was deleted: from then on nobody is shown what it held. */
  deleted: string | null;
  /** How often it was edited. */
  revision: number;
  /** Offset of the latest event; of two views of one thing keep the one with the higher version. */
  version: number;
};

/** An image that is stored elsewhere. */
export type ImageMessage = {
  id: string;
  room: string;
  seq: number;
  /** The user id; `system` where no person acted. */
  author: string;
  /** Made by the client; unique for its author for ever. Empty in messages that events of members made. */
  token: string;
  type: "image";
  content: ShownImage;
  /** Additional information (S2 metadata); `emotion` is what the author's visual shows with it. */
  data: { [name: string]: Json };
  created: string;
  updated: string;
  /** When the content last changed; what it was before, its revisions say. */
  edited: string | null;
  /** When it was deleted: from then on nobody is shown what it held. */
  deleted: string | null;
  /** How often it was edited. */
  revision: number;
  /** Offset of the latest event; of two views of one thing keep the one with the higher version. */
  version: number;
};

/** A file that is stored elsewhere. */
export type FileMessage = {
  id: string;
  room: string;
  seq: number;
  /** The user id; `system` where no person acted. */
  author: string;
  /** Made by the client; unique for its author for ever. Empty in messages that events of members made. */
  token: string;
  type: "file";
  content: ShownFile;
  /** Additional information (S2 metadata); `emotion` is what the author's visual shows with it. */
  data: { [name: string]: Json };
  created: string;
  updated: string;
  /** When the content last changed; what it was before, its revisions say. */
  edited: string | null;
  /** When it was deleted: from then on nobody is shown what it held. */
  deleted: string | null;
  /** How often it was edited. */
  revision: number;
  /** Offset of the latest event; of two views of one thing keep the one with the higher version. */
  version: number;
};

/** Any JSON object, for clients that know it. */
export type CustomMessage = {
  id: string;
  room: string;
  seq: number;
  /** The user id; `system` where no person acted. */
  author: string;
  /** Made by the client; unique for its author for ever. Empty in messages that events of members made. */
  token: string;
  type: "custom";
  content: ShownCustom;
  /** Additional information (S2 metadata); `emotion` is what the author's visual shows with it. */
  data: { [name: string]: Json };
  created: string;
  updated: string;
  /** When the content last changed; what it was before, its revisions say. */
  edited: string | null;
  /** When it was deleted: from then on nobody is shown what it held. */
  deleted: string | null;
  /** How often it was edited. */
  revision: number;
  /** Offset of the latest event; of two views of one thing keep the one with the higher version. */
  version: number;
};

/** Somebody came into the room: made by the server. */
export type JoinMessage = {
  id: string;
  room: string;
  seq: number;
  /** The user id; `system` where no person acted. */
  author: string;
  /** Made by the client; unique for its author for ever. Empty in messages that events of members made. */
  token: string;
  type: "join";
  content: ShownMember;
  /** Additional information (S2 metadata); `emotion` is what the author's visual shows with it. */
  data: { [name: string]: Json };
  created: string;
  updated: string;
  /** When the content last changed; what it was before, its revisions say. */
  edited: string | null;
  /** When it was deleted: from then on nobody is shown what it held. */
  deleted: string | null;
  /** How often it was edited. */
  revision: number;
  /** Offset of the latest event; of two views of one thing keep the one with the higher version. */
  version: number;
};

/** Somebody left the room, or was removed: made by the server. */
export type LeaveMessage = {
  id: string;
  room: string;
  seq: number;
  /** The user id; `system` where no person acted. */
  author: string;
  /** Made by the client; unique for its author for ever. Empty in messages that events of members made. */
  token: string;
  type: "leave";
  content: ShownMember;
  /** Additional information (S2 metadata); `emotion` is what the author's visual shows with it. */
  data: { [name: string]: Json };
  created: string;
  updated: string;
  /** When the content last changed; what it was before, its revisions say. */
  edited: string | null;
  /** When it was deleted: from then on nobody is shown what it held. */
  deleted: string | null;
  /** How often it was edited. */
  revision: number;
  /** Offset of the latest event; of two views of one thing keep the one with the higher version. */
  version: number;
};

/** Something else that happened in the room: made by the server. */
export type SystemMessage = {
  id: string;
  room: string;
  seq: number;
  /** The user id; `system` where no person acted. */
  author: string;
  /** Made by the client; unique for its author for ever. Empty in messages that events of members made. */
  token: string;
  type: "system";
  content: ShownEvent;
  /** Additional information (S2 metadata); `emotion` is what the author's visual shows with it. */
  data: { [name: string]: Json };
  created: string;
  updated: string;
  /** When the content last changed; what it was before, its revisions say. */
  edited: string | null;
  /** When it was deleted: from then on nobody is shown what it held. */
  deleted: string | null;
  /** How often it was edited. */
  revision: number;
  /** Offset of the latest event; of two views of one thing keep the one with the higher version. */
  version: number;
};

/** Without members: the message was deleted. */
export type ShownText = {
  text?: string;
};

/** Without members: the message was deleted. */
export type ShownImage = {
  url?: string;
  alt?: string;
  width?: number | null;
  height?: number | null;
};

/** Without members: the message was deleted. */
export type ShownFile = {
  url?: string;
  name?: string;
  size?: number | null;
};

/** Any JSON object, for clients that know it. */
export type ShownCustom = { [name: string]: Json };

/** Without members: the message was deleted. */
export type ShownMember = {
  /** Whom it is about: a user id. */
  user?: string;
};

/** Without members: the message was deleted. */
export type ShownEvent = {
  event?: "role_changed";
  /** Whom it is about: a user id. */
  user?: string;
  /** Of the user from here on. */
  role?: "owner" | "admin" | "member";
};

/** What `users.register` takes. */
export type UsersRegister = {
  /**
   * 3-50 of A-Z a-z 0-9 _ -, a letter or digit among them. Some are reserved, such as `system` and `everyone`, and
   * those that begin with `irc-`, which are an import's.
   */
  username: string;
  /**
   * To log in with: at least 8 characters, or more where the installation asks for it. Without one the account has
   * only the session that this opens.
   */
  password?: string | null;
  /**
   * What people see: one line, without control, direction and other hidden characters; no space at its ends, and
   * at most 4 marks on a letter. Without it, the username.
   */
  name?: string | null;
  /** Additional information: texts by name, which everybody sees. */
  data?: { [name: string]: string };
  /** Address of a picture, which others' clients open. */
  avatar?: string | null;
  /** What you say of yourself. */
  bio?: string | null;
  /** A JSON object, which everybody sees. */
  custom?: { [name: string]: Json };
  /** Unique in the installation: who registers an address that is taken learns that it is. Only you see it. */
  email?: string | null;
  /** Who may add you to rooms at once; all others invite you. null: as the installation has it. */
  added_by?: "contacts" | "everyone" | "nobody" | null;
};

/** What `users.register` answers. */
export type UsersRegisterAnswer = {
  user: Self;
  token: string;
  expires: string;
};

/** What `users.find` takes. */
export type UsersFind = {
  name?: string;
  /** Comma-separated user ids, at most 100 different ones. */
  ids?: string;
  limit?: number;
  /** `next` of the page before; others are refused */
  cursor?: string;
  /** Answer of this past moment: a time, or next offsets of shards. */
  as_of?: string;
};

/** What `users.find` answers. */
export type UsersFindAnswer = {
  users: User[];
  /** Send it as `cursor` for the next page; null: the last page. */
  next: string | null;
};

/** What `users.me` takes. */
export type UsersMe = {
  /** Answer of this past moment: a time, or next offsets of shards. */
  as_of?: string;
};

/** What `users.me` answers. */
export type UsersMeAnswer = {
  user: Self;
};

/** What `users.change` takes. */
export type UsersChange = {
  /** As `users.register` takes it. */
  name?: string | null;
  /** What is not named stays; null removes an entry. */
  data?: { [name: string]: string | null } | null;
  /** Address of a picture, which others' clients open; null: none any more. */
  avatar?: string | null;
  /** What you say of yourself; null: nothing any more. */
  bio?: string | null;
  /** A JSON object, changed by a merge patch: null removes a name, an object is merged, all else takes its place. */
  custom?: { [name: string]: Json } | null;
  /** Another e-mail address; null: none any more. */
  email?: string | null;
  /** Your current password, where you have one: needed to change the e-mail address, which one logs in by. */
  password?: string | null;
  /**
   * Who may add you to rooms at once; all others invite you. null: as the installation has it. `contacts` are whom
   * you hold for friends, and who shares a room with you in which you are by your own will.
   */
  added_by?: "contacts" | "everyone" | "nobody" | null;
};

/** What `users.change` answers. */
export type UsersChangeAnswer = {
  user: Self;
};

/** What `users.get` takes. */
export type UsersGet = {
  user: string;
  /** Answer of this past moment: a time, or next offsets of shards. */
  as_of?: string;
};

/** What `users.get` answers. */
export type UsersGetAnswer = {
  user: User;
};

/** What `sessions.open` takes. */
export type SessionsOpen = {
  /** Either this or `email`; case does not matter. */
  username?: string | null;
  /** Either this or `username`; case does not matter. */
  email?: string | null;
  /** The one that the account has. */
  password: string;
  /** What the device calls itself; `sessions.list` shows it. */
  device_id?: string | null;
};

/** What `sessions.open` answers. */
export type SessionsOpenAnswer = {
  user: Self;
  token: string;
  expires: string;
};

/** What `sessions.list` takes. */
export type SessionsList = {
  limit?: number;
  /** `next` of the page before; others are refused */
  cursor?: string;
};

/** What `sessions.list` answers. */
export type SessionsListAnswer = {
  sessions: OwnSession[];
  /** Send it as `cursor` for the next page; null: the last page. */
  next: string | null;
};

/** What `sessions.issue` takes. */
export type SessionsIssue = {
  /** Id of a person, as their registration gave it. */
  user: string;
  /** What their device calls itself; `sessions.list` shows it. */
  device_id?: string | null;
};

/** What `sessions.issue` answers. */
export type SessionsIssueAnswer = {
  user: Self;
  token: string;
  expires: string;
};

/** What `sessions.renew` takes. */
export type SessionsRenew = Record<string, never>;

/** What `sessions.renew` answers. */
export type SessionsRenewAnswer = {
  token: string;
  expires: string;
};

/** What `sessions.close` takes. */
export type SessionsClose = {
  /** Id of one of your sessions; `current` is that of the token in use. */
  session: string;
};

/** What `users.change_password` takes. */
export type UsersChangePassword = {
  /** Your current password, where you have one. */
  current?: string | null;
  /** The new one: at least 8 characters, or more where the installation asks for it. */
  password: string;
};

/** What `users.change_password` answers. */
export type UsersChangePasswordAnswer = {
  user: Self;
};

/** What `relationships.list` takes. */
export type RelationshipsList = {
  /** `out`: what you are to others; `in`: who holds you for a friend. */
  direction?: "in" | "out";
  limit?: number;
  /** `next` of the page before; others are refused */
  cursor?: string;
  /** Answer of this past moment: a time, or next offsets of shards. */
  as_of?: string;
};

/** What `relationships.list` answers. */
export type RelationshipsListAnswer = {
  relationships: Relationship[];
  /** Send it as `cursor` for the next page; null: the last page. */
  next: string | null;
};

/** What `relationships.set` takes. */
export type RelationshipsSet = {
  user: string;
  /** What they are to you; null: nothing any more. */
  type: "block" | "friend" | null;
};

/** What `relationships.set` answers. */
export type RelationshipsSetAnswer = {
  relationship: Relationship | null;
};

/** What `relationships.remove` takes. */
export type RelationshipsRemove = {
  user: string;
};

/** What `relationships.remove` answers. */
export type RelationshipsRemoveAnswer = {
  relationship: Relationship | null;
};

/** What `visuals.create` takes. */
export type VisualsCreate = {
  /** How the character looks: any JSON object, as your apps read it. */
  model_data: { [name: string]: Json };
  /** How it shows emotions, by their names: for each true, false or its settings. */
  emotion_data?: { [name: string]: boolean | { [name: string]: Json } };
};

/** What `visuals.create` answers. */
export type VisualsCreateAnswer = {
  visual: Visual;
};

/** What `visuals.list` takes. */
export type VisualsList = {
  /**
   * Comma-separated ids of anybody's visual characters, at most 100 different ones; those that you may not see are
   * left out. Without it, your own.
   */
  ids?: string;
  limit?: number;
  /** `next` of the page before; others are refused */
  cursor?: string;
  /** Answer of this past moment: a time, or next offsets of shards. */
  as_of?: string;
};

/** What `visuals.list` answers. */
export type VisualsListAnswer = {
  visuals: Visual[];
  /** Send it as `cursor` for the next page; null: the last page. */
  next: string | null;
};

/** What `visuals.get` takes. */
export type VisualsGet = {
  visual: string;
  /** Answer of this past moment: a time, or next offsets of shards. */
  as_of?: string;
};

/** What `visuals.get` answers. */
export type VisualsGetAnswer = {
  visual: Visual;
};

/** What `visuals.change` takes. */
export type VisualsChange = {
  visual: string;
  /** All of how it looks; without it, that stays. */
  model_data?: { [name: string]: Json } | null;
  /** All of how it shows emotions; without it, that stays. */
  emotion_data?: { [name: string]: boolean | { [name: string]: Json } } | null;
};

/** What `visuals.change` answers. */
export type VisualsChangeAnswer = {
  visual: Visual;
};

/** What `visuals.choose` takes. */
export type VisualsChoose = {
  /** A visual that exists; null links none. Either this or `model_data`. */
  visual_id?: string | null;
  /** Instead: a new visual, made and linked in one step. */
  model_data?: { [name: string]: Json } | null;
  /** With `model_data`: how the new visual shows emotions. */
  emotion_data?: { [name: string]: boolean | { [name: string]: Json } } | null;
};

/** What `visuals.choose` answers. */
export type VisualsChooseAnswer = {
  user: Self;
};

/** What `rooms.create` takes. */
export type RoomsCreate = {
  /** `public`: anyone finds it and may join. `private`: members let others in. `direct`: with one other. */
  type: "direct" | "private" | "public";
  /** A slug of your choice, unique for ever; without it the server makes an id. `irc-...` is an import's to choose. */
  id?: string | null;
  /** The others; you are added. A direct room has exactly one other. Who does not let you add them is invited. */
  members?: string[];
  /** One line that people see, with signs and emoji too, kept in NFC; the address is `id`. Not of a direct room. */
  name?: string | null;
  /** What the room is for, in some lines; line ends are kept. Not only white space and hidden characters. */
  description?: string | null;
  /** What it is about today, in one line. Not of a direct room. */
  topic_line?: string | null;
  /** Settings that change; what is not named stays. */
  settings?: RoomSettingsChange;
  /** Additional information for apps: texts by name, seen by all who see the room. */
  data?: { [name: string]: string };
  /**
   * A JSON object of your own, seen by all who see the room: at most 5 KiB, 5 levels, 100 names in all. A name
   * with null is left out.
   */
  custom?: { [name: string]: Json };
};

/** What `rooms.create` answers. */
export type RoomsCreateAnswer = {
  room: Room;
  invited: string[];
};

/** What `rooms.find` takes. */
export type RoomsFind = {
  /** Searches rooms by name: those you are in, and public ones. */
  name?: string;
  /** Without a name: the rooms you are in, or all public ones; the latest activity first. */
  scope?: "mine" | "public";
  /**
   * Of these, rooms whose `custom` contains this JSON object (`{"course":{"term":3}}`): each of its names, with a
   * value that contains its value; of an array each item, wherever it stands.
   */
  custom?: string;
  limit?: number;
  /** `next` of the page before; others are refused */
  cursor?: string;
  /** Answer of this past moment: a time, or next offsets of shards. */
  as_of?: string;
};

/** What `rooms.find` answers. */
export type RoomsFindAnswer = {
  rooms: (Entry | FoundRoom)[];
  /** Send it as `cursor` for the next page; null: the last page. */
  next: string | null;
};

/** What `rooms.get` takes. */
export type RoomsGet = {
  room: string;
  /** Answer of this past moment: a time, or next offsets of shards. */
  as_of?: string;
};

/** What `rooms.get` answers. */
export type RoomsGetAnswer = {
  room: Room;
  member: Member;
  unread: number;
  message: Message | null;
  /** The other person of a direct room. */
  peer: string | null;
};

/** What `rooms.change` takes. */
export type RoomsChange = {
  room: string;
  /** Of a direct room empty, as it is read: it has none. */
  name?: string | null;
  /** null: none from here on. */
  description?: string | null;
  /** null: none from here on. */
  topic_line?: string | null;
  /** What is not named stays. */
  settings?: RoomSettingsChange | null;
  /** What is not named stays; null removes an entry. */
  data?: { [name: string]: string | null } | null;
  /**
   * A JSON merge patch (RFC 7396) of the object: null removes a name, an object is merged, all else takes its
   * place.
   */
  custom?: { [name: string]: Json } | null;
};

/** What `rooms.change` answers. */
export type RoomsChangeAnswer = {
  room: Room;
};

/** What `rooms.delete` takes. */
export type RoomsDelete = {
  room: string;
};

/** What `rooms.archive` takes. */
export type RoomsArchive = {
  room: string;
};

/** What `rooms.archive` answers. */
export type RoomsArchiveAnswer = {
  room: Room;
};

/** What `rooms.unarchive` takes. */
export type RoomsUnarchive = {
  room: string;
};

/** What `rooms.unarchive` answers. */
export type RoomsUnarchiveAnswer = {
  room: Room;
};

/** What `rooms.history` takes. */
export type RoomsHistory = {
  room: string;
  /** Offset below which to look; the latest without it. */
  before?: number;
  limit?: number;
  /** Answer of this past moment: a time, or next offsets of shards. */
  as_of?: string;
};

/** What `rooms.history` answers. */
export type RoomsHistoryAnswer = {
  changes: Change[];
  before: number | null;
};

/** What `members.list` takes. */
export type MembersList = {
  room: string;
  /** Of these, members whose `custom` contains this JSON object (`{"seat":{"row":4}}`), as in `rooms.find`. */
  custom?: string;
  limit?: number;
  /** `next` of the page before; others are refused */
  cursor?: string;
  /** Answer of this past moment: a time, or next offsets of shards. */
  as_of?: string;
};

/** What `members.list` answers. */
export type MembersListAnswer = {
  members: MemberWithUser[];
  /** Send it as `cursor` for the next page; null: the last page. */
  next: string | null;
};

/** What `members.add` takes. */
export type MembersAdd = {
  room: string;
  /** A user id, or `me`. */
  user: string;
};

/** What `members.add` answers. */
export type MembersAddAnswer = {
  room: Room;
  /** null: they are only invited. */
  member: AddedMember | null;
  invitation: Invitation | null;
};

/** What `members.remove` takes. */
export type MembersRemove = {
  room: string;
  /** A user id, or `me`. */
  user: string;
};

/** What `members.change` takes. */
export type MembersChange = {
  room: string;
  /** A user id, or `me`. */
  user: string;
  /**
   * A JSON merge patch (RFC 7396) of the member's object, of at most 5 KiB, that all in the room see: null removes
   * a name, an object is merged, all else takes its place.
   */
  custom: { [name: string]: Json };
};

/** What `members.change` answers. */
export type MembersChangeAnswer = {
  member: RoomMember;
};

/** What `members.set_role` takes. */
export type MembersSetRole = {
  room: string;
  user: string;
  /** `owner` passes the room on; the old owner becomes an admin. */
  role: "admin" | "member" | "owner";
};

/** What `members.set_role` answers. */
export type MembersSetRoleAnswer = {
  member: RoomMember;
};

/** What `members.set_notifications` takes. */
export type MembersSetNotifications = {
  room: string;
  /** Whether you want to be notified of the room's messages. */
  notifications: boolean;
};

/** What `members.set_notifications` answers. */
export type MembersSetNotificationsAnswer = {
  member: Member;
};

/** What `members.read` takes. */
export type MembersRead = {
  room: string;
  /**
   * Everything up to this message is read; lower than before marks as unread again. The room's `seq` clears the
   * count, also of messages that were deleted unread.
   */
  seq: number;
  /**
   * true: only forward, so that a late request does not take back what another device has read. Where more is
   * read, it changes nothing, and answers how far that is. Default: `false`.
   */
  forward?: boolean;
};

/** What `members.read` answers. */
export type MembersReadAnswer = {
  member: Member;
  unread: number;
};

/** What `invitations.list` takes. */
export type InvitationsList = {
  limit?: number;
  /** `next` of the page before; others are refused */
  cursor?: string;
};

/** What `invitations.list` answers. */
export type InvitationsListAnswer = {
  invitations: Invitation[];
  users: User[];
  /** Send it as `cursor` for the next page; null: the last page. */
  next: string | null;
};

/** What `invitations.decline` takes. */
export type InvitationsDecline = {
  room: string;
};

export type MessagesSendText = {
  room: string;
  /** The older name of `client_id`, which is taken as well; one of the two or `Idempotency-Key` is required. */
  token?: string | null;
  /** Default: `"text"`. */
  type?: "text";
  content: TextContent;
  /** Additional information: any JSON object. */
  data?: { [name: string]: Json };
  /**
   * Required, unless the header `Idempotency-Key` (or `token`) is there. Made by you, unique for ever: the same
   * one gives the first message again.
   */
  client_id?: string | null;
};

export type MessagesSendAction = {
  room: string;
  /** The older name of `client_id`, which is taken as well; one of the two or `Idempotency-Key` is required. */
  token?: string | null;
  type: "action";
  content: TextContent;
  /** Additional information: any JSON object. */
  data?: { [name: string]: Json };
  /**
   * Required, unless the header `Idempotency-Key` (or `token`) is there. Made by you, unique for ever: the same
   * one gives the first message again.
   */
  client_id?: string | null;
};

export type MessagesSendImage = {
  room: string;
  /** The older name of `client_id`, which is taken as well; one of the two or `Idempotency-Key` is required. */
  token?: string | null;
  type: "image";
  content: ImageContent;
  /** Additional information: any JSON object. */
  data?: { [name: string]: Json };
  /**
   * Required, unless the header `Idempotency-Key` (or `token`) is there. Made by you, unique for ever: the same
   * one gives the first message again.
   */
  client_id?: string | null;
};

export type MessagesSendFile = {
  room: string;
  /** The older name of `client_id`, which is taken as well; one of the two or `Idempotency-Key` is required. */
  token?: string | null;
  type: "file";
  content: FileContent;
  /** Additional information: any JSON object. */
  data?: { [name: string]: Json };
  /**
   * Required, unless the header `Idempotency-Key` (or `token`) is there. Made by you, unique for ever: the same
   * one gives the first message again.
   */
  client_id?: string | null;
};

export type MessagesSendCustom = {
  room: string;
  /** The older name of `client_id`, which is taken as well; one of the two or `Idempotency-Key` is required. */
  token?: string | null;
  type: "custom";
  content: CustomContent;
  /** Additional information: any JSON object. */
  data?: { [name: string]: Json };
  /**
   * Required, unless the header `Idempotency-Key` (or `token`) is there. Made by you, unique for ever: the same
   * one gives the first message again.
   */
  client_id?: string | null;
};

/** What `messages.send` takes. */
export type MessagesSend = MessagesSendText | MessagesSendAction | MessagesSendImage | MessagesSendFile | MessagesSendCustom;

/** What `messages.send` answers. */
export type MessagesSendAnswer = {
  message: Message;
};

/** What `messages.read` takes. */
export type MessagesRead = {
  room: string;
  /** Messages below this sequence number, the nearest; without before, after and around: the last ones. */
  before?: number;
  /** Messages above this sequence number, the nearest. */
  after?: number;
  /** Messages on both sides of this sequence number, and itself. */
  around?: number;
  /** Only messages of this user; `me`: your own. */
  author?: string;
  /** Only messages of this type. */
  type?: "action" | "custom" | "file" | "image" | "join" | "leave" | "system" | "text";
  /** Only messages of this time or later. */
  since?: string;
  /** Only messages before this time. */
  until?: string;
  limit?: number;
  /** `next` of the page before; others are refused */
  cursor?: string;
  /** Answer of this past moment: a time, or next offsets of shards. */
  as_of?: string;
};

/** What `messages.read` answers. */
export type MessagesReadAnswer = {
  messages: Message[];
  more: boolean;
  /** Send it as `cursor` for the page in this direction; null: the end. */
  older: string | null;
  /** Send it as `cursor` for the page in this direction; null: the end. */
  newer: string | null;
  /** Whether the page goes on into, or across, months that an operator has archived. */
  archived: boolean;
  users: User[];
};

/** What `messages.get` takes. */
export type MessagesGet = {
  room: string;
  message: string;
  /** Answer of this past moment: a time, or next offsets of shards. */
  as_of?: string;
};

/** What `messages.get` answers. */
export type MessagesGetAnswer = {
  message: Message;
};

/** What `messages.edit` takes. */
export type MessagesEdit = {
  room: string;
  message: string;
  /** The whole new content, as for the message's type, which stays. */
  content: { [name: string]: Json };
  /** The whole new additional information; without it, it stays. */
  data?: { [name: string]: Json } | null;
};

/** What `messages.edit` answers. */
export type MessagesEditAnswer = {
  message: Message;
};

/** What `messages.delete` takes. */
export type MessagesDelete = {
  room: string;
  message: string;
};

/** What `messages.edits` takes. */
export type MessagesEdits = {
  room: string;
  message: string;
  /** Answer of this past moment: a time, or next offsets of shards. */
  as_of?: string;
};

/** What `messages.edits` answers. */
export type MessagesEditsAnswer = {
  message: Message;
  revisions: Revision[];
};

/** What `messages.pin` takes. */
export type MessagesPin = {
  room: string;
  message: string;
};

/** What `messages.pin` answers. */
export type MessagesPinAnswer = {
  pin: Pin;
};

/** What `messages.unpin` takes. */
export type MessagesUnpin = {
  room: string;
  message: string;
};

/** What `rooms.pins` takes. */
export type RoomsPins = {
  room: string;
  /** Answer of this past moment: a time, or next offsets of shards. */
  as_of?: string;
};

/** What `rooms.pins` answers. */
export type RoomsPinsAnswer = {
  pins: PinnedMessage[];
  users: User[];
};

/** What `channels.create` takes. */
export type ChannelsCreate = {
  /** What people see it called; others may be called the same. */
  name: string;
  /** How many users may be in it at once. */
  limit: number;
};

/** What `channels.create` answers. */
export type ChannelsCreateAnswer = {
  channel: Channel;
};

/** What `channels.list` takes. */
export type ChannelsList = {
  limit?: number;
  /** `next` of the page before; others are refused */
  cursor?: string;
};

/** What `channels.list` answers. */
export type ChannelsListAnswer = {
  channels: ChannelNow[];
  /** Send it as `cursor` for the next page; null: the last page. */
  next: string | null;
};

/** What `channels.get` takes. */
export type ChannelsGet = {
  channel: number;
};

/** What `channels.get` answers. */
export type ChannelsGetAnswer = {
  channel: ChannelNow;
};

/** What `channels.delete` takes. */
export type ChannelsDelete = {
  channel: number;
};

/** What `channels.listen` takes. */
export type ChannelsListen = {
  channel: number;
};

/** What `channels.listen` answers. */
export type ChannelsListenAnswer = {
  server: ChannelServer;
  token: string;
  number: number;
  /** Where browsers connect, by WebSocket: `wss://…/v1/channels/7/connect`. null: the server has none. */
  url: string | null;
};

export type ChannelsReportChannelsUsers = {
  id: string;
  /** Default: `0`. */
  version?: number;
};

export type ChannelsReportChannels = {
  id: number;
  users?: ChannelsReportChannelsUsers[];
};

/** What `channels.report` takes. */
export type ChannelsReport = {
  /**
   * What the server says of itself: `addr` (`host:port`, where clients connect) and `name` must be there; `url` is
   * where browsers connect: `wss://…`, to which `/v1/channels/7/connect` is added. The rest is its own.
   */
  metric: { [name: string]: string };
  /** All channels that it serves, each once. */
  channels: ChannelsReportChannels[];
};

/** What `apps.about` takes. */
export type AppsAbout = Record<string, never>;

/** What `apps.about` answers. */
export type AppsAboutAnswer = {
  app: string;
  name: string;
  registration: boolean;
};

/** What `messages.set_emotion` takes. */
export type MessagesSetEmotion = {
  room: string;
  message: string;
  /** What the text shows. */
  emotion: string;
};

/** What `messages.set_emotion` answers. */
export type MessagesSetEmotionAnswer = {
  message: string;
  shown: boolean;
};

export type MessagesSetEmotionsEmotions = {
  room: string;
  message: string;
  emotion: string;
  key: string;
};

/** What `messages.set_emotions` takes. */
export type MessagesSetEmotions = {
  /** Each with its message; at most 100. */
  emotions: MessagesSetEmotionsEmotions[];
};

/** What `messages.set_emotions` answers. */
export type MessagesSetEmotionsAnswer = {
  results: EmotionResult[];
};

/** What `messages.search` takes. */
export type MessagesSearch = {
  /**
   * All of its words and signs, in any order; the last one may be the beginning of a word. In double quotes: a
   * phrase. How many different ones there may be, the operator says: `KLATSCH_SEARCH_TERMS`.
   */
  text: string;
  /** Only in this room. */
  room?: string;
  /** Only messages of this user; `me`: your own. */
  author?: string;
  /** Only messages of this type. */
  type?: "action" | "custom" | "file" | "image" | "join" | "leave" | "system" | "text";
  /** Only messages of this time or later. */
  since?: string;
  /** Only messages before this time. */
  until?: string;
  limit?: number;
  /** `next` of the page before; others are refused */
  cursor?: string;
};

/** What `messages.search` answers. */
export type MessagesSearchAnswer = {
  found: FoundMessage[];
  /** Send it as `cursor` for the next page; null: the last page. */
  next: string | null;
  users: User[];
};

/** What `sync.get` takes. */
export type SyncGet = {
  /** `next` of the page before; others are refused */
  cursor?: string;
};

/** What `sync.get` answers. */
export type SyncGetAnswer = {
  cursor?: number;
  epoch?: string;
  /** Next offset of each shard (`rooms/3`): every event below it is in the snapshot. */
  vector: { [name: string]: number };
  me?: Self;
  rooms: Entry[];
  invitations: Invitation[];
  relationships: Relationship[];
  friend_of: Relationship[];
  users: User[];
  /** Send it as `cursor` for the next page; null: the last page. */
  next: string | null;
};

/** What `changes.pull` takes. */
export type ChangesPull = {
  /** `cursor` of the answer before; without it: no changes, and the present cursor. */
  since?: string;
  limit?: number;
};

/** What `changes.pull` answers. */
export type ChangesPullAnswer = {
  changes: Delta[];
  cursor: string;
  reset: boolean;
  snapshot?: Snapshot;
};

/** What `presence.get` takes. */
export type PresenceGet = {
  /** Comma-separated user ids, at most 100 different ones. */
  users: string;
};

/** What `presence.get` answers. */
export type PresenceGetAnswer = {
  presence: Presence[];
};

/** What `presence.room` takes. */
export type PresenceRoom = {
  room: string;
};

/** What `presence.room` answers. */
export type PresenceRoomAnswer = {
  online: string[];
  count: number;
  watching: string[];
  watchers: number;
};

/** What `signals.type` takes. */
export type SignalsType = {
  room: string;
  /** Whether you write at this moment: said again every few seconds while it goes on. */
  typing: boolean;
};

/** What `presence.set` takes. */
export type PresenceSet = {
  /** The room that this connection shows; null: none. */
  room: string | null;
  /** `away`: nobody is there, until the connection is used again. */
  status?: "away" | "online";
};

/** What `channels.watch` takes. */
export type ChannelsWatch = {
  /** Their ids; none: this connection watches no channel any more. Channels that are not there are empty. */
  channels: number[];
};

/** Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`. */
export type DeltaInclude = {
  user?: User;
  users?: User[];
  room?: Room;
  member?: Member;
  message?: Message | null;
  invitation?: Invitation;
  joined?: RoomMember;
  restored?: Message;
  friend_of?: Relationship;
  peer?: string | null;
};

export type UserRegisteredDeltaData = {
  /** Empty: none. */
  username: string;
  name: string;
  role: "person" | "service";
  data: { [name: string]: string };
  /** Where mail reaches the user; None: not told. */
  email?: string | null;
  /** What the application calls the user that registered them; None: they registered themselves. */
  external?: string | null;
  kind?: "anonymous" | "guest" | "regular";
  avatar?: string | null;
  bio?: string | null;
  custom?: { [name: string]: Json };
  /** Id of their team; None: in none. */
  team?: string | null;
};

export type UserRegisteredDelta = {
  type: "user.registered";
  id: string;
  /** Where the event stands: `rooms/3/1234`. */
  position: string;
  stream: string;
  time: string;
  actor: string;
  data: UserRegisteredDeltaData;
  /** Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`. */
  include?: DeltaInclude;
  /**
   * Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
   * older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
   */
  deleted?: boolean;
};

export type UserProfileChangedDeltaData = {
  /** The new shown name; None: unchanged. */
  name?: string | null;
  /** The whole new data map; None: unchanged. */
  data?: { [name: string]: string } | null;
  /** The new address of a picture; empty: none any more; None: unchanged. */
  avatar?: string | null;
  /** The new text; empty: none any more; None: unchanged. */
  bio?: string | null;
  /** The whole new object; None: unchanged. */
  custom?: { [name: string]: Json } | null;
};

export type UserProfileChangedDelta = {
  type: "user.profile_changed";
  id: string;
  /** Where the event stands: `rooms/3/1234`. */
  position: string;
  stream: string;
  time: string;
  actor: string;
  data: UserProfileChangedDeltaData;
  /** Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`. */
  include?: DeltaInclude;
  /**
   * Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
   * older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
   */
  deleted?: boolean;
};

export type UserEmailChangedDeltaData = {
  /** The new e-mail address; None: none any more. */
  email: string | null;
};

export type UserEmailChangedDelta = {
  type: "user.email_changed";
  id: string;
  /** Where the event stands: `rooms/3/1234`. */
  position: string;
  stream: string;
  time: string;
  actor: string;
  data: UserEmailChangedDeltaData;
  /** Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`. */
  include?: DeltaInclude;
  /**
   * Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
   * older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
   */
  deleted?: boolean;
};

export type UserEmailAbandonedDeltaData = {
  /** The address in folded form, as in its handle. */
  email: string;
};

export type UserEmailAbandonedDelta = {
  type: "user.email_abandoned";
  id: string;
  /** Where the event stands: `rooms/3/1234`. */
  position: string;
  stream: string;
  time: string;
  actor: string;
  data: UserEmailAbandonedDeltaData;
  /** Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`. */
  include?: DeltaInclude;
  /**
   * Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
   * older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
   */
  deleted?: boolean;
};

export type Nothing = Record<string, never>;

export type UserPasswordChangedDelta = {
  type: "user.password_changed";
  id: string;
  /** Where the event stands: `rooms/3/1234`. */
  position: string;
  stream: string;
  time: string;
  actor: string;
  data: Nothing;
  /** Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`. */
  include?: DeltaInclude;
  /**
   * Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
   * older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
   */
  deleted?: boolean;
};

export type UserSeenDeltaData = {
  /** When the user's last connection ended. */
  seen: string;
};

export type UserSeenDelta = {
  type: "user.seen";
  id: string;
  /** Where the event stands: `rooms/3/1234`. */
  position: string;
  stream: string;
  time: string;
  actor: string;
  data: UserSeenDeltaData;
  /** Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`. */
  include?: DeltaInclude;
  /**
   * Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
   * older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
   */
  deleted?: boolean;
};

export type UserVisualChosenDeltaData = {
  /** The visual that is linked from now on; None: none. */
  visual: string | null;
};

export type UserVisualChosenDelta = {
  type: "user.visual_chosen";
  id: string;
  /** Where the event stands: `rooms/3/1234`. */
  position: string;
  stream: string;
  time: string;
  actor: string;
  data: UserVisualChosenDeltaData;
  /** Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`. */
  include?: DeltaInclude;
  /**
   * Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
   * older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
   */
  deleted?: boolean;
};

export type UserAddedByChosenDeltaData = {
  /** Who may add the user to rooms at once; None: as the installation has it. */
  added_by: "contacts" | "everyone" | "nobody" | null;
};

export type UserAddedByChosenDelta = {
  type: "user.added_by_chosen";
  id: string;
  /** Where the event stands: `rooms/3/1234`. */
  position: string;
  stream: string;
  time: string;
  actor: string;
  data: UserAddedByChosenDeltaData;
  /** Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`. */
  include?: DeltaInclude;
  /**
   * Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
   * older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
   */
  deleted?: boolean;
};

export type UserDeactivatedDelta = {
  type: "user.deactivated";
  id: string;
  /** Where the event stands: `rooms/3/1234`. */
  position: string;
  stream: string;
  time: string;
  actor: string;
  data: Nothing;
  /** Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`. */
  include?: DeltaInclude;
  /**
   * Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
   * older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
   */
  deleted?: boolean;
};

export type UserReactivatedDelta = {
  type: "user.reactivated";
  id: string;
  /** Where the event stands: `rooms/3/1234`. */
  position: string;
  stream: string;
  time: string;
  actor: string;
  data: Nothing;
  /** Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`. */
  include?: DeltaInclude;
  /**
   * Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
   * older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
   */
  deleted?: boolean;
};

export type UserTokensRevokedDeltaData = {
  /** Tokens that were issued before are not good any more. */
  before: string;
};

export type UserTokensRevokedDelta = {
  type: "user.tokens_revoked";
  id: string;
  /** Where the event stands: `rooms/3/1234`. */
  position: string;
  stream: string;
  time: string;
  actor: string;
  data: UserTokensRevokedDeltaData;
  /** Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`. */
  include?: DeltaInclude;
  /**
   * Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
   * older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
   */
  deleted?: boolean;
};

export type UserTeamSetDeltaData = {
  /** Id of the team in which the user is from here on; None: in none. */
  team: string | null;
};

export type UserTeamSetDelta = {
  type: "user.team_set";
  id: string;
  /** Where the event stands: `rooms/3/1234`. */
  position: string;
  stream: string;
  time: string;
  actor: string;
  data: UserTeamSetDeltaData;
  /** Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`. */
  include?: DeltaInclude;
  /**
   * Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
   * older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
   */
  deleted?: boolean;
};

export type UserErasedDeltaData = {
  /** What becomes of what they have said: it stays, or it is deleted, message by message. */
  messages: "hide" | "keep";
};

export type UserErasedDelta = {
  type: "user.erased";
  id: string;
  /** Where the event stands: `rooms/3/1234`. */
  position: string;
  stream: string;
  time: string;
  actor: string;
  data: UserErasedDeltaData;
  /** Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`. */
  include?: DeltaInclude;
  /**
   * Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
   * older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
   */
  deleted?: boolean;
};

export type UserErasureNotedDeltaData = {
  /** Rooms that they have left with it. */
  rooms: number;
  /** Messages of theirs that were deleted with it. */
  hidden: number;
  /** Whether nothing is left to do. */
  done: boolean;
};

export type UserErasureNotedDelta = {
  type: "user.erasure_noted";
  id: string;
  /** Where the event stands: `rooms/3/1234`. */
  position: string;
  stream: string;
  time: string;
  actor: string;
  data: UserErasureNotedDeltaData;
  /** Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`. */
  include?: DeltaInclude;
  /**
   * Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
   * older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
   */
  deleted?: boolean;
};

export type SessionOpenedDeltaData = {
  session: string;
  expires: string;
  /** Whether it ends only after a time without use. */
  sliding?: boolean;
  /** What the device calls itself. */
  device?: string | null;
};

export type SessionOpenedDelta = {
  type: "session.opened";
  id: string;
  /** Where the event stands: `rooms/3/1234`. */
  position: string;
  stream: string;
  time: string;
  actor: string;
  data: SessionOpenedDeltaData;
  /** Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`. */
  include?: DeltaInclude;
  /**
   * Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
   * older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
   */
  deleted?: boolean;
};

export type SessionRenewedDeltaData = {
  session: string;
  /** When the new token ends; earlier ones end when they said. */
  expires: string;
};

export type SessionRenewedDelta = {
  type: "session.renewed";
  id: string;
  /** Where the event stands: `rooms/3/1234`. */
  position: string;
  stream: string;
  time: string;
  actor: string;
  data: SessionRenewedDeltaData;
  /** Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`. */
  include?: DeltaInclude;
  /**
   * Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
   * older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
   */
  deleted?: boolean;
};

export type SessionUsedDelta = {
  type: "session.used";
  id: string;
  /** Where the event stands: `rooms/3/1234`. */
  position: string;
  stream: string;
  time: string;
  actor: string;
  data: SessionRenewedDeltaData;
  /** Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`. */
  include?: DeltaInclude;
  /**
   * Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
   * older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
   */
  deleted?: boolean;
};

export type SessionClosedDelta = {
  type: "session.closed";
  id: string;
  /** Where the event stands: `rooms/3/1234`. */
  position: string;
  stream: string;
  time: string;
  actor: string;
  data: SessionsClose;
  /** Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`. */
  include?: DeltaInclude;
  /**
   * Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
   * older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
   */
  deleted?: boolean;
};

export type RelationshipSetDeltaData = {
  other: string;
  type: "block" | "friend" | null;
  /** What it was before: decides who receives the change (a block is not shown to the blocked). */
  was: "block" | "friend" | null;
};

export type RelationshipSetDelta = {
  type: "relationship.set";
  id: string;
  /** Where the event stands: `rooms/3/1234`. */
  position: string;
  stream: string;
  time: string;
  actor: string;
  data: RelationshipSetDeltaData;
  /** Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`. */
  include?: DeltaInclude;
  /**
   * Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
   * older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
   */
  deleted?: boolean;
};

export type VisualCreatedDeltaData = {
  visual: string;
  model_data: { [name: string]: Json };
  emotion_data: { [name: string]: Json };
};

export type VisualCreatedDelta = {
  type: "visual.created";
  id: string;
  /** Where the event stands: `rooms/3/1234`. */
  position: string;
  stream: string;
  time: string;
  actor: string;
  data: VisualCreatedDeltaData;
  /** Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`. */
  include?: DeltaInclude;
  /**
   * Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
   * older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
   */
  deleted?: boolean;
};

export type VisualChangedDeltaData = {
  visual: string;
  /** The whole new value; None: unchanged. */
  model_data?: { [name: string]: Json } | null;
  emotion_data?: { [name: string]: Json } | null;
};

export type VisualChangedDelta = {
  type: "visual.changed";
  id: string;
  /** Where the event stands: `rooms/3/1234`. */
  position: string;
  stream: string;
  time: string;
  actor: string;
  data: VisualChangedDeltaData;
  /** Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`. */
  include?: DeltaInclude;
  /**
   * Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
   * older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
   */
  deleted?: boolean;
};

export type RoomCreatedDeltaData = {
  type: "direct" | "group";
  /** Of a group: whether anyone finds it and may join. */
  visibility: "private" | "public";
  name: string;
  data: { [name: string]: string };
  description?: string | null;
  /** `RoomSettings`; what is missing has its default. */
  settings?: { [name: string]: Json };
  custom?: { [name: string]: Json };
  /** The name that its maker gave it as an address, from which the stream's id follows; None: none. */
  slug?: string | null;
  /** Id of its team; None: of none. */
  team?: string | null;
};

export type RoomCreatedDelta = {
  type: "room.created";
  id: string;
  /** Where the event stands: `rooms/3/1234`. */
  position: string;
  stream: string;
  time: string;
  actor: string;
  data: RoomCreatedDeltaData;
  /** Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`. */
  include?: DeltaInclude;
  /**
   * Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
   * older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
   */
  deleted?: boolean;
};

export type RoomRenamedDeltaData = {
  name: string;
};

export type RoomRenamedDelta = {
  type: "room.renamed";
  id: string;
  /** Where the event stands: `rooms/3/1234`. */
  position: string;
  stream: string;
  time: string;
  actor: string;
  data: RoomRenamedDeltaData;
  /** Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`. */
  include?: DeltaInclude;
  /**
   * Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
   * older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
   */
  deleted?: boolean;
};

export type RoomDescribedDeltaData = {
  /** What the room is for; None: it does not say any more. */
  description: string | null;
};

export type RoomDescribedDelta = {
  type: "room.described";
  id: string;
  /** Where the event stands: `rooms/3/1234`. */
  position: string;
  stream: string;
  time: string;
  actor: string;
  data: RoomDescribedDeltaData;
  /** Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`. */
  include?: DeltaInclude;
  /**
   * Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
   * older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
   */
  deleted?: boolean;
};

export type RoomTopicLineSetDeltaData = {
  /** What the room is about today, in one line; None: it does not say any more. */
  topic_line: string | null;
};

export type RoomTopicLineSetDelta = {
  type: "room.topic_line_set";
  id: string;
  /** Where the event stands: `rooms/3/1234`. */
  position: string;
  stream: string;
  time: string;
  actor: string;
  data: RoomTopicLineSetDeltaData;
  /** Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`. */
  include?: DeltaInclude;
  /**
   * Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
   * older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
   */
  deleted?: boolean;
};

export type RoomSettingsChangedDeltaData = {
  settings: RoomSettings;
};

export type RoomSettingsChangedDelta = {
  type: "room.settings_changed";
  id: string;
  /** Where the event stands: `rooms/3/1234`. */
  position: string;
  stream: string;
  time: string;
  actor: string;
  data: RoomSettingsChangedDeltaData;
  /** Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`. */
  include?: DeltaInclude;
  /**
   * Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
   * older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
   */
  deleted?: boolean;
};

export type RoomDataChangedDeltaData = {
  /** The whole new data map. */
  data: { [name: string]: string };
};

export type RoomDataChangedDelta = {
  type: "room.data_changed";
  id: string;
  /** Where the event stands: `rooms/3/1234`. */
  position: string;
  stream: string;
  time: string;
  actor: string;
  data: RoomDataChangedDeltaData;
  /** Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`. */
  include?: DeltaInclude;
  /**
   * Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
   * older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
   */
  deleted?: boolean;
};

export type RoomCustomChangedDeltaData = {
  /** The whole new object. */
  custom: { [name: string]: Json };
};

export type RoomCustomChangedDelta = {
  type: "room.custom_changed";
  id: string;
  /** Where the event stands: `rooms/3/1234`. */
  position: string;
  stream: string;
  time: string;
  actor: string;
  data: RoomCustomChangedDeltaData;
  /** Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`. */
  include?: DeltaInclude;
  /**
   * Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
   * older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
   */
  deleted?: boolean;
};

export type RoomArchivedDelta = {
  type: "room.archived";
  id: string;
  /** Where the event stands: `rooms/3/1234`. */
  position: string;
  stream: string;
  time: string;
  actor: string;
  data: Nothing;
  /** Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`. */
  include?: DeltaInclude;
  /**
   * Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
   * older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
   */
  deleted?: boolean;
};

export type RoomUnarchivedDelta = {
  type: "room.unarchived";
  id: string;
  /** Where the event stands: `rooms/3/1234`. */
  position: string;
  stream: string;
  time: string;
  actor: string;
  data: Nothing;
  /** Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`. */
  include?: DeltaInclude;
  /**
   * Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
   * older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
   */
  deleted?: boolean;
};

export type RoomDeletedDelta = {
  type: "room.deleted";
  id: string;
  /** Where the event stands: `rooms/3/1234`. */
  position: string;
  stream: string;
  time: string;
  actor: string;
  data: Nothing;
  /** Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`. */
  include?: DeltaInclude;
  /**
   * Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
   * older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
   */
  deleted?: boolean;
};

export type RoomRestoredDelta = {
  type: "room.restored";
  id: string;
  /** Where the event stands: `rooms/3/1234`. */
  position: string;
  stream: string;
  time: string;
  actor: string;
  data: Nothing;
  /** Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`. */
  include?: DeltaInclude;
  /**
   * Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
   * older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
   */
  deleted?: boolean;
};

export type MemberInvitedDelta = {
  type: "member.invited";
  id: string;
  /** Where the event stands: `rooms/3/1234`. */
  position: string;
  stream: string;
  time: string;
  actor: string;
  data: RelationshipsRemove;
  /** Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`. */
  include?: DeltaInclude;
  /**
   * Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
   * older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
   */
  deleted?: boolean;
};

export type InvitationDeclinedDeltaData = {
  user: string;
  /** Who had invited. */
  by: string;
};

export type InvitationDeclinedDelta = {
  type: "invitation.declined";
  id: string;
  /** Where the event stands: `rooms/3/1234`. */
  position: string;
  stream: string;
  time: string;
  actor: string;
  data: InvitationDeclinedDeltaData;
  /** Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`. */
  include?: DeltaInclude;
  /**
   * Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
   * older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
   */
  deleted?: boolean;
};

export type InvitationWithdrawnDelta = {
  type: "invitation.withdrawn";
  id: string;
  /** Where the event stands: `rooms/3/1234`. */
  position: string;
  stream: string;
  time: string;
  actor: string;
  data: InvitationDeclinedDeltaData;
  /** Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`. */
  include?: DeltaInclude;
  /**
   * Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
   * older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
   */
  deleted?: boolean;
};

export type MemberJoinedDeltaData = {
  message?: string | null;
  seq?: number | null;
  user: string;
  role: "admin" | "member" | "owner";
  /** Whether it is the user's own will, and not only that of who added them. */
  willing?: boolean;
};

export type MemberJoinedDelta = {
  type: "member.joined";
  id: string;
  /** Where the event stands: `rooms/3/1234`. */
  position: string;
  stream: string;
  time: string;
  actor: string;
  data: MemberJoinedDeltaData;
  /** Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`. */
  include?: DeltaInclude;
  /**
   * Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
   * older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
   */
  deleted?: boolean;
};

export type MemberLeftDeltaData = {
  message?: string | null;
  seq?: number | null;
  user: string;
};

export type MemberLeftDelta = {
  type: "member.left";
  id: string;
  /** Where the event stands: `rooms/3/1234`. */
  position: string;
  stream: string;
  time: string;
  actor: string;
  data: MemberLeftDeltaData;
  /** Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`. */
  include?: DeltaInclude;
  /**
   * Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
   * older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
   */
  deleted?: boolean;
};

export type MemberRoleChangedDeltaData = {
  message?: string | null;
  seq?: number | null;
  user: string;
  role: "admin" | "member" | "owner";
};

export type MemberRoleChangedDelta = {
  type: "member.role_changed";
  id: string;
  /** Where the event stands: `rooms/3/1234`. */
  position: string;
  stream: string;
  time: string;
  actor: string;
  data: MemberRoleChangedDeltaData;
  /** Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`. */
  include?: DeltaInclude;
  /**
   * Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
   * older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
   */
  deleted?: boolean;
};

export type MemberReadDeltaData = {
  user: string;
  /** Everything up to this sequence number is read. */
  seq: number;
};

export type MemberReadDelta = {
  type: "member.read";
  id: string;
  /** Where the event stands: `rooms/3/1234`. */
  position: string;
  stream: string;
  time: string;
  actor: string;
  data: MemberReadDeltaData;
  /** Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`. */
  include?: DeltaInclude;
  /**
   * Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
   * older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
   */
  deleted?: boolean;
};

export type MemberNotificationsSetDeltaData = {
  user: string;
  /** Whether the member wants to be notified of messages. */
  notifications: boolean;
};

export type MemberNotificationsSetDelta = {
  type: "member.notifications_set";
  id: string;
  /** Where the event stands: `rooms/3/1234`. */
  position: string;
  stream: string;
  time: string;
  actor: string;
  data: MemberNotificationsSetDeltaData;
  /** Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`. */
  include?: DeltaInclude;
  /**
   * Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
   * older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
   */
  deleted?: boolean;
};

export type MemberCustomChangedDeltaData = {
  user: string;
  /** The whole new object. */
  custom: { [name: string]: Json };
};

export type MemberCustomChangedDelta = {
  type: "member.custom_changed";
  id: string;
  /** Where the event stands: `rooms/3/1234`. */
  position: string;
  stream: string;
  time: string;
  actor: string;
  data: MemberCustomChangedDeltaData;
  /** Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`. */
  include?: DeltaInclude;
  /**
   * Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
   * older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
   */
  deleted?: boolean;
};

export type MessagePostedDeltaDataText = {
  message: string;
  seq: number;
  token: string;
  type: "text";
  content: ShownText;
  data: { [name: string]: Json };
};

export type MessagePostedDeltaDataAction = {
  message: string;
  seq: number;
  token: string;
  type: "action";
  content: ShownText;
  data: { [name: string]: Json };
};

export type MessagePostedDeltaDataImage = {
  message: string;
  seq: number;
  token: string;
  type: "image";
  content: ShownImage;
  data: { [name: string]: Json };
};

export type MessagePostedDeltaDataFile = {
  message: string;
  seq: number;
  token: string;
  type: "file";
  content: ShownFile;
  data: { [name: string]: Json };
};

export type MessagePostedDeltaDataCustom = {
  message: string;
  seq: number;
  token: string;
  type: "custom";
  content: ShownCustom;
  data: { [name: string]: Json };
};

export type MessagePostedDelta = {
  type: "message.posted";
  id: string;
  /** Where the event stands: `rooms/3/1234`. */
  position: string;
  stream: string;
  time: string;
  actor: string;
  data: MessagePostedDeltaDataText | MessagePostedDeltaDataAction | MessagePostedDeltaDataImage | MessagePostedDeltaDataFile | MessagePostedDeltaDataCustom;
  /** Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`. */
  include?: DeltaInclude;
  /**
   * Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
   * older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
   */
  deleted?: boolean;
};

export type MessageEditedDeltaData = {
  message: string;
  content: { [name: string]: Json };
  data: { [name: string]: Json };
};

export type MessageEditedDelta = {
  type: "message.edited";
  id: string;
  /** Where the event stands: `rooms/3/1234`. */
  position: string;
  stream: string;
  time: string;
  actor: string;
  data: MessageEditedDeltaData;
  /** Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`. */
  include?: DeltaInclude;
  /**
   * Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
   * older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
   */
  deleted?: boolean;
};

export type MessageDeletedDeltaData = {
  message: string;
};

export type MessageDeletedDelta = {
  type: "message.deleted";
  id: string;
  /** Where the event stands: `rooms/3/1234`. */
  position: string;
  stream: string;
  time: string;
  actor: string;
  data: MessageDeletedDeltaData;
  /** Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`. */
  include?: DeltaInclude;
  /**
   * Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
   * older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
   */
  deleted?: boolean;
};

export type MessageRestoredDelta = {
  type: "message.restored";
  id: string;
  /** Where the event stands: `rooms/3/1234`. */
  position: string;
  stream: string;
  time: string;
  actor: string;
  data: MessageDeletedDeltaData;
  /** Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`. */
  include?: DeltaInclude;
  /**
   * Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
   * older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
   */
  deleted?: boolean;
};

export type MessageEmotionDetectedDeltaData = {
  message: string;
  emotion: string | null;
  /** Whether the author's visual can show it: only then do people see it. */
  shown: boolean;
};

export type MessageEmotionDetectedDelta = {
  type: "message.emotion_detected";
  id: string;
  /** Where the event stands: `rooms/3/1234`. */
  position: string;
  stream: string;
  time: string;
  actor: string;
  data: MessageEmotionDetectedDeltaData;
  /** Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`. */
  include?: DeltaInclude;
  /**
   * Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
   * older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
   */
  deleted?: boolean;
};

export type MessagePinnedDelta = {
  type: "message.pinned";
  id: string;
  /** Where the event stands: `rooms/3/1234`. */
  position: string;
  stream: string;
  time: string;
  actor: string;
  data: MessageDeletedDeltaData;
  /** Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`. */
  include?: DeltaInclude;
  /**
   * Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
   * older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
   */
  deleted?: boolean;
};

export type MessageUnpinnedDelta = {
  type: "message.unpinned";
  id: string;
  /** Where the event stands: `rooms/3/1234`. */
  position: string;
  stream: string;
  time: string;
  actor: string;
  data: MessageDeletedDeltaData;
  /** Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`. */
  include?: DeltaInclude;
  /**
   * Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
   * older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
   */
  deleted?: boolean;
};

/** What a client receives. */
export type Delta = 
  | UserRegisteredDelta
  | UserProfileChangedDelta
  | UserEmailChangedDelta
  | UserEmailAbandonedDelta
  | UserPasswordChangedDelta
  | UserSeenDelta
  | UserVisualChosenDelta
  | UserAddedByChosenDelta
  | UserDeactivatedDelta
  | UserReactivatedDelta
  | UserTokensRevokedDelta
  | UserTeamSetDelta
  | UserErasedDelta
  | UserErasureNotedDelta
  | SessionOpenedDelta
  | SessionRenewedDelta
  | SessionUsedDelta
  | SessionClosedDelta
  | RelationshipSetDelta
  | VisualCreatedDelta
  | VisualChangedDelta
  | RoomCreatedDelta
  | RoomRenamedDelta
  | RoomDescribedDelta
  | RoomTopicLineSetDelta
  | RoomSettingsChangedDelta
  | RoomDataChangedDelta
  | RoomCustomChangedDelta
  | RoomArchivedDelta
  | RoomUnarchivedDelta
  | RoomDeletedDelta
  | RoomRestoredDelta
  | MemberInvitedDelta
  | InvitationDeclinedDelta
  | InvitationWithdrawnDelta
  | MemberJoinedDelta
  | MemberLeftDelta
  | MemberRoleChangedDelta
  | MemberReadDelta
  | MemberNotificationsSetDelta
  | MemberCustomChangedDelta
  | MessagePostedDelta
  | MessageEditedDelta
  | MessageDeletedDelta
  | MessageRestoredDelta
  | MessageEmotionDetectedDelta
  | MessagePinnedDelta
  | MessageUnpinnedDelta;

/** Type of a delta in `ROOM_CHANGES`. */
export type RoomChange = "room.renamed" | "room.described" | "room.topic_line_set" | "room.settings_changed" | "room.data_changed" | "room.custom_changed";

/** What a deleted room shows besides its id, type, state and times. */
export type GoneRoom = {
  name: string;
  description: string | null;
  topic_line: string | null;
  settings: RoomSettings;
  data: { [name: string]: string };
  custom: { [name: string]: Json };
  seq: number;
  last: string | null;
  members: number;
  pins: number;
  owner: string | null;
};

/** Codes of problems; a newer server may have more. */
export type ProblemCode =
  "invalid" |
  "malformed" |
  "unauthenticated" |
  "token_expired" |
  "token_not_yet_valid" |
  "token_revoked" |
  "suspended" |
  "forbidden" |
  "not_found" |
  "erased" |
  "method_not_allowed" |
  "declined" |
  "too_many" |
  "in_use" |
  "taken" |
  "key_reused" |
  "archived" |
  "no_successor" |
  "limit_reached" |
  "quota_used" |
  "too_large" |
  "too_slow" |
  "misdirected" |
  "upgrade_required" |
  "head_too_large" |
  "rate_limited" |
  "insufficient_storage" |
  "internal" |
  "overloaded" |
  "lagging" |
  "parked" |
  "no_owner" |
  "unavailable" |
  "unknown";

/** Types of deltas that set members of their room: each becomes what `data` says. */
export const ROOM_CHANGES: readonly RoomChange[] = [
  "room.renamed",
  "room.described",
  "room.topic_line_set",
  "room.settings_changed",
  "room.data_changed",
  "room.custom_changed",
];

/** What a deleted room shows besides its id, type, state and times. */
export const GONE: Readonly<GoneRoom> = {
  name: "",
  description: null,
  topic_line: null,
  settings: { notifications: true, announcements: true, posting: "members", inviting: "members" },
  data: {},
  custom: {},
  seq: 0,
  last: null,
  members: 0,
  pins: 0,
  owner: null,
};

/** How a call may be sent again without an answer: a read as it is, a change with its key, the rest not at all. */
export type Repeat = "read" | "key" | "client_id" | "never";

/** Sends one call. What `makeRpc` is given decides how. */
export type Call = <T>(method: string, params: object, repeat: Repeat) => Promise<T>;

/** Every operation, by its name: `rpc.messages.send(...)`. Each rejects with a `Problem`. */
export type Rpc = {
  users: {
    /** Register a user and log in */
    register(params: UsersRegister): Promise<UsersRegisterAnswer>;
    /** Search users by name or username, or get several by id */
    find(params?: UsersFind): Promise<UsersFindAnswer>;
    /** Your own user */
    me(params?: UsersMe): Promise<UsersMeAnswer>;
    /** Change your name, picture, text, data map, e-mail address, or who may add you to rooms */
    change(params?: UsersChange): Promise<UsersChangeAnswer>;
    /** A user's profile */
    get(params: UsersGet): Promise<UsersGetAnswer>;
    /** Change your password, or set the first one; your other sessions end, this one continues */
    changePassword(params: UsersChangePassword): Promise<UsersChangePasswordAnswer>;
  };
  sessions: {
    /** Log in by username or e-mail address, and password */
    open(params: SessionsOpen): Promise<SessionsOpenAnswer>;
    /** Where you are logged in: your sessions that have not ended, the last opened first */
    list(params?: SessionsList): Promise<SessionsListAnswer>;
    /** Open a session for a person who has logged in to your application */
    issue(params: SessionsIssue): Promise<SessionsIssueAnswer>;
    /** Stay logged in: another token for this session, which ends later; the old one ends when it said */
    renew(params?: SessionsRenew): Promise<SessionsRenewAnswer>;
    /** Log out, here or elsewhere: the session's tokens are void from then on */
    close(params: SessionsClose): Promise<void>;
  };
  relationships: {
    /** Your friends and the people you block, or who has you as a friend */
    list(params?: RelationshipsList): Promise<RelationshipsListAnswer>;
    /** Befriend or block a user, or (null) neither */
    set(params: RelationshipsSet): Promise<RelationshipsSetAnswer>;
    /** Remove a friend or a block */
    remove(params: RelationshipsRemove): Promise<RelationshipsRemoveAnswer>;
  };
  visuals: {
    /** Make a visual character */
    create(params: VisualsCreate): Promise<VisualsCreateAnswer>;
    /** Your visual characters, or several by id */
    list(params?: VisualsList): Promise<VisualsListAnswer>;
    /** A visual character */
    get(params: VisualsGet): Promise<VisualsGetAnswer>;
    /** Change your visual character */
    change(params: VisualsChange): Promise<VisualsChangeAnswer>;
    /** Link a visual character, or make one and link it */
    choose(params?: VisualsChoose): Promise<VisualsChooseAnswer>;
  };
  rooms: {
    /** Make a public or private room, or talk with one other (the same two always get the same direct room) */
    create(params: RoomsCreate): Promise<RoomsCreateAnswer>;
    /** The rooms you are in, with last message and unread count; public rooms; or rooms by name */
    find(params?: RoomsFind): Promise<RoomsFindAnswer>;
    /** A room you are in */
    get(params: RoomsGet): Promise<RoomsGetAnswer>;
    /** Change a room's name, description, topic line, settings, data map or custom object */
    change(params: RoomsChange): Promise<RoomsChangeAnswer>;
    /** Delete a room: for its members it no longer exists; an operator can restore it */
    delete(params: RoomsDelete): Promise<void>;
    /** Archive a room: it can be read and left, but not written to */
    archive(params: RoomsArchive): Promise<RoomsArchiveAnswer>;
    /** Unarchive a room */
    unarchive(params: RoomsUnarchive): Promise<RoomsUnarchiveAnswer>;
    /** The events of a room you are in, the latest first */
    history(params: RoomsHistory): Promise<RoomsHistoryAnswer>;
    /** The pinned messages of a room, the one pinned last first */
    pins(params: RoomsPins): Promise<RoomsPinsAnswer>;
  };
  members: {
    /** The members of a room, with profiles */
    list(params: MembersList): Promise<MembersListAnswer>;
    /** Join a room or accept an invitation (`me`), or add others: those who do not allow it are invited */
    add(params: MembersAdd): Promise<MembersAddAnswer>;
    /** Leave a room (`me`), remove somebody, or withdraw an invitation */
    remove(params: MembersRemove): Promise<void>;
    /** Change the custom object of a member: your own (`me`), or another's as owner or admin */
    change(params: MembersChange): Promise<MembersChangeAnswer>;
    /** Promote or demote a member, or pass the room on to a new owner */
    setRole(params: MembersSetRole): Promise<MembersSetRoleAnswer>;
    /** Choose whether you want to be notified of a room's messages */
    setNotifications(params: MembersSetNotifications): Promise<MembersSetNotificationsAnswer>;
    /** Mark everything up to a message as read, and nothing after it; or only forward */
    read(params: MembersRead): Promise<MembersReadAnswer>;
  };
  invitations: {
    /** The rooms to which you were invited, and by whom; accept with `members.add` (`me`) */
    list(params?: InvitationsList): Promise<InvitationsListAnswer>;
    /** Decline an invitation */
    decline(params: InvitationsDecline): Promise<void>;
  };
  messages: {
    /** Send a message to a room you are in */
    send(params: MessagesSend): Promise<MessagesSendAnswer>;
    /** Messages of a room you are in, in order, with their authors */
    read(params: MessagesRead): Promise<MessagesReadAnswer>;
    /** One message */
    get(params: MessagesGet): Promise<MessagesGetAnswer>;
    /** Edit a message of yours */
    edit(params: MessagesEdit): Promise<MessagesEditAnswer>;
    /** Delete a message: its place and number stay */
    delete(params: MessagesDelete): Promise<void>;
    /** The earlier versions of an edited message, the oldest first */
    edits(params: MessagesEdits): Promise<MessagesEditsAnswer>;
    /** Pin a message, for all members of the room */
    pin(params: MessagesPin): Promise<MessagesPinAnswer>;
    /** Unpin a message */
    unpin(params: MessagesUnpin): Promise<void>;
    /** Set the emotion that a message shows */
    setEmotion(params: MessagesSetEmotion): Promise<MessagesSetEmotionAnswer>;
    /** Set the emotions that some messages show, each decided separately */
    setEmotions(params: MessagesSetEmotions): Promise<MessagesSetEmotionsAnswer>;
    /** Search in the messages of your rooms, the newest first: within a room by `seq`, between rooms by time */
    search(params: MessagesSearch): Promise<MessagesSearchAnswer>;
  };
  channels: {
    /** Make a live channel */
    create(params: ChannelsCreate): Promise<ChannelsCreateAnswer>;
    /** Live channels, each with who is in it */
    list(params?: ChannelsList): Promise<ChannelsListAnswer>;
    /** A live channel, with who is in it */
    get(params: ChannelsGet): Promise<ChannelsGetAnswer>;
    /** Delete a live channel */
    delete(params: ChannelsDelete): Promise<void>;
    /** Be sent to the server of a live channel */
    listen(params: ChannelsListen): Promise<ChannelsListenAnswer>;
    /** Report that a server of live channels lives, and what it serves */
    report(params: ChannelsReport): Promise<void>;
    /** Receive on this connection who is in some live channels, from now on */
    watch(params: ChannelsWatch): Promise<void>;
  };
  apps: {
    /** What the caller's application is called, and whether one may register */
    about(params?: AppsAbout): Promise<AppsAboutAnswer>;
  };
  sync: {
    /** A snapshot of all that concerns you, page by page; the first has the cursor from which deltas continue */
    get(params?: SyncGet): Promise<SyncGetAnswer>;
  };
  changes: {
    /** Your deltas after a cursor, or a snapshot if they are no longer kept */
    pull(params?: ChangesPull): Promise<ChangesPullAnswer>;
  };
  presence: {
    /** Which of some users are online, away or offline */
    get(params: PresenceGet): Promise<PresenceGetAnswer>;
    /** Who in a room is connected, and who has it open */
    room(params: PresenceRoom): Promise<PresenceRoomAnswer>;
    /** Report which room this connection shows, and whether anybody is there */
    set(params: PresenceSet): Promise<void>;
  };
  signals: {
    /** Report that you are typing in a room, or have stopped */
    type(params: SignalsType): Promise<void>;
  };
};

export function makeRpc(call: Call): Rpc {
  return {
    users: {
      register: (params) => call("users.register", params, "key"),
      find: (params = {}) => call("users.find", params, "read"),
      me: (params = {}) => call("users.me", params, "read"),
      change: (params = {}) => call("users.change", params, "key"),
      get: (params) => call("users.get", params, "read"),
      changePassword: (params) => call("users.change_password", params, "key"),
    },
    sessions: {
      open: (params) => call("sessions.open", params, "key"),
      list: (params = {}) => call("sessions.list", params, "read"),
      issue: (params) => call("sessions.issue", params, "key"),
      renew: (params = {}) => call("sessions.renew", params, "key"),
      close: (params) => call("sessions.close", params, "key"),
    },
    relationships: {
      list: (params = {}) => call("relationships.list", params, "read"),
      set: (params) => call("relationships.set", params, "key"),
      remove: (params) => call("relationships.remove", params, "key"),
    },
    visuals: {
      create: (params) => call("visuals.create", params, "key"),
      list: (params = {}) => call("visuals.list", params, "read"),
      get: (params) => call("visuals.get", params, "read"),
      change: (params) => call("visuals.change", params, "key"),
      choose: (params = {}) => call("visuals.choose", params, "key"),
    },
    rooms: {
      create: (params) => call("rooms.create", params, "key"),
      find: (params = {}) => call("rooms.find", params, "read"),
      get: (params) => call("rooms.get", params, "read"),
      change: (params) => call("rooms.change", params, "key"),
      delete: (params) => call("rooms.delete", params, "key"),
      archive: (params) => call("rooms.archive", params, "key"),
      unarchive: (params) => call("rooms.unarchive", params, "key"),
      history: (params) => call("rooms.history", params, "read"),
      pins: (params) => call("rooms.pins", params, "read"),
    },
    members: {
      list: (params) => call("members.list", params, "read"),
      add: (params) => call("members.add", params, "key"),
      remove: (params) => call("members.remove", params, "key"),
      change: (params) => call("members.change", params, "key"),
      setRole: (params) => call("members.set_role", params, "key"),
      setNotifications: (params) => call("members.set_notifications", params, "key"),
      read: (params) => call("members.read", params, "key"),
    },
    invitations: {
      list: (params = {}) => call("invitations.list", params, "read"),
      decline: (params) => call("invitations.decline", params, "key"),
    },
    messages: {
      send: (params) => call("messages.send", params, "client_id"),
      read: (params) => call("messages.read", params, "read"),
      get: (params) => call("messages.get", params, "read"),
      edit: (params) => call("messages.edit", params, "key"),
      delete: (params) => call("messages.delete", params, "key"),
      edits: (params) => call("messages.edits", params, "read"),
      pin: (params) => call("messages.pin", params, "key"),
      unpin: (params) => call("messages.unpin", params, "key"),
      setEmotion: (params) => call("messages.set_emotion", params, "key"),
      setEmotions: (params) => call("messages.set_emotions", params, "never"),
      search: (params) => call("messages.search", params, "read"),
    },
    channels: {
      create: (params) => call("channels.create", params, "key"),
      list: (params = {}) => call("channels.list", params, "read"),
      get: (params) => call("channels.get", params, "read"),
      delete: (params) => call("channels.delete", params, "key"),
      listen: (params) => call("channels.listen", params, "key"),
      report: (params) => call("channels.report", params, "never"),
      watch: (params) => call("channels.watch", params, "never"),
    },
    apps: {
      about: (params = {}) => call("apps.about", params, "read"),
    },
    sync: {
      get: (params = {}) => call("sync.get", params, "read"),
    },
    changes: {
      pull: (params = {}) => call("changes.pull", params, "read"),
    },
    presence: {
      get: (params) => call("presence.get", params, "read"),
      room: (params) => call("presence.room", params, "read"),
      set: (params) => call("presence.set", params, "never"),
    },
    signals: {
      type: (params) => call("signals.type", params, "never"),
    },
  };
}
