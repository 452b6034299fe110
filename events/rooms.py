"""Rooms: where people talk. Stream: the room's id (topic ``rooms``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Literal, get_args, get_origin
from uuid import UUID, uuid5

import msgspec
from msgspec.structs import replace

from events.core.clock import Time
from events.core.records import Changes, Entity, Event, EventT, EventType, Key, Record, State
from events.core.revert_rules import RevertRule

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
    #: Id of the application in which it is.
    app: str
    #: The name that its maker gave it as an address (S3 `type:id`), from which ``id`` follows; None: ``id`` is all it
    #: has, or it was made before this was noted.
    slug: str | None
    #: Id of the team to which it belongs, for ever; None: to none. Only people of the same team see it.
    team: str | None
    #: ``public``: anyone finds it and may join. ``private``: only members see it; they let others in.
    #: ``direct``: exactly two people, the same room for the same two.
    type: RoomType
    #: Empty for a direct room: it is shown under the other's name.
    name: str
    #: What the room is for.
    description: str | None
    #: What it is about today, in one line.
    topic_line: str | None
    #: ``RoomSettings``, all of them.
    settings: dict[str, Any]
    #: ``archived``: it can be read, and left, but not written to. ``deleted``: to its members it no longer exists.
    state: Literal["active", "archived", "deleted"]
    data: dict[str, str]
    #: A JSON object that apps make up.
    custom: dict[str, Any]
    #: Sequence number of the last message; the first is 1.
    seq: int
    #: Id of the last message.
    last: str | None
    #: Where its last message stands among those of all rooms: none that follows stands before it, whatever clocks say.
    rank: str | None
    #: How many members there are.
    members: int
    #: How many of its messages are pinned.
    pins: int
    #: The owner; None in a direct room, and in a room that everyone has left.
    owner: str | None
    created: Time
    #: Time of the last event that people see: message, name, description, topic line, settings, data, custom, state.
    updated: Time
    version: int

    @property
    def key(self) -> Key:
        return room_key(self.id)


def room_key(room: str) -> Key:
    return ("room", room)


def direct_room(app: str, one: str, other: str, team: str | None = None) -> str:
    """The id of the direct room of two users: the same whoever asks. In each team they have another."""
    first, second = sorted((one, other))
    place = app if team is None else f"{app}/{team}"
    return str(uuid5(_DIRECT, f"{place}/{first}/{second}"))


class RoomCreated(Event, frozen=True, kw_only=True):
    type: Literal["direct", "group"]
    #: Of a group: whether anyone finds it and may join.
    visibility: Literal["public", "private"]
    name: str
    data: dict[str, str]
    description: str | None = None
    #: ``RoomSettings``; what is missing has its default.
    settings: dict[str, Any] = {}
    custom: dict[str, Any] = {}
    #: The name that its maker gave it as an address, from which the stream's id follows; None: none.
    slug: str | None = None
    #: Id of its team; None: of none.
    team: str | None = None


class RoomRenamed(Event, frozen=True, kw_only=True):
    name: str


class RoomDescribed(Event, frozen=True, kw_only=True):
    #: What the room is for; None: it does not say any more.
    description: str | None


class RoomTopicLineSet(Event, frozen=True, kw_only=True):
    #: What the room is about today, in one line; None: it does not say any more.
    topic_line: str | None


class RoomSettingsChanged(Event, frozen=True, kw_only=True):
    #: All settings from here on.
    settings: dict[str, Any]


class RoomDataChanged(Event, frozen=True, kw_only=True):
    #: The whole new data map.
    data: dict[str, str]


class RoomCustomChanged(Event, frozen=True, kw_only=True):
    #: The whole new object.
    custom: dict[str, Any]


class RoomArchived(Event, frozen=True, kw_only=True):
    """Nobody writes here any more."""


class RoomUnarchived(Event, frozen=True, kw_only=True):
    """The room is in use again."""


class RoomDeleted(Event, frozen=True, kw_only=True):
    """To its members the room no longer exists. What it held stays in the log, and an operator can bring it back."""


class RoomRestored(Event, frozen=True, kw_only=True):
    """An operator brought a deleted room back."""


def keys(record: Record) -> tuple[Key, ...]:
    return (room_key(record.stream),)


def loaded_room(state: State, room: str) -> Room | None:
    """The room in ``state``. Raises KeyError when the key was not loaded."""
    entity = state[room_key(room)]
    assert entity is None or isinstance(entity, Room)
    return entity


def settings_of(settings: dict[str, Any]) -> RoomSettings:
    """A room's settings, typed. Raises msgspec.ValidationError for what are none."""
    return msgspec.convert(settings, RoomSettings)


def created(record: Record[RoomCreated], state: State) -> Changes:
    event = record.data
    direct = event.type == "direct"
    settings = settings_of({"announcements": False} if direct else event.settings)
    room = Room(
        id=record.stream, app=record.app, team=event.team, slug=event.slug,
        type="direct" if direct else event.visibility, name=event.name, description=event.description, topic_line=None,
        settings=msgspec.to_builtins(settings), state="active", data=event.data, custom=event.custom, seq=0, last=None,
        rank=None, members=0, pins=0, owner=None, created=record.time, updated=record.time, version=record.offset,
    )  # fmt: skip
    return {room.key: room}


def changed(record: Record, before: State, **changes: object) -> Changes:
    """The stream's room with ``changes``, stamped with the record."""
    room = loaded_room(before, record.stream)
    if room is None:
        return {}
    return {room.key: replace(room, updated=record.time, version=record.offset, **changes)}


#: What a field is made of, where the event's value is not taken as it is.
_KEPT: dict[str, Callable[[Any], object]] = {"settings": lambda given: msgspec.to_builtins(settings_of(given))}


def _setter(name: str, sample: EventT, sets: tuple[str, ...], about: str) -> EventType[EventT]:
    """The row of an event that sets fields of its room: what it does, and what takes it back, follow from ``sets``."""

    def fold(record: Record[EventT], state: State) -> Changes:
        given = {field: getattr(record.data, field) for field in sets}
        kept = {field: _KEPT[field](value) if field in _KEPT else value for field, value in given.items()}
        return changed(record, state, **kept)

    return EventType(
        name=name, struct=type(sample), topics=("rooms",), keys=keys, fold=fold, about=about, sample=sample,
        revert=RevertRule("room", sets), sets=sets,
    )  # fmt: skip


def archived(record: Record, state: State) -> Changes:
    return changed(record, state, state="archived")


def active(record: Record, state: State) -> Changes:
    return changed(record, state, state="active")


def deleted(record: Record, state: State) -> Changes:
    return changed(record, state, state="deleted")


_SETTINGS: dict[str, Any] = msgspec.to_builtins(RoomSettings())

ROWS = (
    EventType(
        name="room.created", struct=RoomCreated, topics=("rooms",), keys=keys, fold=created, version=5,
        about="A room exists from here on; its first members join in the same batch.",
        sample=RoomCreated(
            type="group", visibility="public", name="Analytical Engine", data={"icon": "gear"},
            description="Mill, store and cards.", settings=_SETTINGS, custom={"site": {"floor": 2}, "tags": ["mill"]},
            slug="analytical-engine", team="019aa000-0000-7000-8000-000000000031",
        ),
        revert=RevertRule("room", ("state",)),
    ),
    _setter("room.renamed", RoomRenamed(name="Difference Engine"), ("name",), "A room got another name."),
    _setter(
        "room.described", RoomDescribed(description="Wheels and levers."), ("description",),
        "A room got another description, or none.",
    ),
    _setter(
        "room.topic_line_set", RoomTopicLineSet(topic_line="Today: cards, and what they say."), ("topic_line",),
        "A room got another topic line, or none.",
    ),
    _setter(
        "room.settings_changed", RoomSettingsChanged(settings=_SETTINGS), ("settings",), "How a room is run changed.",
    ),
    _setter("room.data_changed", RoomDataChanged(data={"icon": "cog"}), ("data",), "A room's data map changed."),
    _setter(
        "room.custom_changed", RoomCustomChanged(custom={"site": {"floor": 3}, "tags": ["mill", "store"]}), ("custom",),
        "A room's custom object changed.",
    ),
    EventType(
        name="room.archived", struct=RoomArchived, topics=("rooms",), keys=keys, fold=archived,
        about="The room can be read from here on, but not written to.", sample=RoomArchived(),
        revert=RevertRule("room", ("state",)),
    ),
    EventType(
        name="room.unarchived", struct=RoomUnarchived, topics=("rooms",), keys=keys, fold=active,
        about="An archived room is in use again.", sample=RoomUnarchived(),
        revert=RevertRule("room", ("state",)),
    ),
    EventType(
        name="room.deleted", struct=RoomDeleted, topics=("rooms",), keys=keys, fold=deleted,
        about="To its members the room no longer exists; an operator can bring it back.", sample=RoomDeleted(),
        revert=RevertRule("room", ("state",)),
    ),
    EventType(
        name="room.restored", struct=RoomRestored, topics=("rooms",), keys=keys, fold=active,
        about="An operator brought a deleted or archived room back.", sample=RoomRestored(),
        revert=RevertRule("room", ("state",)),
    ),
)  # fmt: skip

#: The rows of events that set fields of their room, and nothing else of it.
SETTERS: tuple[EventType, ...] = tuple(row for row in ROWS if row.sets)


def _unsaid(field: str) -> object:
    """Of an optional field None, of another what its type makes of nothing: an empty text or map, 0, False."""
    kind = next(one.type for one in msgspec.structs.fields(Room) if one.name == field)
    return None if type(None) in get_args(kind) else (get_origin(kind) or kind)()


#: What such events set of a room: each field as in a room of which nobody has said anything. Not to be changed.
UNSAID: dict[str, Any] = {field: _unsaid(field) for row in SETTERS for field in row.sets}
