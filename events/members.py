"""Members: who is in a room, since when, in what role, and how far they have read. Part of the room's stream."""

from __future__ import annotations

from typing import ClassVar, Literal

from msgspec.structs import replace

from events.clock import Time
from events.records import Changes, Entity, Event, EventType, Key, Record, State
from events.rooms import loaded_room, room_key

Role = Literal["owner", "member"]


class Member(Entity, frozen=True, kw_only=True):
    """A user in a room (S0 Chat Enrollment), now or formerly."""

    kind: ClassVar = "member"
    key_fields: ClassVar = ("room", "user")

    room: str
    user: str
    role: Role
    state: Literal["joined", "left"]
    #: Offset of the join: the member hears what stands in the log from here on.
    since: int
    joined: Time
    #: Sequence number up to which everything is read: unread = the room's last - this.
    read: int
    version: int


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
        return Key(("stay", self.room, self.user, str(self.since)))


def member_key(room: str, user: str) -> Key:
    return Key(("member", room, user))


def loaded_member(state: State, room: str, user: str) -> Member | None:
    """The present member in ``state``; None when the user is not in the room. KeyError when it was not loaded."""
    entity = state[member_key(room, user)]
    return entity if isinstance(entity, Member) and entity.state == "joined" else None


class MemberJoined(Event, frozen=True, kw_only=True):
    user: str
    role: Role


class MemberLeft(Event, frozen=True, kw_only=True):
    user: str


class MemberRoleChanged(Event, frozen=True, kw_only=True):
    user: str
    role: Role


class MemberRead(Event, frozen=True, kw_only=True):
    user: str
    #: Everything up to this sequence number is read.
    seq: int


def names(record: Record) -> tuple[Key, ...]:
    event = record.data
    assert isinstance(event, MemberJoined | MemberLeft | MemberRoleChanged | MemberRead)
    return (room_key(record.stream), member_key(record.stream, event.user))


def joined(record: Record, state: State) -> Changes:
    event = record.data
    assert isinstance(event, MemberJoined)
    room = loaded_room(state, record.stream)
    if room is None or loaded_member(state, record.stream, event.user) is not None:
        return {}
    before = state[member_key(record.stream, event.user)]
    member = Member(
        room=record.stream, user=event.user, role=event.role, state="joined", since=record.offset,
        joined=record.time, read=before.read if isinstance(before, Member) else room.seq, version=record.offset,
    )  # fmt: skip
    owner = event.user if event.role == "owner" else room.owner
    return {
        member.key: member,
        room.key: replace(room, members=room.members + 1, owner=owner, version=record.offset),
    }


def left(record: Record, state: State) -> Changes:
    event = record.data
    assert isinstance(event, MemberLeft)
    room = loaded_room(state, record.stream)
    member = loaded_member(state, record.stream, event.user)
    if room is None or member is None:
        return {}
    stay = Stay(room=record.stream, user=event.user, since=member.since, until=record.offset, version=record.offset)
    owner = None if room.owner == event.user else room.owner
    return {
        member.key: replace(member, state="left", role="member", version=record.offset),
        stay.key: stay,
        room.key: replace(room, members=room.members - 1, owner=owner, version=record.offset),
    }


def role_changed(record: Record, state: State) -> Changes:
    event = record.data
    assert isinstance(event, MemberRoleChanged)
    room = loaded_room(state, record.stream)
    member = loaded_member(state, record.stream, event.user)
    if room is None or member is None:
        return {}
    owner = event.user if event.role == "owner" else None if room.owner == event.user else room.owner
    return {
        member.key: replace(member, role=event.role, version=record.offset),
        room.key: replace(room, owner=owner, version=record.offset),
    }


def read(record: Record, state: State) -> Changes:
    event = record.data
    assert isinstance(event, MemberRead)
    member = loaded_member(state, record.stream, event.user)
    if member is None:
        return {}
    return {member.key: replace(member, read=event.seq, version=record.offset)}


_SAMPLE = "7d9f3c1e-2f7b-4a62-9c5e-0d3b1a2c4e5f"

ROWS = (
    EventType(
        name="member.joined", struct=MemberJoined, topics=("rooms",), names=names, fold=joined,
        about="A user is in the room from here on; the actor is who let them in.",
        sample=MemberJoined(user=_SAMPLE, role="member"),
    ),
    EventType(
        name="member.left", struct=MemberLeft, topics=("rooms",), names=names, fold=left,
        about="A user is no longer in the room; the actor is the user, or who put them out.",
        sample=MemberLeft(user=_SAMPLE),
    ),
    EventType(
        name="member.role_changed", struct=MemberRoleChanged, topics=("rooms",), names=names, fold=role_changed,
        about="A member has another role; a new owner takes the place of the old one.",
        sample=MemberRoleChanged(user=_SAMPLE, role="owner"),
    ),
    EventType(
        name="member.read", struct=MemberRead, topics=("rooms",), names=names, fold=read,
        about="A member has read everything up to a message.", sample=MemberRead(user=_SAMPLE, seq=17),
    ),
)  # fmt: skip
