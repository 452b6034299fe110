"""Rooms: where people talk. Stream: the room's id (topic ``rooms``)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal
from uuid import UUID, uuid5

import msgspec
from msgspec.structs import replace

from events.clock import Time
from events.records import Changes, Entity, Event, EventType, Key, Record, State

RoomType = Literal["public", "private", "direct"]
Who = Literal["members", "admins"]

#: Namespace of ids that are derived from what they name (RFC 9562 5.5).
_DIRECT = UUID("b4dc7cfe-8e1b-5d0c-9f86-0e3b3f6c9a11")


class RoomSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How a room is run (S2 ChatRoom.settings). A direct room has these defaults, without announcements."""

    #: Whether those who join are notified of messages, until they choose for themselves.
    notifications: bool = True
    #: Whether joining, leaving and new roles become messages of the room.
    announcements: bool = True
    #: Who may post: all members, or only the owner and admins.
    posting: Who = "members"
    #: Who may let others in.
    inviting: Who = "members"


class Room(Entity, frozen=True, kw_only=True):
    """A room (S0 Chat, S2 ChatRoom). Its members are entities of their own, so that it stays small."""

    kind: ClassVar = "room"
    key_fields: ClassVar = ("id",)

    id: str
    #: ``public``: anyone finds it and may join. ``private``: only members see it; they let others in.
    #: ``direct``: exactly two people, the same room for the same two.
    type: RoomType
    #: Empty for a direct room: it is shown under the other's name.
    name: str
    #: What the room is for.
    description: str | None
    #: ``RoomSettings``, all of them.
    settings: dict[str, Any]
    #: ``archived``: it can be read, and left, but not written to. ``deleted``: to its members it no longer exists.
    state: Literal["active", "archived", "deleted"]
    data: dict[str, str]
    #: Sequence number of the last message; the first is 1.
    seq: int
    #: Id of the last message.
    last: str | None
    #: Where its last message stands among those of all rooms: none that follows stands before it, whatever clocks say.
    rank: str | None
    #: How many members there are.
    members: int
    #: The owner; None in a direct room, and in a room that everyone has left.
    owner: str | None
    created: Time
    #: Time of the last event that people see: message, name, description, settings, data, state.
    updated: Time
    version: int

    @property
    def key(self) -> Key:
        return room_key(self.id)


def room_key(room: str) -> Key:
    return ("room", room)


def direct_room(app: str, one: str, other: str) -> str:
    """The id of the direct room of two users: the same whoever asks."""
    first, second = sorted((one, other))
    return str(uuid5(_DIRECT, f"{app}/{first}/{second}"))


class RoomCreated(Event, frozen=True, kw_only=True):
    type: Literal["direct", "group"]
    #: Of a group: whether anyone finds it and may join.
    visibility: Literal["public", "private"]
    name: str
    data: dict[str, str]
    description: str | None = None
    #: ``RoomSettings``; what is missing has its default.
    settings: dict[str, Any] = {}


class RoomRenamed(Event, frozen=True, kw_only=True):
    name: str


class RoomDescribed(Event, frozen=True, kw_only=True):
    #: What the room is for; None: it does not say any more.
    description: str | None


class RoomSettingsChanged(Event, frozen=True, kw_only=True):
    #: All settings from here on.
    settings: dict[str, Any]


class RoomDataChanged(Event, frozen=True, kw_only=True):
    #: The whole new data map.
    data: dict[str, str]


class RoomArchived(Event, frozen=True, kw_only=True):
    """Nobody writes here any more."""


class RoomUnarchived(Event, frozen=True, kw_only=True):
    """The room is in use again."""


class RoomDeleted(Event, frozen=True, kw_only=True):
    """To its members the room no longer exists. What it held stays in the log, and an operator can bring it back."""


class RoomRestored(Event, frozen=True, kw_only=True):
    """An operator brought a deleted room back."""


def names(record: Record) -> tuple[Key, ...]:
    return (room_key(record.stream),)


def loaded_room(state: State, room: str) -> Room | None:
    """The room in ``state``. Raises KeyError when the key was not loaded."""
    entity = state[room_key(room)]
    assert entity is None or isinstance(entity, Room)
    return entity


def settings_of(settings: dict[str, Any]) -> RoomSettings:
    """A room's settings, typed. Raises msgspec.ValidationError for what are none."""
    return msgspec.convert(settings, RoomSettings)


def created(record: Record, state: State) -> Changes:
    event = record.data
    assert isinstance(event, RoomCreated)
    direct = event.type == "direct"
    settings = settings_of({"announcements": False} if direct else event.settings)
    room = Room(
        id=record.stream, type="direct" if direct else event.visibility, name=event.name,
        description=event.description, settings=msgspec.to_builtins(settings), state="active", data=event.data, seq=0,
        last=None, rank=None, members=0, owner=None, created=record.time, updated=record.time, version=record.offset,
    )  # fmt: skip
    return {room.key: room}


def changed(record: Record, before: State, **changes: Any) -> Changes:
    """The stream's room with ``changes``, stamped with the record."""
    room = loaded_room(before, record.stream)
    if room is None:
        return {}
    return {room.key: replace(room, updated=record.time, version=record.offset, **changes)}


def renamed(record: Record, state: State) -> Changes:
    assert isinstance(record.data, RoomRenamed)
    return changed(record, state, name=record.data.name)


def described(record: Record, state: State) -> Changes:
    assert isinstance(record.data, RoomDescribed)
    return changed(record, state, description=record.data.description)


def settings_changed(record: Record, state: State) -> Changes:
    assert isinstance(record.data, RoomSettingsChanged)
    return changed(record, state, settings=msgspec.to_builtins(settings_of(record.data.settings)))


def data_changed(record: Record, state: State) -> Changes:
    assert isinstance(record.data, RoomDataChanged)
    return changed(record, state, data=record.data.data)


def archived(record: Record, state: State) -> Changes:
    return changed(record, state, state="archived")


def active(record: Record, state: State) -> Changes:
    return changed(record, state, state="active")


def deleted(record: Record, state: State) -> Changes:
    return changed(record, state, state="deleted")


_SETTINGS: dict[str, Any] = msgspec.to_builtins(RoomSettings())

ROWS = (
    EventType(
        name="room.created", struct=RoomCreated, topics=("rooms",), names=names, fold=created, version=2,
        about="A room exists from here on; its first members join in the same batch.",
        sample=RoomCreated(
            type="group", visibility="public", name="Analytical Engine", data={"icon": "gear"},
            description="Mill, store and cards.", settings=_SETTINGS,
        ),
    ),
    EventType(
        name="room.renamed", struct=RoomRenamed, topics=("rooms",), names=names, fold=renamed,
        about="A room got another name.", sample=RoomRenamed(name="Difference Engine"),
    ),
    EventType(
        name="room.described", struct=RoomDescribed, topics=("rooms",), names=names, fold=described,
        about="A room got another description, or none.", sample=RoomDescribed(description="Wheels and levers."),
    ),
    EventType(
        name="room.settings_changed", struct=RoomSettingsChanged, topics=("rooms",), names=names,
        fold=settings_changed, about="How a room is run changed.", sample=RoomSettingsChanged(settings=_SETTINGS),
    ),
    EventType(
        name="room.data_changed", struct=RoomDataChanged, topics=("rooms",), names=names, fold=data_changed,
        about="A room's data map changed.", sample=RoomDataChanged(data={"icon": "cog"}),
    ),
    EventType(
        name="room.archived", struct=RoomArchived, topics=("rooms",), names=names, fold=archived,
        about="The room can be read from here on, but not written to.", sample=RoomArchived(),
    ),
    EventType(
        name="room.unarchived", struct=RoomUnarchived, topics=("rooms",), names=names, fold=active,
        about="An archived room is in use again.", sample=RoomUnarchived(),
    ),
    EventType(
        name="room.deleted", struct=RoomDeleted, topics=("rooms",), names=names, fold=deleted,
        about="To its members the room no longer exists; an operator can bring it back.", sample=RoomDeleted(),
    ),
    EventType(
        name="room.restored", struct=RoomRestored, topics=("rooms",), names=names, fold=active,
        about="An operator brought a deleted or archived room back.", sample=RoomRestored(),
    ),
)  # fmt: skip
