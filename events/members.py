"""Members: who is in a room, since when, in what role, and how far they have read. Part of the room's stream."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from msgspec.structs import replace

from events.core.clock import Time
from events.core.records import Changes, Entity, Event, EventType, Key, Record, State
from events.core.revert_rules import NotRevertible, RevertRule
from events.invitations import ended, invitation_key
from events.message_entity import made, message_key, new_message
from events.rooms import Room, loaded_room, room_key, settings_of

Role = Literal["owner", "admin", "member"]


class Member(Entity, frozen=True, kw_only=True):
    """A user in a room (S0 Chat Enrollment, S2 RoomMembership), now or formerly."""

    kind: ClassVar = "member"
    key_fields: ClassVar = ("room", "user")

    room: str
    user: str
    #: At most one member is the owner, at every position of the log.
    role: Role
    state: Literal["joined", "left"]
    #: Offset of the join: the member receives what is in the log from here on.
    since: int
    joined: Time
    #: Sequence number up to which everything is read: unread = the room's last - this.
    read: int
    #: When that was noted.
    read_at: Time
    #: Whether the member wants to be notified of messages.
    notifications: bool
    #: Whether the user is here by their own will: they came, accepted, were added by somebody whom their choice lets
    #: add them, or have read or spoken here. Only such members see of each other who is present.
    willing: bool
    #: A JSON object that apps make up; who comes back still has it.
    custom: dict[str, Any]
    version: int

    @property
    def key(self) -> Key:
        return member_key(self.room, self.user)


class Stay(Entity, frozen=True, kw_only=True):
    """A time in a room that is over: from the offset ``since`` up to, not including, ``until``."""

    kind: ClassVar = "stay"
    key_fields: ClassVar = ("room", "user", "since")

    room: str
    user: str
    since: int
    until: int
    version: int

    @property
    def key(self) -> Key:
        return ("stay", self.room, self.user, str(self.since))


def member_key(room: str, user: str) -> Key:
    return ("member", room, user)


def loaded_member(state: State, room: str, user: str) -> Member | None:
    """The present member in ``state``; None when the user is not in the room. KeyError when it was not loaded."""
    entity = state[member_key(room, user)]
    return entity if isinstance(entity, Member) and entity.state == "joined" else None


class Announced(Event, frozen=True, kw_only=True):
    """What may become a message of the room: its id and sequence number; None where it is not announced."""

    message: str | None = None
    seq: int | None = None


class MemberJoined(Announced, frozen=True, kw_only=True):
    user: str
    role: Role
    #: Whether it is the user's own will, and not only that of who added them.
    willing: bool = True


class MemberLeft(Announced, frozen=True, kw_only=True):
    user: str


class MemberRoleChanged(Announced, frozen=True, kw_only=True):
    user: str
    role: Role


class MemberRead(Event, frozen=True, kw_only=True):
    user: str
    #: Everything up to this sequence number is read.
    seq: int


class MemberNotificationsSet(Event, frozen=True, kw_only=True):
    user: str
    #: Whether the member wants to be notified of messages.
    notifications: bool


class MemberCustomChanged(Event, frozen=True, kw_only=True):
    user: str
    #: The whole new object.
    custom: dict[str, Any]


MemberEvent = MemberJoined | MemberLeft | MemberRoleChanged | MemberRead | MemberNotificationsSet | MemberCustomChanged


def keys(record: Record[MemberEvent]) -> Sequence[Key]:
    event = record.data
    found = [room_key(record.stream), member_key(record.stream, event.user)]
    if isinstance(event, Announced) and event.message is not None:
        found += [message_key(event.message), member_key(record.stream, record.actor)]
    if isinstance(event, MemberJoined):
        found.append(invitation_key(record.stream, event.user))
    return found


def announced(
    record: Record[Announced], state: State, room: Room, type: str, content: dict[str, Any]
) -> tuple[Changes, Room]:
    """The message that the event makes, if it is announced, and the room after it. Who acted has read up to it."""
    event = record.data
    if event.message is None or event.seq is None:
        return {}, room
    message = made(record, id=event.message, seq=event.seq, type=type, content=content)
    message, room = new_message(record, room, message)
    changes: Changes = {message.key: message}
    actor = loaded_member(state, room.id, record.actor)
    if actor is not None:
        changes[actor.key] = has_read(actor, event.seq, record)
    return changes, room


def has_read(member: Member, seq: int, record: Record) -> Member:
    """The member after reading up to ``seq``: whoever reads or speaks in a room is there by their own will."""
    return replace(member, read=seq, read_at=record.time, willing=True, version=record.offset)


def joined(record: Record[MemberJoined], state: State) -> Changes:
    event = record.data
    room = loaded_room(state, record.stream)
    if room is None or loaded_member(state, record.stream, event.user) is not None:
        return {}
    changes, room = announced(record, state, room, "join", {"user": event.user})
    before = state[member_key(record.stream, event.user)]
    # In a direct room everything is new to the person who accepts: it was said to them.
    member = Member(
        room=record.stream, user=event.user, role=event.role, state="joined", since=record.offset,
        joined=record.time, read=0 if room.type == "direct" else room.seq, read_at=record.time,
        notifications=settings_of(room.settings).notifications, willing=event.willing, custom={},
        version=record.offset,
    )  # fmt: skip
    if isinstance(before, Member):
        member = replace(member, notifications=before.notifications, custom=before.custom)
        if event.message is None or record.actor != event.user:
            # Who is let in again, or comes without a message, finds unread what was said meanwhile.
            member = replace(member, read=before.read, read_at=before.read_at)
    owner = event.user if event.role == "owner" else room.owner
    changes[member.key] = member
    changes[room.key] = replace(room, members=room.members + 1, owner=owner, version=record.offset)
    changes |= ended(record, state, event.user, "accepted")
    return changes


def left(record: Record[MemberLeft], state: State) -> Changes:
    event = record.data
    room = loaded_room(state, record.stream)
    member = loaded_member(state, record.stream, event.user)
    if room is None or member is None:
        return {}
    changes, room = announced(record, state, room, "leave", {"user": event.user})
    # Who leaves has read the message that says so, should they come back; who is put out has not.
    reader = changes.get(member.key)
    member = reader if isinstance(reader, Member) else member
    stay = Stay(room=record.stream, user=event.user, since=member.since, until=record.offset, version=record.offset)
    owner = None if room.owner == event.user else room.owner
    changes[member.key] = replace(member, state="left", role="member", version=record.offset)
    changes[stay.key] = stay
    changes[room.key] = replace(room, members=room.members - 1, owner=owner, version=record.offset)
    return changes


def role_changed(record: Record[MemberRoleChanged], state: State) -> Changes:
    event = record.data
    room = loaded_room(state, record.stream)
    member = loaded_member(state, record.stream, event.user)
    if room is None or member is None:
        return {}
    content = {"event": "role_changed", "user": event.user, "role": event.role}
    changes, room = announced(record, state, room, "system", content)
    owner = event.user if event.role == "owner" else None if room.owner == event.user else room.owner
    # Who changes their own role has read the message that says so.
    reader = changes.get(member.key)
    member = reader if isinstance(reader, Member) else member
    changes[member.key] = replace(member, role=event.role, version=record.offset)
    changes[room.key] = replace(room, owner=owner, version=record.offset)
    return changes


def read(record: Record[MemberRead], state: State) -> Changes:
    event = record.data
    member = loaded_member(state, record.stream, event.user)
    return {} if member is None else {member.key: has_read(member, event.seq, record)}


def notifications_set(record: Record[MemberNotificationsSet], state: State) -> Changes:
    event = record.data
    member = loaded_member(state, record.stream, event.user)
    if member is None:
        return {}
    return {member.key: replace(member, notifications=event.notifications, version=record.offset)}


def custom_changed(record: Record[MemberCustomChanged], state: State) -> Changes:
    event = record.data
    member = loaded_member(state, record.stream, event.user)
    return {} if member is None else {member.key: replace(member, custom=event.custom, version=record.offset)}


_SAMPLE = "7d9f3c1e-2f7b-4a62-9c5e-0d3b1a2c4e5f"
_MESSAGE = "019aa000-0000-7000-8000-000000000005"

ROWS = (
    EventType(
        name="member.joined", struct=MemberJoined, topics=("rooms",), keys=keys, fold=joined, version=3,
        about="A user is in the room from here on; the actor is who let them in.",
        sample=MemberJoined(user=_SAMPLE, role="member", message=_MESSAGE, seq=18),
        revert=RevertRule("member", ("state",), "user"), makes=("message",),
    ),
    EventType(
        name="member.left", struct=MemberLeft, topics=("rooms",), keys=keys, fold=left, version=2,
        about="A user is no longer in the room; the actor is the user, or who put them out.",
        sample=MemberLeft(user=_SAMPLE, message=_MESSAGE, seq=18),
        revert=RevertRule("member", ("state", "role"), "user"), makes=("message",),
    ),
    EventType(
        name="member.role_changed", struct=MemberRoleChanged, topics=("rooms",), keys=keys, fold=role_changed,
        about="A member has another role. Before somebody becomes the owner, the old one has ceased to be it.",
        sample=MemberRoleChanged(user=_SAMPLE, role="owner", message=_MESSAGE, seq=18), version=2,
        revert=RevertRule("member", ("role",), "user"), makes=("message",),
    ),
    EventType(
        name="member.read", struct=MemberRead, topics=("rooms",), keys=keys, fold=read,
        about="A member has read everything up to a message, and nothing after it.",
        sample=MemberRead(user=_SAMPLE, seq=17),
        revert=NotRevertible("it only says how far somebody has read, or been here"), reads=("room",),
        renews=("member",),
    ),
    EventType(
        name="member.notifications_set", struct=MemberNotificationsSet, topics=("rooms",), keys=keys,
        fold=notifications_set, about="A member wants to be notified of messages, or not.",
        sample=MemberNotificationsSet(user=_SAMPLE, notifications=False),
        revert=RevertRule("member", ("notifications",), "user"), reads=("room",),
    ),
    EventType(
        name="member.custom_changed", struct=MemberCustomChanged, topics=("rooms",), keys=keys, fold=custom_changed,
        about="A member's custom object changed; the actor is the member, or the owner or an admin.",
        sample=MemberCustomChanged(user=_SAMPLE, custom={"seat": {"row": 4}, "tags": ["guest"]}),
        revert=RevertRule("member", ("custom",), "user"), reads=("room",),
    ),
)  # fmt: skip
