"""Made from schemas/openapi.json and schemas/asyncapi.json by `./klatsch schemas`: change those, not this file."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal, NotRequired, TypeAlias, TypedDict, Unpack, cast, overload

#: Whatever JSON can say.
Json: TypeAlias = Any

#: The public profile. Without `updated` and `seen`, which tell when the user was last here (see presence).
class User(TypedDict):
    id: str
    #: Unique in it, as registered; compared without case. Empty: none, as an application may leave it out.
    username: str
    #: Shown name.
    name: str
    #: `person`, or `service` for a program that acts by itself.
    role: Literal["person", "service"]
    #: The linked visual character.
    visual: str | None
    kind: Literal["anonymous", "guest", "regular"]
    #: Id of the team in which they are; None: in none. They see rooms and people of the same team only.
    team: str | None
    #: Address of a picture.
    avatar: str | None
    #: What they say of themselves.
    bio: str | None
    data: dict[str, str]
    custom: dict[str, Json]
    #: Since when they can do nothing; None: they can.
    deactivated: str | None
    #: Since when the account is erased, for good; None: it is not.
    erased: str | None
    created: str
    #: Offset of the latest event; of two views of one thing keep the one with the higher version.
    version: int

class Self(TypedDict):
    """The profile as the user sees it. The credential is shown to nobody."""
    id: str
    #: Unique in it, as registered; compared without case. Empty: none, as an application may leave it out.
    username: str
    #: Shown name.
    name: str
    #: `person`, or `service` for a program that acts by itself.
    role: Literal["person", "service"]
    #: The linked visual character.
    visual: str | None
    kind: Literal["anonymous", "guest", "regular"]
    #: Id of the team in which they are; None: in none. They see rooms and people of the same team only.
    team: str | None
    #: Address of a picture.
    avatar: str | None
    #: What they say of themselves.
    bio: str | None
    data: dict[str, str]
    custom: dict[str, Json]
    #: Since when they can do nothing; None: they can.
    deactivated: str | None
    #: Since when the account is erased, for good; None: it is not.
    erased: str | None
    created: str
    #: Offset of the latest event; of two views of one thing keep the one with the higher version.
    version: int
    #: Where mail reaches the user, as it is sent: the domain in lower case and ASCII (RFC 5890). Only the user sees
    #: it.
    email: str | None
    #: When the user was last known to be here: the latest log-in, or the end of a visit. None: never logged in (S2).
    seen: str | None
    updated: str
    #: Who may add the user to rooms at once; others invite. None: not chosen, so the installation's default holds.
    #: `contacts`: whom the user holds for a friend, and who shares a room with them in which they are by their own
    #: will.
    added_by: Literal["contacts", "everyone", "nobody"] | None
    #: What their application calls them, in whose words the id is derived; None: registered themselves.
    external: str | None

class Relationship(TypedDict):
    """What `user` is to `other`, as `user` sees it."""
    user: str
    other: str
    type: Literal["block", "friend"] | None
    created: str
    updated: str
    #: Offset of the latest event; of two views of one thing keep the one with the higher version.
    version: int

class Visual(TypedDict):
    """A visual character; anyone may see and link it."""
    id: str
    owner: str
    model_data: dict[str, Json]
    #: Emotion name -> supported or not, or its settings: `{"joy": true, "anger": false, "fear": {"eyes": "wide"}}`.
    emotion_data: dict[str, bool | dict[str, Json]]
    created: str
    updated: str
    #: Offset of the latest event; of two views of one thing keep the one with the higher version.
    version: int

class Room(TypedDict):
    """A room as its members see it. Of a deleted one only its type, state and times are left."""
    id: str
    #: The name that its maker gave it as an address (S3 `type:id`), from which `id` follows; None: `id` is all it
    #: has, or it was made before this was noted.
    slug: str | None
    #: Id of the team to which it belongs, for ever; None: to none. Only people of the same team see it.
    team: str | None
    #: `public`: anyone finds it and may join. `private`: only members see it; they let others in. `direct`: exactly
    #: two people, the same room for the same two.
    type: Literal["direct", "private", "public"]
    #: Empty for a direct room: it is shown under the other's name.
    name: str
    #: What the room is for.
    description: str | None
    #: What it is about today, in one line.
    topic_line: str | None
    settings: RoomSettings
    #: `archived`: it can be read, and left, but not written to. `deleted`: to its members it no longer exists.
    state: Literal["active", "archived", "deleted"]
    data: dict[str, str]
    #: A JSON object that apps make up.
    custom: dict[str, Json]
    #: Sequence number of the last message; the first is 1.
    seq: int
    #: Id of the last message.
    last: str | None
    #: How many members there are.
    members: int
    #: How many of its messages are pinned.
    pins: int
    #: The owner; None in a direct room, and in a room that everyone has left.
    owner: str | None
    created: str
    #: Time of the last event that people see: message, name, description, topic line, settings, data, custom, state.
    updated: str
    #: Offset of the latest event; of two views of one thing keep the one with the higher version.
    version: int

class Member(TypedDict):
    """A member as they see themselves: whether they want to be notified is their own."""
    room: str
    user: str
    #: At most one member is the owner, at every position of the log.
    role: Literal["admin", "member", "owner"]
    joined: str
    #: Sequence number up to which everything is read: unread = the room's last - this.
    read: int
    #: When that was noted.
    read_at: str
    #: A JSON object that apps make up; who comes back still has it.
    custom: dict[str, Json]
    #: Offset of the latest event; of two views of one thing keep the one with the higher version.
    version: int
    #: Whether the member wants to be notified of messages.
    notifications: bool

class RoomMember(TypedDict):
    """A member as the others see them, with how far they have read."""
    room: str
    user: str
    #: At most one member is the owner, at every position of the log.
    role: Literal["admin", "member", "owner"]
    joined: str
    #: Sequence number up to which everything is read: unread = the room's last - this.
    read: int
    #: When that was noted.
    read_at: str
    #: A JSON object that apps make up; who comes back still has it.
    custom: dict[str, Json]
    #: Offset of the latest event; of two views of one thing keep the one with the higher version.
    version: int

class Invitation(TypedDict):
    """An invitation as who is invited sees it, and who invites: nothing of the room but what stands here."""
    room: str
    user: str
    #: Who invited.
    by: str
    #: Type and name of the room, as of the invitation.
    type: Literal["direct", "private", "public"]
    name: str
    created: str
    #: Offset of the latest event; of two views of one thing keep the one with the higher version.
    version: int

class Revision(TypedDict):
    """What a message held before an edit."""
    number: int
    content: dict[str, Json]
    data: dict[str, Json]
    #: Since when the message held this.
    created: str

class Pin(TypedDict):
    """Who pinned a message, and when."""
    room: str
    message: str
    #: Who pinned it.
    by: str
    #: When it was pinned.
    pinned: str
    #: Offset of the latest event; of two views of one thing keep the one with the higher version.
    version: int

class Channel(TypedDict):
    """A live channel; who is in it now, its servers tell."""
    #: 1, 2, 3 and so on, in the order in which they were made.
    id: int
    name: str
    #: How many users may be in it at once.
    limit: int
    #: Who made it.
    owner: str
    created: str
    #: Offset of the latest event; of two views of one thing keep the one with the higher version.
    version: int

class OwnSession(TypedDict):
    """A log-in of yours."""
    id: str
    opened: str
    #: When the latest of its tokens ends.
    expires: str
    #: What the device on which it was opened calls itself; None: it did not say.
    device: str | None
    #: When it was last noted to be in use; None: a session of before this was noted.
    used: str | None
    #: Offset of the latest event; of two views of one thing keep the one with the higher version.
    version: int
    #: The one in use.
    current: bool

class Entry(TypedDict):
    """A room in a list, with your membership and the last message."""
    room: Room
    member: Member | None
    #: Messages that you have not read: `seq` of the room - your `read`; deleted ones count.
    unread: int
    message: Message | None
    #: The other person of a direct room.
    peer: str | None

class FoundRoom(TypedDict):
    """A room that a search found."""
    room: Room
    #: Whether you are in it.
    joined: bool

class FoundMessage(TypedDict):
    """A message that a search found."""
    message: Message
    highlights: list[list[int]]

class MemberWithUser(TypedDict):
    """A member's profile."""
    member: RoomMember
    user: User

class AddedMember(TypedDict):
    """Who came in: without `notifications`, unless it is you."""
    room: str
    user: str
    #: At most one member is the owner, at every position of the log.
    role: Literal["admin", "member", "owner"]
    joined: str
    #: Sequence number up to which everything is read: unread = the room's last - this.
    read: int
    #: When that was noted.
    read_at: str
    #: A JSON object that apps make up; who comes back still has it.
    custom: dict[str, Json]
    #: Offset of the latest event; of two views of one thing keep the one with the higher version.
    version: int
    #: Whether the member wants to be notified of messages.
    notifications: NotRequired[bool]

class PinnedMessage(TypedDict):
    """A pinned message of a room."""
    pin: Pin
    #: null: of a month that an operator has archived.
    message: Message | None

class ChannelNow(TypedDict):
    """A live channel with who is in it."""
    #: 1, 2, 3 and so on, in the order in which they were made.
    id: int
    name: str
    #: How many users may be in it at once.
    limit: int
    #: Who made it.
    owner: str
    created: str
    #: Offset of the latest event; of two views of one thing keep the one with the higher version.
    version: int
    #: Who is in it, as its server has reported, without those with whom you have a block.
    users: list[ChannelUser]

class ChannelUser(TypedDict):
    """Somebody who is in a live channel."""
    #: The username.
    id: str
    #: The shown name.
    name: str
    #: `user_id` of what they say in live channels, the same in all of them and for ever. null: they have never
    #: listened here.
    number: int | None

class ChannelServer(TypedDict):
    """A server of live channels."""
    id: str
    #: Where to connect: `host:port`.
    address: str
    name: str

class Presence(TypedDict):
    """Whether the user is there."""
    user: str
    #: `offline` also if you may not know.
    status: Literal["online", "away", "offline"]
    #: Last activity, as of the latest change; for somebody offline, when they were last seen. null: never, or you
    #: may not know; in signals (push) for everybody offline.
    active: str | None
    #: The room that they show, if you are in it too.
    room: str | None

class Change(TypedDict):
    """An event of a room's history."""
    id: str
    type: str
    #: Where the event stands: `rooms/3/1234`.
    position: str
    stream: str
    time: str
    actor: str
    #: The event's payload as you may see it; its fields: the reference of events.
    data: dict[str, Json]

class Snapshot(TypedDict):
    """Everything that concerns you, as of `vector`, or the first page of it."""
    #: Where deltas continue, as offset of the push protocol.
    cursor: int
    #: Incarnation of the feed that the cursor belongs to.
    epoch: str
    #: Next offset of each shard (`rooms/3`): every event below it is in the snapshot.
    vector: dict[str, int]
    me: Self
    relationships: list[Relationship]
    friend_of: list[Relationship]
    invitations: list[Invitation]
    rooms: list[Entry]
    users: list[User]
    #: Send it as `cursor` for the next page; null: the last page.
    next: str | None

class EmotionResult(TypedDict):
    """The result of one emotion."""
    message: str
    result: Literal["set", "refused"]
    #: Whether the author's visual can show it: only then do people see it.
    shown: NotRequired[bool]
    #: Of a refusal, as in a problem document.
    code: NotRequired[str]
    detail: NotRequired[str]

class RoomSettings(TypedDict):
    """How a room is run (S2 ChatRoom.settings). A direct room has these defaults, without announcements."""
    #: Whether those who join are notified of messages, until they choose for themselves.
    notifications: bool
    #: Whether joining, leaving and new roles become messages of the room.
    announcements: bool
    #: Who may post: all members, or only the owner and admins.
    posting: Literal["admins", "members"]
    #: Who may let others in.
    inviting: Literal["admins", "members"]

class RoomSettingsChange(TypedDict):
    """Settings that change; what is not named stays."""
    notifications: NotRequired[bool | None]
    announcements: NotRequired[bool | None]
    posting: NotRequired[Literal["admins", "members"] | None]
    inviting: NotRequired[Literal["admins", "members"] | None]

class TextContent(TypedDict):
    """`text` and `action` (the message says what its author does: "/me waves")."""
    text: str

class ImageContent(TypedDict):
    url: str
    alt: NotRequired[str]
    width: NotRequired[int | None]
    height: NotRequired[int | None]

class FileContent(TypedDict):
    url: str
    name: str
    size: NotRequired[int | None]

class ProblemErrors(TypedDict):
    #: Where in the body (RFC 6901), or in the data of an RPC: `/content/text`. Empty: all of it.
    pointer: NotRequired[str]
    #: The parameter of the path or the query.
    parameter: NotRequired[str]
    #: The header.
    header: NotRequired[str]
    #: What was expected there, for people: `a string of 1 to 2000 characters`.
    expected: str
    #: What was found: its kind and size, seldom itself, never a password or token. `nothing`: no member.
    actual: str

class Problem(TypedDict):
    """What went wrong (RFC 9457)."""
    #: `urn:klatsch:problem:` and the code; stable.
    type: str
    title: str
    status: int
    #: What was expected, and what was found.
    detail: str
    #: Each wrong place of the request, at most twenty; if known.
    errors: NotRequired[list[ProblemErrors]]
    #: Seconds to wait before trying again.
    retry_after: NotRequired[float]
    #: The limit that was met: of calls, or of the application's plan.
    limit: NotRequired[str]
    #: How much it allows.
    most: NotRequired[int]
    #: How much there is.
    used: NotRequired[int]
    #: Seconds until it is whole again, where time alone does it.
    reset: NotRequired[int]
    #: As in the header `X-Request-Id`: the operator finds it in the log.
    request_id: str

class TextMessage(TypedDict):
    """A text."""
    id: str
    room: str
    seq: int
    #: The user id; `system` where no person acted.
    author: str
    #: Made by the client; unique for its author for ever. Empty in messages that events of members made.
    token: str
    type: Literal["text"]
    content: ShownText
    #: Additional information (S2 metadata); `emotion` is what the author's visual shows with it.
    data: dict[str, Json]
    created: str
    updated: str
    #: When the content last changed; what it was before, its revisions say.
    edited: str | None
    #: When it was deleted: from then on nobody is shown what it held.
    deleted: str | None
    #: How often it was edited.
    revision: int
    #: Offset of the latest event; of two views of one thing keep the one with the higher version.
    version: int

class ActionMessage(TypedDict):
    """What its author does: "/me waves"."""
    id: str
    room: str
    seq: int
    #: The user id; `system` where no person acted.
    author: str
    #: Made by the client; unique for its author for ever. Empty in messages that events of members made.
    token: str
    type: Literal["action"]
    content: ShownText
    #: Additional information (S2 metadata); `emotion` is what the author's visual shows with it.
    data: dict[str, Json]
    created: str
    updated: str
    #: When the content last changed; what it was before, its revisions say.
    edited: str | None
    #: When it was deleted: from then on nobody is shown what it held.
    deleted: str | None
    #: How often it was edited.
    revision: int
    #: Offset of the latest event; of two views of one thing keep the one with the higher version.
    version: int

class ImageMessage(TypedDict):
    """An image that is stored elsewhere."""
    id: str
    room: str
    seq: int
    #: The user id; `system` where no person acted.
    author: str
    #: Made by the client; unique for its author for ever. Empty in messages that events of members made.
    token: str
    type: Literal["image"]
    content: ShownImage
    #: Additional information (S2 metadata); `emotion` is what the author's visual shows with it.
    data: dict[str, Json]
    created: str
    updated: str
    #: When the content last changed; what it was before, its revisions say.
    edited: str | None
    #: When it was deleted: from then on nobody is shown what it held.
    deleted: str | None
    #: How often it was edited.
    revision: int
    #: Offset of the latest event; of two views of one thing keep the one with the higher version.
    version: int

class FileMessage(TypedDict):
    """A file that is stored elsewhere."""
    id: str
    room: str
    seq: int
    #: The user id; `system` where no person acted.
    author: str
    #: Made by the client; unique for its author for ever. Empty in messages that events of members made.
    token: str
    type: Literal["file"]
    content: ShownFile
    #: Additional information (S2 metadata); `emotion` is what the author's visual shows with it.
    data: dict[str, Json]
    created: str
    updated: str
    #: When the content last changed; what it was before, its revisions say.
    edited: str | None
    #: When it was deleted: from then on nobody is shown what it held.
    deleted: str | None
    #: How often it was edited.
    revision: int
    #: Offset of the latest event; of two views of one thing keep the one with the higher version.
    version: int

class CustomMessage(TypedDict):
    """Any JSON object, for clients that know it."""
    id: str
    room: str
    seq: int
    #: The user id; `system` where no person acted.
    author: str
    #: Made by the client; unique for its author for ever. Empty in messages that events of members made.
    token: str
    type: Literal["custom"]
    content: ShownCustom
    #: Additional information (S2 metadata); `emotion` is what the author's visual shows with it.
    data: dict[str, Json]
    created: str
    updated: str
    #: When the content last changed; what it was before, its revisions say.
    edited: str | None
    #: When it was deleted: from then on nobody is shown what it held.
    deleted: str | None
    #: How often it was edited.
    revision: int
    #: Offset of the latest event; of two views of one thing keep the one with the higher version.
    version: int

class JoinMessage(TypedDict):
    """Somebody came into the room: made by the server."""
    id: str
    room: str
    seq: int
    #: The user id; `system` where no person acted.
    author: str
    #: Made by the client; unique for its author for ever. Empty in messages that events of members made.
    token: str
    type: Literal["join"]
    content: ShownMember
    #: Additional information (S2 metadata); `emotion` is what the author's visual shows with it.
    data: dict[str, Json]
    created: str
    updated: str
    #: When the content last changed; what it was before, its revisions say.
    edited: str | None
    #: When it was deleted: from then on nobody is shown what it held.
    deleted: str | None
    #: How often it was edited.
    revision: int
    #: Offset of the latest event; of two views of one thing keep the one with the higher version.
    version: int

class LeaveMessage(TypedDict):
    """Somebody left the room, or was removed: made by the server."""
    id: str
    room: str
    seq: int
    #: The user id; `system` where no person acted.
    author: str
    #: Made by the client; unique for its author for ever. Empty in messages that events of members made.
    token: str
    type: Literal["leave"]
    content: ShownMember
    #: Additional information (S2 metadata); `emotion` is what the author's visual shows with it.
    data: dict[str, Json]
    created: str
    updated: str
    #: When the content last changed; what it was before, its revisions say.
    edited: str | None
    #: When it was deleted: from then on nobody is shown what it held.
    deleted: str | None
    #: How often it was edited.
    revision: int
    #: Offset of the latest event; of two views of one thing keep the one with the higher version.
    version: int

class SystemMessage(TypedDict):
    """Something else that happened in the room: made by the server."""
    id: str
    room: str
    seq: int
    #: The user id; `system` where no person acted.
    author: str
    #: Made by the client; unique for its author for ever. Empty in messages that events of members made.
    token: str
    type: Literal["system"]
    content: ShownEvent
    #: Additional information (S2 metadata); `emotion` is what the author's visual shows with it.
    data: dict[str, Json]
    created: str
    updated: str
    #: When the content last changed; what it was before, its revisions say.
    edited: str | None
    #: When it was deleted: from then on nobody is shown what it held.
    deleted: str | None
    #: How often it was edited.
    revision: int
    #: Offset of the latest event; of two views of one thing keep the one with the higher version.
    version: int

class ShownText(TypedDict):
    """Without members: the message was deleted."""
    text: NotRequired[str]

class ShownImage(TypedDict):
    """Without members: the message was deleted."""
    url: NotRequired[str]
    alt: NotRequired[str]
    width: NotRequired[int | None]
    height: NotRequired[int | None]

class ShownFile(TypedDict):
    """Without members: the message was deleted."""
    url: NotRequired[str]
    name: NotRequired[str]
    size: NotRequired[int | None]

class ShownMember(TypedDict):
    """Without members: the message was deleted."""
    #: Whom it is about: a user id.
    user: NotRequired[str]

class ShownEvent(TypedDict):
    """Without members: the message was deleted."""
    event: NotRequired[Literal["role_changed"]]
    #: Whom it is about: a user id.
    user: NotRequired[str]
    #: Of the user from here on.
    role: NotRequired[Literal["owner", "admin", "member"]]

class UsersRegister(TypedDict):
    """What `users.register` takes."""
    #: 3-50 of A-Z a-z 0-9 _ -, a letter or digit among them. Some are reserved, such as `system` and `everyone`, and
    #: those that begin with `irc-`, which are an import's.
    username: str
    #: To log in with: at least 8 characters, or more where the installation asks for it. Without one the account has
    #: only the session that this opens.
    password: NotRequired[str | None]
    #: What people see: one line, without control, direction and other hidden characters; no space at its ends, and
    #: at most 4 marks on a letter. Without it, the username.
    name: NotRequired[str | None]
    #: Additional information: texts by name, which everybody sees.
    data: NotRequired[dict[str, str]]
    #: Address of a picture, which others' clients open.
    avatar: NotRequired[str | None]
    #: What you say of yourself.
    bio: NotRequired[str | None]
    #: A JSON object, which everybody sees.
    custom: NotRequired[dict[str, Json]]
    #: Unique in the installation: who registers an address that is taken learns that it is. Only you see it.
    email: NotRequired[str | None]
    #: Who may add you to rooms at once; all others invite you. null: as the installation has it.
    added_by: NotRequired[Literal["contacts", "everyone", "nobody"] | None]

class UsersRegisterAnswer(TypedDict):
    """What `users.register` answers."""
    user: Self
    token: str
    expires: str

class UsersFind(TypedDict):
    """What `users.find` takes."""
    name: NotRequired[str]
    #: Comma-separated user ids, at most 100 different ones.
    ids: NotRequired[str]
    limit: NotRequired[int]
    #: `next` of the page before; others are refused
    cursor: NotRequired[str]
    #: Answer of this past moment: a time, or next offsets of shards.
    as_of: NotRequired[str]

class UsersFindAnswer(TypedDict):
    """What `users.find` answers."""
    users: list[User]
    #: Send it as `cursor` for the next page; null: the last page.
    next: str | None

class UsersMe(TypedDict):
    """What `users.me` takes."""
    #: Answer of this past moment: a time, or next offsets of shards.
    as_of: NotRequired[str]

class UsersMeAnswer(TypedDict):
    """What `users.me` answers."""
    user: Self

class UsersChange(TypedDict):
    """What `users.change` takes."""
    #: As `users.register` takes it.
    name: NotRequired[str | None]
    #: What is not named stays; null removes an entry.
    data: NotRequired[dict[str, str | None] | None]
    #: Address of a picture, which others' clients open; null: none any more.
    avatar: NotRequired[str | None]
    #: What you say of yourself; null: nothing any more.
    bio: NotRequired[str | None]
    #: A JSON object, changed by a merge patch: null removes a name, an object is merged, all else takes its place.
    custom: NotRequired[dict[str, Json] | None]
    #: Another e-mail address; null: none any more.
    email: NotRequired[str | None]
    #: Your current password, where you have one: needed to change the e-mail address, which one logs in by.
    password: NotRequired[str | None]
    #: Who may add you to rooms at once; all others invite you. null: as the installation has it. `contacts` are whom
    #: you hold for friends, and who shares a room with you in which you are by your own will.
    added_by: NotRequired[Literal["contacts", "everyone", "nobody"] | None]

class UsersChangeAnswer(TypedDict):
    """What `users.change` answers."""
    user: Self

class UsersGet(TypedDict):
    """What `users.get` takes."""
    user: str
    #: Answer of this past moment: a time, or next offsets of shards.
    as_of: NotRequired[str]

class UsersGetAnswer(TypedDict):
    """What `users.get` answers."""
    user: User

class SessionsOpen(TypedDict):
    """What `sessions.open` takes."""
    #: Either this or `email`; case does not matter.
    username: NotRequired[str | None]
    #: Either this or `username`; case does not matter.
    email: NotRequired[str | None]
    #: The one that the account has.
    password: str
    #: What the device calls itself; `sessions.list` shows it.
    device_id: NotRequired[str | None]

class SessionsOpenAnswer(TypedDict):
    """What `sessions.open` answers."""
    user: Self
    token: str
    expires: str

class SessionsList(TypedDict):
    """What `sessions.list` takes."""
    limit: NotRequired[int]
    #: `next` of the page before; others are refused
    cursor: NotRequired[str]

class SessionsListAnswer(TypedDict):
    """What `sessions.list` answers."""
    sessions: list[OwnSession]
    #: Send it as `cursor` for the next page; null: the last page.
    next: str | None

class SessionsIssue(TypedDict):
    """What `sessions.issue` takes."""
    #: Id of a person, as their registration gave it.
    user: str
    #: What their device calls itself; `sessions.list` shows it.
    device_id: NotRequired[str | None]

class SessionsIssueAnswer(TypedDict):
    """What `sessions.issue` answers."""
    user: Self
    token: str
    expires: str

class SessionsRenew(TypedDict):
    """What `sessions.renew` takes."""
    pass

class SessionsRenewAnswer(TypedDict):
    """What `sessions.renew` answers."""
    token: str
    expires: str

class SessionsClose(TypedDict):
    """What `sessions.close` takes."""
    #: Id of one of your sessions; `current` is that of the token in use.
    session: str

class UsersChangePassword(TypedDict):
    """What `users.change_password` takes."""
    #: Your current password, where you have one.
    current: NotRequired[str | None]
    #: The new one: at least 8 characters, or more where the installation asks for it.
    password: str

class UsersChangePasswordAnswer(TypedDict):
    """What `users.change_password` answers."""
    user: Self

class RelationshipsList(TypedDict):
    """What `relationships.list` takes."""
    #: `out`: what you are to others; `in`: who holds you for a friend.
    direction: NotRequired[Literal["in", "out"]]
    limit: NotRequired[int]
    #: `next` of the page before; others are refused
    cursor: NotRequired[str]
    #: Answer of this past moment: a time, or next offsets of shards.
    as_of: NotRequired[str]

class RelationshipsListAnswer(TypedDict):
    """What `relationships.list` answers."""
    relationships: list[Relationship]
    #: Send it as `cursor` for the next page; null: the last page.
    next: str | None

class RelationshipsSet(TypedDict):
    """What `relationships.set` takes."""
    user: str
    #: What they are to you; null: nothing any more.
    type: Literal["block", "friend"] | None

class RelationshipsSetAnswer(TypedDict):
    """What `relationships.set` answers."""
    relationship: Relationship | None

class RelationshipsRemove(TypedDict):
    """What `relationships.remove` takes."""
    user: str

class RelationshipsRemoveAnswer(TypedDict):
    """What `relationships.remove` answers."""
    relationship: Relationship | None

class VisualsCreate(TypedDict):
    """What `visuals.create` takes."""
    #: How the character looks: any JSON object, as your apps read it.
    model_data: dict[str, Json]
    #: How it shows emotions, by their names: for each true, false or its settings.
    emotion_data: NotRequired[dict[str, bool | dict[str, Json]]]

class VisualsCreateAnswer(TypedDict):
    """What `visuals.create` answers."""
    visual: Visual

class VisualsList(TypedDict):
    """What `visuals.list` takes."""
    #: Comma-separated ids of anybody's visual characters, at most 100 different ones; those that you may not see are
    #: left out. Without it, your own.
    ids: NotRequired[str]
    limit: NotRequired[int]
    #: `next` of the page before; others are refused
    cursor: NotRequired[str]
    #: Answer of this past moment: a time, or next offsets of shards.
    as_of: NotRequired[str]

class VisualsListAnswer(TypedDict):
    """What `visuals.list` answers."""
    visuals: list[Visual]
    #: Send it as `cursor` for the next page; null: the last page.
    next: str | None

class VisualsGet(TypedDict):
    """What `visuals.get` takes."""
    visual: str
    #: Answer of this past moment: a time, or next offsets of shards.
    as_of: NotRequired[str]

class VisualsGetAnswer(TypedDict):
    """What `visuals.get` answers."""
    visual: Visual

class VisualsChange(TypedDict):
    """What `visuals.change` takes."""
    visual: str
    #: All of how it looks; without it, that stays.
    model_data: NotRequired[dict[str, Json] | None]
    #: All of how it shows emotions; without it, that stays.
    emotion_data: NotRequired[dict[str, bool | dict[str, Json]] | None]

class VisualsChangeAnswer(TypedDict):
    """What `visuals.change` answers."""
    visual: Visual

class VisualsChoose(TypedDict):
    """What `visuals.choose` takes."""
    #: A visual that exists; null links none. Either this or `model_data`.
    visual_id: NotRequired[str | None]
    #: Instead: a new visual, made and linked in one step.
    model_data: NotRequired[dict[str, Json] | None]
    #: With `model_data`: how the new visual shows emotions.
    emotion_data: NotRequired[dict[str, bool | dict[str, Json]] | None]

class VisualsChooseAnswer(TypedDict):
    """What `visuals.choose` answers."""
    user: Self

class RoomsCreate(TypedDict):
    """What `rooms.create` takes."""
    #: `public`: anyone finds it and may join. `private`: members let others in. `direct`: with one other.
    type: Literal["direct", "private", "public"]
    #: A slug of your choice, unique for ever; without it the server makes an id. `irc-...` is an import's to choose.
    id: NotRequired[str | None]
    #: The others; you are added. A direct room has exactly one other. Who does not let you add them is invited.
    members: NotRequired[list[str]]
    #: One line that people see, with signs and emoji too, kept in NFC; the address is `id`. Not of a direct room.
    name: NotRequired[str | None]
    #: What the room is for, in some lines; line ends are kept. Not only white space and hidden characters.
    description: NotRequired[str | None]
    #: What it is about today, in one line. Not of a direct room.
    topic_line: NotRequired[str | None]
    #: Settings that change; what is not named stays.
    settings: NotRequired[RoomSettingsChange]
    #: Additional information for apps: texts by name, seen by all who see the room.
    data: NotRequired[dict[str, str]]
    #: A JSON object of your own, seen by all who see the room: at most 5 KiB, 5 levels, 100 names in all. A name
    #: with null is left out.
    custom: NotRequired[dict[str, Json]]

class RoomsCreateAnswer(TypedDict):
    """What `rooms.create` answers."""
    room: Room
    invited: list[str]

class RoomsFind(TypedDict):
    """What `rooms.find` takes."""
    #: Searches rooms by name: those you are in, and public ones.
    name: NotRequired[str]
    #: Without a name: the rooms you are in, or all public ones; the latest activity first.
    scope: NotRequired[Literal["mine", "public"]]
    #: Of these, rooms whose `custom` contains this JSON object (`{"course":{"term":3}}`): each of its names, with a
    #: value that contains its value; of an array each item, wherever it stands.
    custom: NotRequired[str]
    limit: NotRequired[int]
    #: `next` of the page before; others are refused
    cursor: NotRequired[str]
    #: Answer of this past moment: a time, or next offsets of shards.
    as_of: NotRequired[str]

class RoomsFindAnswer(TypedDict):
    """What `rooms.find` answers."""
    rooms: list[Entry | FoundRoom]
    #: Send it as `cursor` for the next page; null: the last page.
    next: str | None

class RoomsGet(TypedDict):
    """What `rooms.get` takes."""
    room: str
    #: Answer of this past moment: a time, or next offsets of shards.
    as_of: NotRequired[str]

class RoomsGetAnswer(TypedDict):
    """What `rooms.get` answers."""
    room: Room
    member: Member
    unread: int
    message: Message | None
    #: The other person of a direct room.
    peer: str | None

class RoomsChange(TypedDict):
    """What `rooms.change` takes."""
    room: str
    #: Of a direct room empty, as it is read: it has none.
    name: NotRequired[str | None]
    #: null: none from here on.
    description: NotRequired[str | None]
    #: null: none from here on.
    topic_line: NotRequired[str | None]
    #: What is not named stays.
    settings: NotRequired[RoomSettingsChange | None]
    #: What is not named stays; null removes an entry.
    data: NotRequired[dict[str, str | None] | None]
    #: A JSON merge patch (RFC 7396) of the object: null removes a name, an object is merged, all else takes its
    #: place.
    custom: NotRequired[dict[str, Json] | None]

class RoomsChangeAnswer(TypedDict):
    """What `rooms.change` answers."""
    room: Room

class RoomsDelete(TypedDict):
    """What `rooms.delete` takes."""
    room: str

class RoomsArchive(TypedDict):
    """What `rooms.archive` takes."""
    room: str

class RoomsArchiveAnswer(TypedDict):
    """What `rooms.archive` answers."""
    room: Room

class RoomsUnarchive(TypedDict):
    """What `rooms.unarchive` takes."""
    room: str

class RoomsUnarchiveAnswer(TypedDict):
    """What `rooms.unarchive` answers."""
    room: Room

class RoomsHistory(TypedDict):
    """What `rooms.history` takes."""
    room: str
    #: Offset below which to look; the latest without it.
    before: NotRequired[int]
    limit: NotRequired[int]
    #: Answer of this past moment: a time, or next offsets of shards.
    as_of: NotRequired[str]

class RoomsHistoryAnswer(TypedDict):
    """What `rooms.history` answers."""
    changes: list[Change]
    before: int | None

class MembersList(TypedDict):
    """What `members.list` takes."""
    room: str
    #: Of these, members whose `custom` contains this JSON object (`{"seat":{"row":4}}`), as in `rooms.find`.
    custom: NotRequired[str]
    limit: NotRequired[int]
    #: `next` of the page before; others are refused
    cursor: NotRequired[str]
    #: Answer of this past moment: a time, or next offsets of shards.
    as_of: NotRequired[str]

class MembersListAnswer(TypedDict):
    """What `members.list` answers."""
    members: list[MemberWithUser]
    #: Send it as `cursor` for the next page; null: the last page.
    next: str | None

class MembersAdd(TypedDict):
    """What `members.add` takes."""
    room: str
    #: A user id, or `me`.
    user: str

class MembersAddAnswer(TypedDict):
    """What `members.add` answers."""
    room: Room
    #: null: they are only invited.
    member: AddedMember | None
    invitation: Invitation | None

class MembersRemove(TypedDict):
    """What `members.remove` takes."""
    room: str
    #: A user id, or `me`.
    user: str

class MembersChange(TypedDict):
    """What `members.change` takes."""
    room: str
    #: A user id, or `me`.
    user: str
    #: A JSON merge patch (RFC 7396) of the member's object, of at most 5 KiB, that all in the room see: null removes
    #: a name, an object is merged, all else takes its place.
    custom: dict[str, Json]

class MembersChangeAnswer(TypedDict):
    """What `members.change` answers."""
    member: RoomMember

class MembersSetRole(TypedDict):
    """What `members.set_role` takes."""
    room: str
    user: str
    #: `owner` passes the room on; the old owner becomes an admin.
    role: Literal["admin", "member", "owner"]

class MembersSetRoleAnswer(TypedDict):
    """What `members.set_role` answers."""
    member: RoomMember

class MembersSetNotifications(TypedDict):
    """What `members.set_notifications` takes."""
    room: str
    #: Whether you want to be notified of the room's messages.
    notifications: bool

class MembersSetNotificationsAnswer(TypedDict):
    """What `members.set_notifications` answers."""
    member: Member

class MembersRead(TypedDict):
    """What `members.read` takes."""
    room: str
    #: Everything up to this message is read; lower than before marks as unread again. The room's `seq` clears the
    #: count, also of messages that were deleted unread.
    seq: int
    #: true: only forward, so that a late request does not take back what another device has read. Where more is
    #: read, it changes nothing, and answers how far that is. Default: `false`.
    forward: NotRequired[bool]

class MembersReadAnswer(TypedDict):
    """What `members.read` answers."""
    member: Member
    unread: int

class InvitationsList(TypedDict):
    """What `invitations.list` takes."""
    limit: NotRequired[int]
    #: `next` of the page before; others are refused
    cursor: NotRequired[str]

class InvitationsListAnswer(TypedDict):
    """What `invitations.list` answers."""
    invitations: list[Invitation]
    users: list[User]
    #: Send it as `cursor` for the next page; null: the last page.
    next: str | None

class InvitationsDecline(TypedDict):
    """What `invitations.decline` takes."""
    room: str

class MessagesSendText(TypedDict):
    room: str
    #: The older name of `client_id`, which is taken as well; one of the two or `Idempotency-Key` is required.
    token: NotRequired[str | None]
    #: Default: `"text"`.
    type: NotRequired[Literal["text"]]
    content: TextContent
    #: Additional information: any JSON object.
    data: NotRequired[dict[str, Json]]
    #: Required, unless the header `Idempotency-Key` (or `token`) is there. Made by you, unique for ever: the same
    #: one gives the first message again.
    client_id: NotRequired[str | None]

class MessagesSendAction(TypedDict):
    room: str
    #: The older name of `client_id`, which is taken as well; one of the two or `Idempotency-Key` is required.
    token: NotRequired[str | None]
    type: Literal["action"]
    content: TextContent
    #: Additional information: any JSON object.
    data: NotRequired[dict[str, Json]]
    #: Required, unless the header `Idempotency-Key` (or `token`) is there. Made by you, unique for ever: the same
    #: one gives the first message again.
    client_id: NotRequired[str | None]

class MessagesSendImage(TypedDict):
    room: str
    #: The older name of `client_id`, which is taken as well; one of the two or `Idempotency-Key` is required.
    token: NotRequired[str | None]
    type: Literal["image"]
    content: ImageContent
    #: Additional information: any JSON object.
    data: NotRequired[dict[str, Json]]
    #: Required, unless the header `Idempotency-Key` (or `token`) is there. Made by you, unique for ever: the same
    #: one gives the first message again.
    client_id: NotRequired[str | None]

class MessagesSendFile(TypedDict):
    room: str
    #: The older name of `client_id`, which is taken as well; one of the two or `Idempotency-Key` is required.
    token: NotRequired[str | None]
    type: Literal["file"]
    content: FileContent
    #: Additional information: any JSON object.
    data: NotRequired[dict[str, Json]]
    #: Required, unless the header `Idempotency-Key` (or `token`) is there. Made by you, unique for ever: the same
    #: one gives the first message again.
    client_id: NotRequired[str | None]

class MessagesSendCustom(TypedDict):
    room: str
    #: The older name of `client_id`, which is taken as well; one of the two or `Idempotency-Key` is required.
    token: NotRequired[str | None]
    type: Literal["custom"]
    content: CustomContent
    #: Additional information: any JSON object.
    data: NotRequired[dict[str, Json]]
    #: Required, unless the header `Idempotency-Key` (or `token`) is there. Made by you, unique for ever: the same
    #: one gives the first message again.
    client_id: NotRequired[str | None]

class MessagesSendAnswer(TypedDict):
    """What `messages.send` answers."""
    message: Message

class MessagesRead(TypedDict):
    """What `messages.read` takes."""
    room: str
    #: Messages below this sequence number, the nearest; without before, after and around: the last ones.
    before: NotRequired[int]
    #: Messages above this sequence number, the nearest.
    after: NotRequired[int]
    #: Messages on both sides of this sequence number, and itself.
    around: NotRequired[int]
    #: Only messages of this user; `me`: your own.
    author: NotRequired[str]
    #: Only messages of this type.
    type: NotRequired[Literal["action", "custom", "file", "image", "join", "leave", "system", "text"]]
    #: Only messages of this time or later.
    since: NotRequired[str]
    #: Only messages before this time.
    until: NotRequired[str]
    limit: NotRequired[int]
    #: `next` of the page before; others are refused
    cursor: NotRequired[str]
    #: Answer of this past moment: a time, or next offsets of shards.
    as_of: NotRequired[str]

class MessagesReadAnswer(TypedDict):
    """What `messages.read` answers."""
    messages: list[Message]
    more: bool
    #: Send it as `cursor` for the page in this direction; null: the end.
    older: str | None
    #: Send it as `cursor` for the page in this direction; null: the end.
    newer: str | None
    #: Whether the page goes on into, or across, months that an operator has archived.
    archived: bool
    users: list[User]

class MessagesGet(TypedDict):
    """What `messages.get` takes."""
    room: str
    message: str
    #: Answer of this past moment: a time, or next offsets of shards.
    as_of: NotRequired[str]

class MessagesGetAnswer(TypedDict):
    """What `messages.get` answers."""
    message: Message

class MessagesEdit(TypedDict):
    """What `messages.edit` takes."""
    room: str
    message: str
    #: The whole new content, as for the message's type, which stays.
    content: dict[str, Json]
    #: The whole new additional information; without it, it stays.
    data: NotRequired[dict[str, Json] | None]

class MessagesEditAnswer(TypedDict):
    """What `messages.edit` answers."""
    message: Message

class MessagesDelete(TypedDict):
    """What `messages.delete` takes."""
    room: str
    message: str

class MessagesEdits(TypedDict):
    """What `messages.edits` takes."""
    room: str
    message: str
    #: Answer of this past moment: a time, or next offsets of shards.
    as_of: NotRequired[str]

class MessagesEditsAnswer(TypedDict):
    """What `messages.edits` answers."""
    message: Message
    revisions: list[Revision]

class MessagesPin(TypedDict):
    """What `messages.pin` takes."""
    room: str
    message: str

class MessagesPinAnswer(TypedDict):
    """What `messages.pin` answers."""
    pin: Pin

class MessagesUnpin(TypedDict):
    """What `messages.unpin` takes."""
    room: str
    message: str

class RoomsPins(TypedDict):
    """What `rooms.pins` takes."""
    room: str
    #: Answer of this past moment: a time, or next offsets of shards.
    as_of: NotRequired[str]

class RoomsPinsAnswer(TypedDict):
    """What `rooms.pins` answers."""
    pins: list[PinnedMessage]
    users: list[User]

class ChannelsCreate(TypedDict):
    """What `channels.create` takes."""
    #: What people see it called; others may be called the same.
    name: str
    #: How many users may be in it at once.
    limit: int

class ChannelsCreateAnswer(TypedDict):
    """What `channels.create` answers."""
    channel: Channel

class ChannelsList(TypedDict):
    """What `channels.list` takes."""
    limit: NotRequired[int]
    #: `next` of the page before; others are refused
    cursor: NotRequired[str]

class ChannelsListAnswer(TypedDict):
    """What `channels.list` answers."""
    channels: list[ChannelNow]
    #: Send it as `cursor` for the next page; null: the last page.
    next: str | None

class ChannelsGet(TypedDict):
    """What `channels.get` takes."""
    channel: int

class ChannelsGetAnswer(TypedDict):
    """What `channels.get` answers."""
    channel: ChannelNow

class ChannelsDelete(TypedDict):
    """What `channels.delete` takes."""
    channel: int

class ChannelsListen(TypedDict):
    """What `channels.listen` takes."""
    channel: int

class ChannelsListenAnswer(TypedDict):
    """What `channels.listen` answers."""
    server: ChannelServer
    token: str
    number: int
    #: Where browsers connect, by WebSocket: `wss://…/v1/channels/7/connect`. null: the server has none.
    url: str | None

class ChannelsReportChannelsUsers(TypedDict):
    id: str
    #: Default: `0`.
    version: NotRequired[int]

class ChannelsReportChannels(TypedDict):
    id: int
    users: NotRequired[list[ChannelsReportChannelsUsers]]

class ChannelsReport(TypedDict):
    """What `channels.report` takes."""
    #: What the server says of itself: `addr` (`host:port`, where clients connect) and `name` must be there; `url` is
    #: where browsers connect: `wss://…`, to which `/v1/channels/7/connect` is added. The rest is its own.
    metric: dict[str, str]
    #: All channels that it serves, each once.
    channels: list[ChannelsReportChannels]

class AppsAbout(TypedDict):
    """What `apps.about` takes."""
    pass

class AppsAboutAnswer(TypedDict):
    """What `apps.about` answers."""
    app: str
    name: str
    registration: bool

class MessagesSetEmotion(TypedDict):
    """What `messages.set_emotion` takes."""
    room: str
    message: str
    #: What the text shows.
    emotion: str

class MessagesSetEmotionAnswer(TypedDict):
    """What `messages.set_emotion` answers."""
    message: str
    shown: bool

class MessagesSetEmotionsEmotions(TypedDict):
    room: str
    message: str
    emotion: str
    key: str

class MessagesSetEmotions(TypedDict):
    """What `messages.set_emotions` takes."""
    #: Each with its message; at most 100.
    emotions: list[MessagesSetEmotionsEmotions]

class MessagesSetEmotionsAnswer(TypedDict):
    """What `messages.set_emotions` answers."""
    results: list[EmotionResult]

class MessagesSearch(TypedDict):
    """What `messages.search` takes."""
    #: All of its words and signs, in any order; the last one may be the beginning of a word. In double quotes: a
    #: phrase. How many different ones there may be, the operator says: `KLATSCH_SEARCH_TERMS`.
    text: str
    #: Only in this room.
    room: NotRequired[str]
    #: Only messages of this user; `me`: your own.
    author: NotRequired[str]
    #: Only messages of this type.
    type: NotRequired[Literal["action", "custom", "file", "image", "join", "leave", "system", "text"]]
    #: Only messages of this time or later.
    since: NotRequired[str]
    #: Only messages before this time.
    until: NotRequired[str]
    limit: NotRequired[int]
    #: `next` of the page before; others are refused
    cursor: NotRequired[str]

class MessagesSearchAnswer(TypedDict):
    """What `messages.search` answers."""
    found: list[FoundMessage]
    #: Send it as `cursor` for the next page; null: the last page.
    next: str | None
    users: list[User]

class SyncGet(TypedDict):
    """What `sync.get` takes."""
    #: `next` of the page before; others are refused
    cursor: NotRequired[str]

class SyncGetAnswer(TypedDict):
    """What `sync.get` answers."""
    cursor: NotRequired[int]
    epoch: NotRequired[str]
    #: Next offset of each shard (`rooms/3`): every event below it is in the snapshot.
    vector: dict[str, int]
    me: NotRequired[Self]
    rooms: list[Entry]
    invitations: list[Invitation]
    relationships: list[Relationship]
    friend_of: list[Relationship]
    users: list[User]
    #: Send it as `cursor` for the next page; null: the last page.
    next: str | None

class ChangesPull(TypedDict):
    """What `changes.pull` takes."""
    #: `cursor` of the answer before; without it: no changes, and the present cursor.
    since: NotRequired[str]
    limit: NotRequired[int]

class ChangesPullAnswer(TypedDict):
    """What `changes.pull` answers."""
    changes: list[Delta]
    cursor: str
    reset: bool
    snapshot: NotRequired[Snapshot]

class PresenceGet(TypedDict):
    """What `presence.get` takes."""
    #: Comma-separated user ids, at most 100 different ones.
    users: str

class PresenceGetAnswer(TypedDict):
    """What `presence.get` answers."""
    presence: list[Presence]

class PresenceRoom(TypedDict):
    """What `presence.room` takes."""
    room: str

class PresenceRoomAnswer(TypedDict):
    """What `presence.room` answers."""
    online: list[str]
    count: int
    watching: list[str]
    watchers: int

class SignalsType(TypedDict):
    """What `signals.type` takes."""
    room: str
    #: Whether you write at this moment: said again every few seconds while it goes on.
    typing: bool

class PresenceSet(TypedDict):
    """What `presence.set` takes."""
    #: The room that this connection shows; null: none.
    room: str | None
    #: `away`: nobody is there, until the connection is used again.
    status: NotRequired[Literal["away", "online"]]

class ChannelsWatch(TypedDict):
    """What `channels.watch` takes."""
    #: Their ids; none: this connection watches no channel any more. Channels that are not there are empty.
    channels: list[int]

#: Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`.
class DeltaInclude(TypedDict):
    user: NotRequired[User]
    users: NotRequired[list[User]]
    room: NotRequired[Room]
    member: NotRequired[Member]
    message: NotRequired[Message | None]
    invitation: NotRequired[Invitation]
    joined: NotRequired[RoomMember]
    restored: NotRequired[Message]
    friend_of: NotRequired[Relationship]
    peer: NotRequired[str | None]

class UserRegisteredDeltaData(TypedDict):
    #: Empty: none.
    username: str
    name: str
    role: Literal["person", "service"]
    data: dict[str, str]
    #: Where mail reaches the user; None: not told.
    email: NotRequired[str | None]
    #: What the application calls the user that registered them; None: they registered themselves.
    external: NotRequired[str | None]
    kind: NotRequired[Literal["anonymous", "guest", "regular"]]
    avatar: NotRequired[str | None]
    bio: NotRequired[str | None]
    custom: NotRequired[dict[str, Json]]
    #: Id of their team; None: in none.
    team: NotRequired[str | None]

class UserRegisteredDelta(TypedDict):
    type: Literal["user.registered"]
    id: str
    #: Where the event stands: `rooms/3/1234`.
    position: str
    stream: str
    time: str
    actor: str
    data: UserRegisteredDeltaData
    #: Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`.
    include: NotRequired[DeltaInclude]
    #: Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
    #: older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
    deleted: NotRequired[bool]

class UserProfileChangedDeltaData(TypedDict):
    #: The new shown name; None: unchanged.
    name: NotRequired[str | None]
    #: The whole new data map; None: unchanged.
    data: NotRequired[dict[str, str] | None]
    #: The new address of a picture; empty: none any more; None: unchanged.
    avatar: NotRequired[str | None]
    #: The new text; empty: none any more; None: unchanged.
    bio: NotRequired[str | None]
    #: The whole new object; None: unchanged.
    custom: NotRequired[dict[str, Json] | None]

class UserProfileChangedDelta(TypedDict):
    type: Literal["user.profile_changed"]
    id: str
    #: Where the event stands: `rooms/3/1234`.
    position: str
    stream: str
    time: str
    actor: str
    data: UserProfileChangedDeltaData
    #: Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`.
    include: NotRequired[DeltaInclude]
    #: Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
    #: older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
    deleted: NotRequired[bool]

class UserEmailChangedDeltaData(TypedDict):
    #: The new e-mail address; None: none any more.
    email: str | None

class UserEmailChangedDelta(TypedDict):
    type: Literal["user.email_changed"]
    id: str
    #: Where the event stands: `rooms/3/1234`.
    position: str
    stream: str
    time: str
    actor: str
    data: UserEmailChangedDeltaData
    #: Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`.
    include: NotRequired[DeltaInclude]
    #: Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
    #: older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
    deleted: NotRequired[bool]

class UserEmailAbandonedDeltaData(TypedDict):
    #: The address in folded form, as in its handle.
    email: str

class UserEmailAbandonedDelta(TypedDict):
    type: Literal["user.email_abandoned"]
    id: str
    #: Where the event stands: `rooms/3/1234`.
    position: str
    stream: str
    time: str
    actor: str
    data: UserEmailAbandonedDeltaData
    #: Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`.
    include: NotRequired[DeltaInclude]
    #: Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
    #: older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
    deleted: NotRequired[bool]

class Nothing(TypedDict):
    pass

class UserPasswordChangedDelta(TypedDict):
    type: Literal["user.password_changed"]
    id: str
    #: Where the event stands: `rooms/3/1234`.
    position: str
    stream: str
    time: str
    actor: str
    data: Nothing
    #: Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`.
    include: NotRequired[DeltaInclude]
    #: Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
    #: older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
    deleted: NotRequired[bool]

class UserSeenDeltaData(TypedDict):
    #: When the user's last connection ended.
    seen: str

class UserSeenDelta(TypedDict):
    type: Literal["user.seen"]
    id: str
    #: Where the event stands: `rooms/3/1234`.
    position: str
    stream: str
    time: str
    actor: str
    data: UserSeenDeltaData
    #: Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`.
    include: NotRequired[DeltaInclude]
    #: Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
    #: older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
    deleted: NotRequired[bool]

class UserVisualChosenDeltaData(TypedDict):
    #: The visual that is linked from now on; None: none.
    visual: str | None

class UserVisualChosenDelta(TypedDict):
    type: Literal["user.visual_chosen"]
    id: str
    #: Where the event stands: `rooms/3/1234`.
    position: str
    stream: str
    time: str
    actor: str
    data: UserVisualChosenDeltaData
    #: Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`.
    include: NotRequired[DeltaInclude]
    #: Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
    #: older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
    deleted: NotRequired[bool]

class UserAddedByChosenDeltaData(TypedDict):
    #: Who may add the user to rooms at once; None: as the installation has it.
    added_by: Literal["contacts", "everyone", "nobody"] | None

class UserAddedByChosenDelta(TypedDict):
    type: Literal["user.added_by_chosen"]
    id: str
    #: Where the event stands: `rooms/3/1234`.
    position: str
    stream: str
    time: str
    actor: str
    data: UserAddedByChosenDeltaData
    #: Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`.
    include: NotRequired[DeltaInclude]
    #: Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
    #: older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
    deleted: NotRequired[bool]

class UserDeactivatedDelta(TypedDict):
    type: Literal["user.deactivated"]
    id: str
    #: Where the event stands: `rooms/3/1234`.
    position: str
    stream: str
    time: str
    actor: str
    data: Nothing
    #: Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`.
    include: NotRequired[DeltaInclude]
    #: Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
    #: older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
    deleted: NotRequired[bool]

class UserReactivatedDelta(TypedDict):
    type: Literal["user.reactivated"]
    id: str
    #: Where the event stands: `rooms/3/1234`.
    position: str
    stream: str
    time: str
    actor: str
    data: Nothing
    #: Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`.
    include: NotRequired[DeltaInclude]
    #: Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
    #: older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
    deleted: NotRequired[bool]

class UserTokensRevokedDeltaData(TypedDict):
    #: Tokens that were issued before are not good any more.
    before: str

class UserTokensRevokedDelta(TypedDict):
    type: Literal["user.tokens_revoked"]
    id: str
    #: Where the event stands: `rooms/3/1234`.
    position: str
    stream: str
    time: str
    actor: str
    data: UserTokensRevokedDeltaData
    #: Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`.
    include: NotRequired[DeltaInclude]
    #: Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
    #: older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
    deleted: NotRequired[bool]

class UserTeamSetDeltaData(TypedDict):
    #: Id of the team in which the user is from here on; None: in none.
    team: str | None

class UserTeamSetDelta(TypedDict):
    type: Literal["user.team_set"]
    id: str
    #: Where the event stands: `rooms/3/1234`.
    position: str
    stream: str
    time: str
    actor: str
    data: UserTeamSetDeltaData
    #: Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`.
    include: NotRequired[DeltaInclude]
    #: Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
    #: older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
    deleted: NotRequired[bool]

class UserErasedDeltaData(TypedDict):
    #: What becomes of what they have said: it stays, or it is deleted, message by message.
    messages: Literal["hide", "keep"]

class UserErasedDelta(TypedDict):
    type: Literal["user.erased"]
    id: str
    #: Where the event stands: `rooms/3/1234`.
    position: str
    stream: str
    time: str
    actor: str
    data: UserErasedDeltaData
    #: Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`.
    include: NotRequired[DeltaInclude]
    #: Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
    #: older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
    deleted: NotRequired[bool]

class UserErasureNotedDeltaData(TypedDict):
    #: Rooms that they have left with it.
    rooms: int
    #: Messages of theirs that were deleted with it.
    hidden: int
    #: Whether nothing is left to do.
    done: bool

class UserErasureNotedDelta(TypedDict):
    type: Literal["user.erasure_noted"]
    id: str
    #: Where the event stands: `rooms/3/1234`.
    position: str
    stream: str
    time: str
    actor: str
    data: UserErasureNotedDeltaData
    #: Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`.
    include: NotRequired[DeltaInclude]
    #: Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
    #: older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
    deleted: NotRequired[bool]

class SessionOpenedDeltaData(TypedDict):
    session: str
    expires: str
    #: Whether it ends only after a time without use.
    sliding: NotRequired[bool]
    #: What the device calls itself.
    device: NotRequired[str | None]

class SessionOpenedDelta(TypedDict):
    type: Literal["session.opened"]
    id: str
    #: Where the event stands: `rooms/3/1234`.
    position: str
    stream: str
    time: str
    actor: str
    data: SessionOpenedDeltaData
    #: Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`.
    include: NotRequired[DeltaInclude]
    #: Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
    #: older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
    deleted: NotRequired[bool]

class SessionRenewedDeltaData(TypedDict):
    session: str
    #: When the new token ends; earlier ones end when they said.
    expires: str

class SessionRenewedDelta(TypedDict):
    type: Literal["session.renewed"]
    id: str
    #: Where the event stands: `rooms/3/1234`.
    position: str
    stream: str
    time: str
    actor: str
    data: SessionRenewedDeltaData
    #: Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`.
    include: NotRequired[DeltaInclude]
    #: Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
    #: older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
    deleted: NotRequired[bool]

class SessionUsedDelta(TypedDict):
    type: Literal["session.used"]
    id: str
    #: Where the event stands: `rooms/3/1234`.
    position: str
    stream: str
    time: str
    actor: str
    data: SessionRenewedDeltaData
    #: Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`.
    include: NotRequired[DeltaInclude]
    #: Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
    #: older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
    deleted: NotRequired[bool]

class SessionClosedDelta(TypedDict):
    type: Literal["session.closed"]
    id: str
    #: Where the event stands: `rooms/3/1234`.
    position: str
    stream: str
    time: str
    actor: str
    data: SessionsClose
    #: Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`.
    include: NotRequired[DeltaInclude]
    #: Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
    #: older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
    deleted: NotRequired[bool]

class RelationshipSetDeltaData(TypedDict):
    other: str
    type: Literal["block", "friend"] | None
    #: What it was before: decides who receives the change (a block is not shown to the blocked).
    was: Literal["block", "friend"] | None

class RelationshipSetDelta(TypedDict):
    type: Literal["relationship.set"]
    id: str
    #: Where the event stands: `rooms/3/1234`.
    position: str
    stream: str
    time: str
    actor: str
    data: RelationshipSetDeltaData
    #: Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`.
    include: NotRequired[DeltaInclude]
    #: Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
    #: older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
    deleted: NotRequired[bool]

class VisualCreatedDeltaData(TypedDict):
    visual: str
    model_data: dict[str, Json]
    emotion_data: dict[str, Json]

class VisualCreatedDelta(TypedDict):
    type: Literal["visual.created"]
    id: str
    #: Where the event stands: `rooms/3/1234`.
    position: str
    stream: str
    time: str
    actor: str
    data: VisualCreatedDeltaData
    #: Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`.
    include: NotRequired[DeltaInclude]
    #: Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
    #: older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
    deleted: NotRequired[bool]

class VisualChangedDeltaData(TypedDict):
    visual: str
    #: The whole new value; None: unchanged.
    model_data: NotRequired[dict[str, Json] | None]
    emotion_data: NotRequired[dict[str, Json] | None]

class VisualChangedDelta(TypedDict):
    type: Literal["visual.changed"]
    id: str
    #: Where the event stands: `rooms/3/1234`.
    position: str
    stream: str
    time: str
    actor: str
    data: VisualChangedDeltaData
    #: Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`.
    include: NotRequired[DeltaInclude]
    #: Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
    #: older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
    deleted: NotRequired[bool]

class RoomCreatedDeltaData(TypedDict):
    type: Literal["direct", "group"]
    #: Of a group: whether anyone finds it and may join.
    visibility: Literal["private", "public"]
    name: str
    data: dict[str, str]
    description: NotRequired[str | None]
    #: `RoomSettings`; what is missing has its default.
    settings: NotRequired[dict[str, Json]]
    custom: NotRequired[dict[str, Json]]
    #: The name that its maker gave it as an address, from which the stream's id follows; None: none.
    slug: NotRequired[str | None]
    #: Id of its team; None: of none.
    team: NotRequired[str | None]

class RoomCreatedDelta(TypedDict):
    type: Literal["room.created"]
    id: str
    #: Where the event stands: `rooms/3/1234`.
    position: str
    stream: str
    time: str
    actor: str
    data: RoomCreatedDeltaData
    #: Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`.
    include: NotRequired[DeltaInclude]
    #: Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
    #: older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
    deleted: NotRequired[bool]

class RoomRenamedDeltaData(TypedDict):
    name: str

class RoomRenamedDelta(TypedDict):
    type: Literal["room.renamed"]
    id: str
    #: Where the event stands: `rooms/3/1234`.
    position: str
    stream: str
    time: str
    actor: str
    data: RoomRenamedDeltaData
    #: Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`.
    include: NotRequired[DeltaInclude]
    #: Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
    #: older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
    deleted: NotRequired[bool]

class RoomDescribedDeltaData(TypedDict):
    #: What the room is for; None: it does not say any more.
    description: str | None

class RoomDescribedDelta(TypedDict):
    type: Literal["room.described"]
    id: str
    #: Where the event stands: `rooms/3/1234`.
    position: str
    stream: str
    time: str
    actor: str
    data: RoomDescribedDeltaData
    #: Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`.
    include: NotRequired[DeltaInclude]
    #: Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
    #: older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
    deleted: NotRequired[bool]

class RoomTopicLineSetDeltaData(TypedDict):
    #: What the room is about today, in one line; None: it does not say any more.
    topic_line: str | None

class RoomTopicLineSetDelta(TypedDict):
    type: Literal["room.topic_line_set"]
    id: str
    #: Where the event stands: `rooms/3/1234`.
    position: str
    stream: str
    time: str
    actor: str
    data: RoomTopicLineSetDeltaData
    #: Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`.
    include: NotRequired[DeltaInclude]
    #: Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
    #: older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
    deleted: NotRequired[bool]

class RoomSettingsChangedDeltaData(TypedDict):
    settings: RoomSettings

class RoomSettingsChangedDelta(TypedDict):
    type: Literal["room.settings_changed"]
    id: str
    #: Where the event stands: `rooms/3/1234`.
    position: str
    stream: str
    time: str
    actor: str
    data: RoomSettingsChangedDeltaData
    #: Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`.
    include: NotRequired[DeltaInclude]
    #: Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
    #: older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
    deleted: NotRequired[bool]

class RoomDataChangedDeltaData(TypedDict):
    #: The whole new data map.
    data: dict[str, str]

class RoomDataChangedDelta(TypedDict):
    type: Literal["room.data_changed"]
    id: str
    #: Where the event stands: `rooms/3/1234`.
    position: str
    stream: str
    time: str
    actor: str
    data: RoomDataChangedDeltaData
    #: Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`.
    include: NotRequired[DeltaInclude]
    #: Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
    #: older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
    deleted: NotRequired[bool]

class RoomCustomChangedDeltaData(TypedDict):
    #: The whole new object.
    custom: dict[str, Json]

class RoomCustomChangedDelta(TypedDict):
    type: Literal["room.custom_changed"]
    id: str
    #: Where the event stands: `rooms/3/1234`.
    position: str
    stream: str
    time: str
    actor: str
    data: RoomCustomChangedDeltaData
    #: Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`.
    include: NotRequired[DeltaInclude]
    #: Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
    #: older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
    deleted: NotRequired[bool]

class RoomArchivedDelta(TypedDict):
    type: Literal["room.archived"]
    id: str
    #: Where the event stands: `rooms/3/1234`.
    position: str
    stream: str
    time: str
    actor: str
    data: Nothing
    #: Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`.
    include: NotRequired[DeltaInclude]
    #: Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
    #: older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
    deleted: NotRequired[bool]

class RoomUnarchivedDelta(TypedDict):
    type: Literal["room.unarchived"]
    id: str
    #: Where the event stands: `rooms/3/1234`.
    position: str
    stream: str
    time: str
    actor: str
    data: Nothing
    #: Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`.
    include: NotRequired[DeltaInclude]
    #: Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
    #: older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
    deleted: NotRequired[bool]

class RoomDeletedDelta(TypedDict):
    type: Literal["room.deleted"]
    id: str
    #: Where the event stands: `rooms/3/1234`.
    position: str
    stream: str
    time: str
    actor: str
    data: Nothing
    #: Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`.
    include: NotRequired[DeltaInclude]
    #: Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
    #: older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
    deleted: NotRequired[bool]

class RoomRestoredDelta(TypedDict):
    type: Literal["room.restored"]
    id: str
    #: Where the event stands: `rooms/3/1234`.
    position: str
    stream: str
    time: str
    actor: str
    data: Nothing
    #: Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`.
    include: NotRequired[DeltaInclude]
    #: Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
    #: older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
    deleted: NotRequired[bool]

class MemberInvitedDelta(TypedDict):
    type: Literal["member.invited"]
    id: str
    #: Where the event stands: `rooms/3/1234`.
    position: str
    stream: str
    time: str
    actor: str
    data: RelationshipsRemove
    #: Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`.
    include: NotRequired[DeltaInclude]
    #: Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
    #: older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
    deleted: NotRequired[bool]

class InvitationDeclinedDeltaData(TypedDict):
    user: str
    #: Who had invited.
    by: str

class InvitationDeclinedDelta(TypedDict):
    type: Literal["invitation.declined"]
    id: str
    #: Where the event stands: `rooms/3/1234`.
    position: str
    stream: str
    time: str
    actor: str
    data: InvitationDeclinedDeltaData
    #: Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`.
    include: NotRequired[DeltaInclude]
    #: Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
    #: older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
    deleted: NotRequired[bool]

class InvitationWithdrawnDelta(TypedDict):
    type: Literal["invitation.withdrawn"]
    id: str
    #: Where the event stands: `rooms/3/1234`.
    position: str
    stream: str
    time: str
    actor: str
    data: InvitationDeclinedDeltaData
    #: Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`.
    include: NotRequired[DeltaInclude]
    #: Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
    #: older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
    deleted: NotRequired[bool]

class MemberJoinedDeltaData(TypedDict):
    message: NotRequired[str | None]
    seq: NotRequired[int | None]
    user: str
    role: Literal["admin", "member", "owner"]
    #: Whether it is the user's own will, and not only that of who added them.
    willing: NotRequired[bool]

class MemberJoinedDelta(TypedDict):
    type: Literal["member.joined"]
    id: str
    #: Where the event stands: `rooms/3/1234`.
    position: str
    stream: str
    time: str
    actor: str
    data: MemberJoinedDeltaData
    #: Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`.
    include: NotRequired[DeltaInclude]
    #: Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
    #: older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
    deleted: NotRequired[bool]

class MemberLeftDeltaData(TypedDict):
    message: NotRequired[str | None]
    seq: NotRequired[int | None]
    user: str

class MemberLeftDelta(TypedDict):
    type: Literal["member.left"]
    id: str
    #: Where the event stands: `rooms/3/1234`.
    position: str
    stream: str
    time: str
    actor: str
    data: MemberLeftDeltaData
    #: Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`.
    include: NotRequired[DeltaInclude]
    #: Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
    #: older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
    deleted: NotRequired[bool]

class MemberRoleChangedDeltaData(TypedDict):
    message: NotRequired[str | None]
    seq: NotRequired[int | None]
    user: str
    role: Literal["admin", "member", "owner"]

class MemberRoleChangedDelta(TypedDict):
    type: Literal["member.role_changed"]
    id: str
    #: Where the event stands: `rooms/3/1234`.
    position: str
    stream: str
    time: str
    actor: str
    data: MemberRoleChangedDeltaData
    #: Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`.
    include: NotRequired[DeltaInclude]
    #: Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
    #: older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
    deleted: NotRequired[bool]

class MemberReadDeltaData(TypedDict):
    user: str
    #: Everything up to this sequence number is read.
    seq: int

class MemberReadDelta(TypedDict):
    type: Literal["member.read"]
    id: str
    #: Where the event stands: `rooms/3/1234`.
    position: str
    stream: str
    time: str
    actor: str
    data: MemberReadDeltaData
    #: Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`.
    include: NotRequired[DeltaInclude]
    #: Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
    #: older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
    deleted: NotRequired[bool]

class MemberNotificationsSetDeltaData(TypedDict):
    user: str
    #: Whether the member wants to be notified of messages.
    notifications: bool

class MemberNotificationsSetDelta(TypedDict):
    type: Literal["member.notifications_set"]
    id: str
    #: Where the event stands: `rooms/3/1234`.
    position: str
    stream: str
    time: str
    actor: str
    data: MemberNotificationsSetDeltaData
    #: Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`.
    include: NotRequired[DeltaInclude]
    #: Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
    #: older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
    deleted: NotRequired[bool]

class MemberCustomChangedDeltaData(TypedDict):
    user: str
    #: The whole new object.
    custom: dict[str, Json]

class MemberCustomChangedDelta(TypedDict):
    type: Literal["member.custom_changed"]
    id: str
    #: Where the event stands: `rooms/3/1234`.
    position: str
    stream: str
    time: str
    actor: str
    data: MemberCustomChangedDeltaData
    #: Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`.
    include: NotRequired[DeltaInclude]
    #: Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
    #: older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
    deleted: NotRequired[bool]

class MessagePostedDeltaDataText(TypedDict):
    message: str
    seq: int
    token: str
    type: Literal["text"]
    content: ShownText
    data: dict[str, Json]

class MessagePostedDeltaDataAction(TypedDict):
    message: str
    seq: int
    token: str
    type: Literal["action"]
    content: ShownText
    data: dict[str, Json]

class MessagePostedDeltaDataImage(TypedDict):
    message: str
    seq: int
    token: str
    type: Literal["image"]
    content: ShownImage
    data: dict[str, Json]

class MessagePostedDeltaDataFile(TypedDict):
    message: str
    seq: int
    token: str
    type: Literal["file"]
    content: ShownFile
    data: dict[str, Json]

class MessagePostedDeltaDataCustom(TypedDict):
    message: str
    seq: int
    token: str
    type: Literal["custom"]
    content: ShownCustom
    data: dict[str, Json]

class MessagePostedDelta(TypedDict):
    type: Literal["message.posted"]
    id: str
    #: Where the event stands: `rooms/3/1234`.
    position: str
    stream: str
    time: str
    actor: str
    data: MessagePostedDeltaDataText | MessagePostedDeltaDataAction | MessagePostedDeltaDataImage | MessagePostedDeltaDataFile | MessagePostedDeltaDataCustom
    #: Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`.
    include: NotRequired[DeltaInclude]
    #: Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
    #: older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
    deleted: NotRequired[bool]

class MessageEditedDeltaData(TypedDict):
    message: str
    content: dict[str, Json]
    data: dict[str, Json]

class MessageEditedDelta(TypedDict):
    type: Literal["message.edited"]
    id: str
    #: Where the event stands: `rooms/3/1234`.
    position: str
    stream: str
    time: str
    actor: str
    data: MessageEditedDeltaData
    #: Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`.
    include: NotRequired[DeltaInclude]
    #: Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
    #: older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
    deleted: NotRequired[bool]

class MessageDeletedDeltaData(TypedDict):
    message: str

class MessageDeletedDelta(TypedDict):
    type: Literal["message.deleted"]
    id: str
    #: Where the event stands: `rooms/3/1234`.
    position: str
    stream: str
    time: str
    actor: str
    data: MessageDeletedDeltaData
    #: Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`.
    include: NotRequired[DeltaInclude]
    #: Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
    #: older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
    deleted: NotRequired[bool]

class MessageRestoredDelta(TypedDict):
    type: Literal["message.restored"]
    id: str
    #: Where the event stands: `rooms/3/1234`.
    position: str
    stream: str
    time: str
    actor: str
    data: MessageDeletedDeltaData
    #: Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`.
    include: NotRequired[DeltaInclude]
    #: Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
    #: older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
    deleted: NotRequired[bool]

class MessageEmotionDetectedDeltaData(TypedDict):
    message: str
    emotion: str | None
    #: Whether the author's visual can show it: only then do people see it.
    shown: bool

class MessageEmotionDetectedDelta(TypedDict):
    type: Literal["message.emotion_detected"]
    id: str
    #: Where the event stands: `rooms/3/1234`.
    position: str
    stream: str
    time: str
    actor: str
    data: MessageEmotionDetectedDeltaData
    #: Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`.
    include: NotRequired[DeltaInclude]
    #: Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
    #: older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
    deleted: NotRequired[bool]

class MessagePinnedDelta(TypedDict):
    type: Literal["message.pinned"]
    id: str
    #: Where the event stands: `rooms/3/1234`.
    position: str
    stream: str
    time: str
    actor: str
    data: MessageDeletedDeltaData
    #: Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`.
    include: NotRequired[DeltaInclude]
    #: Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
    #: older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
    deleted: NotRequired[bool]

class MessageUnpinnedDelta(TypedDict):
    type: Literal["message.unpinned"]
    id: str
    #: Where the event stands: `rooms/3/1234`.
    position: str
    stream: str
    time: str
    actor: str
    data: MessageDeletedDeltaData
    #: Entities that the recipient may not know yet, as `GET /v1/sync` shows them: `{"room": {...}, "user": {...}}`.
    include: NotRequired[DeltaInclude]
    #: Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of
    #: older deltas receive such a delta; the one that reports the deletion follows. Default: `false`.
    deleted: NotRequired[bool]

class GoneRoom(TypedDict):
    """What a deleted room shows besides its id, type, state and times."""
    name: str
    description: str | None
    topic_line: str | None
    settings: RoomSettings
    data: dict[str, str]
    custom: dict[str, Json]
    seq: int
    last: str | None
    members: int
    pins: int
    owner: str | None

#: A message as the room's members see it. Of a deleted one only its place and author are left.
Message: TypeAlias = "TextMessage | ActionMessage | ImageMessage | FileMessage | CustomMessage | JoinMessage | LeaveMessage | SystemMessage"

#: Any JSON object, for clients that know it.
CustomContent: TypeAlias = "dict[str, Json]"

#: Any JSON object, for clients that know it.
ShownCustom: TypeAlias = "dict[str, Json]"

#: What `messages.send` takes.
MessagesSend: TypeAlias = "MessagesSendText | MessagesSendAction | MessagesSendImage | MessagesSendFile | MessagesSendCustom"

#: What a client receives.
Delta: TypeAlias = "UserRegisteredDelta | UserProfileChangedDelta | UserEmailChangedDelta | UserEmailAbandonedDelta | UserPasswordChangedDelta | UserSeenDelta | UserVisualChosenDelta | UserAddedByChosenDelta | UserDeactivatedDelta | UserReactivatedDelta | UserTokensRevokedDelta | UserTeamSetDelta | UserErasedDelta | UserErasureNotedDelta | SessionOpenedDelta | SessionRenewedDelta | SessionUsedDelta | SessionClosedDelta | RelationshipSetDelta | VisualCreatedDelta | VisualChangedDelta | RoomCreatedDelta | RoomRenamedDelta | RoomDescribedDelta | RoomTopicLineSetDelta | RoomSettingsChangedDelta | RoomDataChangedDelta | RoomCustomChangedDelta | RoomArchivedDelta | RoomUnarchivedDelta | RoomDeletedDelta | RoomRestoredDelta | MemberInvitedDelta | InvitationDeclinedDelta | InvitationWithdrawnDelta | MemberJoinedDelta | MemberLeftDelta | MemberRoleChangedDelta | MemberReadDelta | MemberNotificationsSetDelta | MemberCustomChangedDelta | MessagePostedDelta | MessageEditedDelta | MessageDeletedDelta | MessageRestoredDelta | MessageEmotionDetectedDelta | MessagePinnedDelta | MessageUnpinnedDelta"

#: Type of a delta in `ROOM_CHANGES`.
RoomChange: TypeAlias = "Literal['room.renamed', 'room.described', 'room.topic_line_set', 'room.settings_changed', 'room.data_changed', 'room.custom_changed']"

#: Codes of problems; a newer server may have more.
ProblemCode = Literal[
    "invalid",
    "malformed",
    "unauthenticated",
    "token_expired",
    "token_not_yet_valid",
    "token_revoked",
    "suspended",
    "forbidden",
    "not_found",
    "erased",
    "method_not_allowed",
    "declined",
    "too_many",
    "in_use",
    "taken",
    "key_reused",
    "archived",
    "no_successor",
    "limit_reached",
    "quota_used",
    "too_large",
    "too_slow",
    "misdirected",
    "upgrade_required",
    "head_too_large",
    "rate_limited",
    "insufficient_storage",
    "internal",
    "overloaded",
    "lagging",
    "parked",
    "no_owner",
    "unavailable",
    "unknown",
]
#: Types of deltas that set members of their room: each becomes what `data` says.
ROOM_CHANGES: tuple[RoomChange, ...] = (
    "room.renamed",
    "room.described",
    "room.topic_line_set",
    "room.settings_changed",
    "room.data_changed",
    "room.custom_changed",
)
#: What a deleted room shows besides its id, type, state and times.
GONE: GoneRoom = {
    "name": "",
    "description": None,
    "topic_line": None,
    "settings": {"notifications": True, "announcements": True, "posting": "members", "inviting": "members"},
    "data": {},
    "custom": {},
    "seq": 0,
    "last": None,
    "members": 0,
    "pins": 0,
    "owner": None,
}

#: How a call may be sent again without an answer: a read as it is, a change with the same key or client_id, the rest
#: not at all.
Repeat = Literal["read", "key", "client_id", "never"]
#: Sends one call: method, parameters, and how it may be repeated.
Call = Callable[[str, Mapping[str, Any], Repeat], Awaitable[Any]]


class UsersRpc:
    def __init__(self, call: Call) -> None:
        self._call = call

    async def register(self, **params: Unpack[UsersRegister]) -> UsersRegisterAnswer:
        """Register a user and log in."""
        return cast(UsersRegisterAnswer, await self._call("users.register", params, "key"))

    async def find(self, **params: Unpack[UsersFind]) -> UsersFindAnswer:
        """Search users by name or username, or get several by id."""
        return cast(UsersFindAnswer, await self._call("users.find", params, "read"))

    async def me(self, **params: Unpack[UsersMe]) -> UsersMeAnswer:
        """Your own user."""
        return cast(UsersMeAnswer, await self._call("users.me", params, "read"))

    async def change(self, **params: Unpack[UsersChange]) -> UsersChangeAnswer:
        """Change your name, picture, text, data map, e-mail address, or who may add you to rooms."""
        return cast(UsersChangeAnswer, await self._call("users.change", params, "key"))

    async def get(self, **params: Unpack[UsersGet]) -> UsersGetAnswer:
        """A user's profile."""
        return cast(UsersGetAnswer, await self._call("users.get", params, "read"))

    async def change_password(self, **params: Unpack[UsersChangePassword]) -> UsersChangePasswordAnswer:
        """Change your password, or set the first one; your other sessions end, this one continues."""
        return cast(UsersChangePasswordAnswer, await self._call("users.change_password", params, "key"))


class SessionsRpc:
    def __init__(self, call: Call) -> None:
        self._call = call

    async def open(self, **params: Unpack[SessionsOpen]) -> SessionsOpenAnswer:
        """Log in by username or e-mail address, and password."""
        return cast(SessionsOpenAnswer, await self._call("sessions.open", params, "key"))

    async def list(self, **params: Unpack[SessionsList]) -> SessionsListAnswer:
        """Where you are logged in: your sessions that have not ended, the last opened first."""
        return cast(SessionsListAnswer, await self._call("sessions.list", params, "read"))

    async def issue(self, **params: Unpack[SessionsIssue]) -> SessionsIssueAnswer:
        """Open a session for a person who has logged in to your application."""
        return cast(SessionsIssueAnswer, await self._call("sessions.issue", params, "key"))

    async def renew(self, **params: Unpack[SessionsRenew]) -> SessionsRenewAnswer:
        """Stay logged in: another token for this session, which ends later; the old one ends when it said."""
        return cast(SessionsRenewAnswer, await self._call("sessions.renew", params, "key"))

    async def close(self, **params: Unpack[SessionsClose]) -> None:
        """Log out, here or elsewhere: the session's tokens are void from then on."""
        await self._call("sessions.close", params, "key")


class RelationshipsRpc:
    def __init__(self, call: Call) -> None:
        self._call = call

    async def list(self, **params: Unpack[RelationshipsList]) -> RelationshipsListAnswer:
        """Your friends and the people you block, or who has you as a friend."""
        return cast(RelationshipsListAnswer, await self._call("relationships.list", params, "read"))

    async def set(self, **params: Unpack[RelationshipsSet]) -> RelationshipsSetAnswer:
        """Befriend or block a user, or (null) neither."""
        return cast(RelationshipsSetAnswer, await self._call("relationships.set", params, "key"))

    async def remove(self, **params: Unpack[RelationshipsRemove]) -> RelationshipsRemoveAnswer:
        """Remove a friend or a block."""
        return cast(RelationshipsRemoveAnswer, await self._call("relationships.remove", params, "key"))


class VisualsRpc:
    def __init__(self, call: Call) -> None:
        self._call = call

    async def create(self, **params: Unpack[VisualsCreate]) -> VisualsCreateAnswer:
        """Make a visual character."""
        return cast(VisualsCreateAnswer, await self._call("visuals.create", params, "key"))

    async def list(self, **params: Unpack[VisualsList]) -> VisualsListAnswer:
        """Your visual characters, or several by id."""
        return cast(VisualsListAnswer, await self._call("visuals.list", params, "read"))

    async def get(self, **params: Unpack[VisualsGet]) -> VisualsGetAnswer:
        """A visual character."""
        return cast(VisualsGetAnswer, await self._call("visuals.get", params, "read"))

    async def change(self, **params: Unpack[VisualsChange]) -> VisualsChangeAnswer:
        """Change your visual character."""
        return cast(VisualsChangeAnswer, await self._call("visuals.change", params, "key"))

    async def choose(self, **params: Unpack[VisualsChoose]) -> VisualsChooseAnswer:
        """Link a visual character, or make one and link it."""
        return cast(VisualsChooseAnswer, await self._call("visuals.choose", params, "key"))


class RoomsRpc:
    def __init__(self, call: Call) -> None:
        self._call = call

    async def create(self, **params: Unpack[RoomsCreate]) -> RoomsCreateAnswer:
        """Make a public or private room, or talk with one other (the same two always get the same direct room)."""
        return cast(RoomsCreateAnswer, await self._call("rooms.create", params, "key"))

    async def find(self, **params: Unpack[RoomsFind]) -> RoomsFindAnswer:
        """The rooms you are in, with last message and unread count; public rooms; or rooms by name."""
        return cast(RoomsFindAnswer, await self._call("rooms.find", params, "read"))

    async def get(self, **params: Unpack[RoomsGet]) -> RoomsGetAnswer:
        """A room you are in."""
        return cast(RoomsGetAnswer, await self._call("rooms.get", params, "read"))

    async def change(self, **params: Unpack[RoomsChange]) -> RoomsChangeAnswer:
        """Change a room's name, description, topic line, settings, data map or custom object."""
        return cast(RoomsChangeAnswer, await self._call("rooms.change", params, "key"))

    async def delete(self, **params: Unpack[RoomsDelete]) -> None:
        """Delete a room: for its members it no longer exists; an operator can restore it."""
        await self._call("rooms.delete", params, "key")

    async def archive(self, **params: Unpack[RoomsArchive]) -> RoomsArchiveAnswer:
        """Archive a room: it can be read and left, but not written to."""
        return cast(RoomsArchiveAnswer, await self._call("rooms.archive", params, "key"))

    async def unarchive(self, **params: Unpack[RoomsUnarchive]) -> RoomsUnarchiveAnswer:
        """Unarchive a room."""
        return cast(RoomsUnarchiveAnswer, await self._call("rooms.unarchive", params, "key"))

    async def history(self, **params: Unpack[RoomsHistory]) -> RoomsHistoryAnswer:
        """The events of a room you are in, the latest first."""
        return cast(RoomsHistoryAnswer, await self._call("rooms.history", params, "read"))

    async def pins(self, **params: Unpack[RoomsPins]) -> RoomsPinsAnswer:
        """The pinned messages of a room, the one pinned last first."""
        return cast(RoomsPinsAnswer, await self._call("rooms.pins", params, "read"))


class MembersRpc:
    def __init__(self, call: Call) -> None:
        self._call = call

    async def list(self, **params: Unpack[MembersList]) -> MembersListAnswer:
        """The members of a room, with profiles."""
        return cast(MembersListAnswer, await self._call("members.list", params, "read"))

    async def add(self, **params: Unpack[MembersAdd]) -> MembersAddAnswer:
        """Join a room or accept an invitation (`me`), or add others: those who do not allow it are invited."""
        return cast(MembersAddAnswer, await self._call("members.add", params, "key"))

    async def remove(self, **params: Unpack[MembersRemove]) -> None:
        """Leave a room (`me`), remove somebody, or withdraw an invitation."""
        await self._call("members.remove", params, "key")

    async def change(self, **params: Unpack[MembersChange]) -> MembersChangeAnswer:
        """Change the custom object of a member: your own (`me`), or another's as owner or admin."""
        return cast(MembersChangeAnswer, await self._call("members.change", params, "key"))

    async def set_role(self, **params: Unpack[MembersSetRole]) -> MembersSetRoleAnswer:
        """Promote or demote a member, or pass the room on to a new owner."""
        return cast(MembersSetRoleAnswer, await self._call("members.set_role", params, "key"))

    async def set_notifications(self, **params: Unpack[MembersSetNotifications]) -> MembersSetNotificationsAnswer:
        """Choose whether you want to be notified of a room's messages."""
        return cast(MembersSetNotificationsAnswer, await self._call("members.set_notifications", params, "key"))

    async def read(self, **params: Unpack[MembersRead]) -> MembersReadAnswer:
        """Mark everything up to a message as read, and nothing after it; or only forward."""
        return cast(MembersReadAnswer, await self._call("members.read", params, "key"))


class InvitationsRpc:
    def __init__(self, call: Call) -> None:
        self._call = call

    async def list(self, **params: Unpack[InvitationsList]) -> InvitationsListAnswer:
        """The rooms to which you were invited, and by whom; accept with `members.add` (`me`)."""
        return cast(InvitationsListAnswer, await self._call("invitations.list", params, "read"))

    async def decline(self, **params: Unpack[InvitationsDecline]) -> None:
        """Decline an invitation."""
        await self._call("invitations.decline", params, "key")


class MessagesRpc:
    def __init__(self, call: Call) -> None:
        self._call = call

    @overload
    async def send(self, **params: Unpack[MessagesSendText]) -> MessagesSendAnswer: ...

    @overload
    async def send(self, **params: Unpack[MessagesSendAction]) -> MessagesSendAnswer: ...

    @overload
    async def send(self, **params: Unpack[MessagesSendImage]) -> MessagesSendAnswer: ...

    @overload
    async def send(self, **params: Unpack[MessagesSendFile]) -> MessagesSendAnswer: ...

    @overload
    async def send(self, **params: Unpack[MessagesSendCustom]) -> MessagesSendAnswer: ...

    async def send(self, **params: Any) -> MessagesSendAnswer:
        """Send a message to a room you are in."""
        return cast(MessagesSendAnswer, await self._call("messages.send", params, "client_id"))

    async def read(self, **params: Unpack[MessagesRead]) -> MessagesReadAnswer:
        """Messages of a room you are in, in order, with their authors."""
        return cast(MessagesReadAnswer, await self._call("messages.read", params, "read"))

    async def get(self, **params: Unpack[MessagesGet]) -> MessagesGetAnswer:
        """One message."""
        return cast(MessagesGetAnswer, await self._call("messages.get", params, "read"))

    async def edit(self, **params: Unpack[MessagesEdit]) -> MessagesEditAnswer:
        """Edit a message of yours."""
        return cast(MessagesEditAnswer, await self._call("messages.edit", params, "key"))

    async def delete(self, **params: Unpack[MessagesDelete]) -> None:
        """Delete a message: its place and number stay."""
        await self._call("messages.delete", params, "key")

    async def edits(self, **params: Unpack[MessagesEdits]) -> MessagesEditsAnswer:
        """The earlier versions of an edited message, the oldest first."""
        return cast(MessagesEditsAnswer, await self._call("messages.edits", params, "read"))

    async def pin(self, **params: Unpack[MessagesPin]) -> MessagesPinAnswer:
        """Pin a message, for all members of the room."""
        return cast(MessagesPinAnswer, await self._call("messages.pin", params, "key"))

    async def unpin(self, **params: Unpack[MessagesUnpin]) -> None:
        """Unpin a message."""
        await self._call("messages.unpin", params, "key")

    async def set_emotion(self, **params: Unpack[MessagesSetEmotion]) -> MessagesSetEmotionAnswer:
        """Set the emotion that a message shows."""
        return cast(MessagesSetEmotionAnswer, await self._call("messages.set_emotion", params, "key"))

    async def set_emotions(self, **params: Unpack[MessagesSetEmotions]) -> MessagesSetEmotionsAnswer:
        """Set the emotions that some messages show, each decided separately."""
        return cast(MessagesSetEmotionsAnswer, await self._call("messages.set_emotions", params, "never"))

    async def search(self, **params: Unpack[MessagesSearch]) -> MessagesSearchAnswer:
        """Search in the messages of your rooms, the newest first: within a room by `seq`, between rooms by time."""
        return cast(MessagesSearchAnswer, await self._call("messages.search", params, "read"))


class ChannelsRpc:
    def __init__(self, call: Call) -> None:
        self._call = call

    async def create(self, **params: Unpack[ChannelsCreate]) -> ChannelsCreateAnswer:
        """Make a live channel."""
        return cast(ChannelsCreateAnswer, await self._call("channels.create", params, "key"))

    async def list(self, **params: Unpack[ChannelsList]) -> ChannelsListAnswer:
        """Live channels, each with who is in it."""
        return cast(ChannelsListAnswer, await self._call("channels.list", params, "read"))

    async def get(self, **params: Unpack[ChannelsGet]) -> ChannelsGetAnswer:
        """A live channel, with who is in it."""
        return cast(ChannelsGetAnswer, await self._call("channels.get", params, "read"))

    async def delete(self, **params: Unpack[ChannelsDelete]) -> None:
        """Delete a live channel."""
        await self._call("channels.delete", params, "key")

    async def listen(self, **params: Unpack[ChannelsListen]) -> ChannelsListenAnswer:
        """Be sent to the server of a live channel."""
        return cast(ChannelsListenAnswer, await self._call("channels.listen", params, "key"))

    async def report(self, **params: Unpack[ChannelsReport]) -> None:
        """Report that a server of live channels lives, and what it serves."""
        await self._call("channels.report", params, "never")

    async def watch(self, **params: Unpack[ChannelsWatch]) -> None:
        """Receive on this connection who is in some live channels, from now on."""
        await self._call("channels.watch", params, "never")


class AppsRpc:
    def __init__(self, call: Call) -> None:
        self._call = call

    async def about(self, **params: Unpack[AppsAbout]) -> AppsAboutAnswer:
        """What the caller's application is called, and whether one may register."""
        return cast(AppsAboutAnswer, await self._call("apps.about", params, "read"))


class SyncRpc:
    def __init__(self, call: Call) -> None:
        self._call = call

    async def get(self, **params: Unpack[SyncGet]) -> SyncGetAnswer:
        """A snapshot of all that concerns you, page by page; the first has the cursor from which deltas continue."""
        return cast(SyncGetAnswer, await self._call("sync.get", params, "read"))


class ChangesRpc:
    def __init__(self, call: Call) -> None:
        self._call = call

    async def pull(self, **params: Unpack[ChangesPull]) -> ChangesPullAnswer:
        """Your deltas after a cursor, or a snapshot if they are no longer kept."""
        return cast(ChangesPullAnswer, await self._call("changes.pull", params, "read"))


class PresenceRpc:
    def __init__(self, call: Call) -> None:
        self._call = call

    async def get(self, **params: Unpack[PresenceGet]) -> PresenceGetAnswer:
        """Which of some users are online, away or offline."""
        return cast(PresenceGetAnswer, await self._call("presence.get", params, "read"))

    async def room(self, **params: Unpack[PresenceRoom]) -> PresenceRoomAnswer:
        """Who in a room is connected, and who has it open."""
        return cast(PresenceRoomAnswer, await self._call("presence.room", params, "read"))

    async def set(self, **params: Unpack[PresenceSet]) -> None:
        """Report which room this connection shows, and whether anybody is there."""
        await self._call("presence.set", params, "never")


class SignalsRpc:
    def __init__(self, call: Call) -> None:
        self._call = call

    async def type(self, **params: Unpack[SignalsType]) -> None:
        """Report that you are typing in a room, or have stopped."""
        await self._call("signals.type", params, "never")


class Rpc:
    """Every operation, by its name: ``rpc.messages.send(...)``. Each raises Problem."""

    def __init__(self, call: Call) -> None:
        self.users = UsersRpc(call)
        self.sessions = SessionsRpc(call)
        self.relationships = RelationshipsRpc(call)
        self.visuals = VisualsRpc(call)
        self.rooms = RoomsRpc(call)
        self.members = MembersRpc(call)
        self.invitations = InvitationsRpc(call)
        self.messages = MessagesRpc(call)
        self.channels = ChannelsRpc(call)
        self.apps = AppsRpc(call)
        self.sync = SyncRpc(call)
        self.changes = ChangesRpc(call)
        self.presence = PresenceRpc(call)
        self.signals = SignalsRpc(call)
