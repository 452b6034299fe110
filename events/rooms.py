"""Rooms: where people talk. Stream: the room's id (topic ``rooms``)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal
from uuid import UUID, uuid5

from msgspec.structs import replace

from events.clock import Time
from events.records import Changes, Entity, Event, EventType, Key, Record, State

RoomKind = Literal["direct", "group"]
Visibility = Literal["public", "private"]

#: Namespace of ids that are derived from what they name (RFC 9562 5.5).
_DIRECT = UUID("b4dc7cfe-8e1b-5d0c-9f86-0e3b3f6c9a11")


class Room(Entity, frozen=True, kw_only=True):
    """A room (S0 Chat). Its members are entities of their own, so that it stays small."""

    kind: ClassVar = "room"
    key_fields: ClassVar = ("id",)

    id: str
    #: ``direct``: exactly two people, the same room for the same two. ``group``: any number, with an owner.
    type: RoomKind
    #: ``public``: anyone finds it by name and may join. ``private``: only members see it; they let others in.
    visibility: Visibility
    #: Empty for a direct room: it is shown under the other's name.
    name: str
    data: dict[str, str]
    #: Sequence number of the last message; the first is 1.
    seq: int
    #: Id of the last message.
    last: str | None
    #: How many members there are.
    members: int
    #: The owner; None in a direct room, and in a group that everyone has left.
    owner: str | None
    created: Time
    #: Time of the last event that people see: message, name, data.
    updated: Time
    version: int


def room_key(room: str) -> Key:
    return Key(("room", room))


def direct_room(app: str, one: str, other: str) -> str:
    """The id of the direct room of two users: the same whoever asks."""
    first, second = sorted((one, other))
    return str(uuid5(_DIRECT, f"{app}/{first}/{second}"))


class RoomCreated(Event, frozen=True, kw_only=True):
    type: RoomKind
    visibility: Visibility
    name: str
    data: dict[str, str]


class RoomRenamed(Event, frozen=True, kw_only=True):
    name: str


class RoomDataChanged(Event, frozen=True, kw_only=True):
    #: The whole new data map.
    data: dict[str, str]


def names(record: Record) -> tuple[Key, ...]:
    return (room_key(record.stream),)


def loaded_room(state: State, room: str) -> Room | None:
    """The room in ``state``. Raises KeyError when the key was not loaded."""
    entity = state[room_key(room)]
    assert entity is None or isinstance(entity, Room)
    return entity


def created(record: Record, state: State) -> Changes:
    event = record.data
    assert isinstance(event, RoomCreated)
    room = Room(
        id=record.stream, type=event.type, visibility=event.visibility, name=event.name, data=event.data, seq=0,
        last=None, members=0, owner=None, created=record.time, updated=record.time, version=record.offset,
    )  # fmt: skip
    return {room.key: room}


def changed(record: Record, state: State, **changes: Any) -> Changes:
    """The stream's room with ``changes``, stamped with the record."""
    room = loaded_room(state, record.stream)
    if room is None:
        return {}
    return {room.key: replace(room, version=record.offset, **changes)}


def renamed(record: Record, state: State) -> Changes:
    assert isinstance(record.data, RoomRenamed)
    return changed(record, state, name=record.data.name, updated=record.time)


def data_changed(record: Record, state: State) -> Changes:
    assert isinstance(record.data, RoomDataChanged)
    return changed(record, state, data=record.data.data, updated=record.time)


ROWS = (
    EventType(
        name="room.created", struct=RoomCreated, topics=("rooms",), names=names, fold=created,
        about="A room exists from here on; its first members join in the same batch.",
        sample=RoomCreated(type="group", visibility="public", name="Analytical Engine", data={"icon": "gear"}),
    ),
    EventType(
        name="room.renamed", struct=RoomRenamed, topics=("rooms",), names=names, fold=renamed,
        about="A group got another name.", sample=RoomRenamed(name="Difference Engine"),
    ),
    EventType(
        name="room.data_changed", struct=RoomDataChanged, topics=("rooms",), names=names, fold=data_changed,
        about="A room's data map changed.", sample=RoomDataChanged(data={"icon": "cog"}),
    ),
)  # fmt: skip
