"""Pins: the messages that a room keeps in sight. Part of the room's stream (topic ``rooms``)."""

from __future__ import annotations

from typing import ClassVar, Literal

from msgspec.structs import replace

from events.core.clock import Time
from events.core.records import Changes, Entity, Event, EventType, Key, Record, State
from events.core.revert_rules import RevertRule
from events.rooms import loaded_room, room_key


class Pin(Entity, frozen=True, kw_only=True):
    """A message that was pinned in a room: one for each message, the latest."""

    kind: ClassVar = "pin"
    key_fields: ClassVar = ("room", "message")

    room: str
    message: str
    #: ``unpinned``: it was taken down, or its message deleted.
    state: Literal["pinned", "unpinned"]
    #: Who pinned it.
    by: str
    #: When it was pinned.
    pinned: Time
    version: int

    @property
    def key(self) -> Key:
        return pin_key(self.room, self.message)


def pin_key(room: str, message: str) -> Key:
    return ("pin", room, message)


def loaded_pin(state: State, room: str, message: str) -> Pin | None:
    """The pin in ``state``; None when the message is not pinned. KeyError when it was not loaded."""
    entity = state[pin_key(room, message)]
    return entity if isinstance(entity, Pin) and entity.state == "pinned" else None


class MessagePinned(Event, frozen=True, kw_only=True):
    message: str


class MessageUnpinned(Event, frozen=True, kw_only=True):
    message: str


def keys(record: Record[MessagePinned | MessageUnpinned]) -> tuple[Key, ...]:
    return (room_key(record.stream), pin_key(record.stream, record.data.message))


def pinned(record: Record[MessagePinned], state: State) -> Changes:
    message, room = record.data.message, loaded_room(state, record.stream)
    if room is None or loaded_pin(state, room.id, message) is not None:
        return {}
    pin = Pin(
        room=room.id, message=message, state="pinned", by=record.actor, pinned=record.time, version=record.offset
    )  # fmt: skip
    return {pin.key: pin, room.key: replace(room, pins=room.pins + 1, version=record.offset)}


def unpinned(record: Record[MessageUnpinned], state: State) -> Changes:
    room, pin = loaded_room(state, record.stream), loaded_pin(state, record.stream, record.data.message)
    if room is None or pin is None:
        return {}
    return {
        pin.key: replace(pin, state="unpinned", version=record.offset),
        room.key: replace(room, pins=room.pins - 1, version=record.offset),
    }


_SAMPLE = "019aa000-0000-7000-8000-000000000004"

ROWS = (
    EventType(
        name="message.pinned", struct=MessagePinned, topics=("rooms",), keys=keys, fold=pinned,
        about="A message is kept in sight of the room's members; the actor is who pinned it.",
        sample=MessagePinned(message=_SAMPLE), revert=RevertRule("pin", ("state",), "message"),
    ),
    EventType(
        name="message.unpinned", struct=MessageUnpinned, topics=("rooms",), keys=keys, fold=unpinned,
        about="A message is no longer pinned; of one that is deleted, this stands before its deletion.",
        sample=MessageUnpinned(message=_SAMPLE), revert=RevertRule("pin", ("state",), "message"),
    ),
)  # fmt: skip
