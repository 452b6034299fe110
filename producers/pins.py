"""Decisions about pins: which messages a room keeps in sight."""

from __future__ import annotations

from collections.abc import Sequence

from events.core.records import Event, Key, State
from events.message_entity import Message, message_key
from events.pins import MessagePinned, MessageUnpinned, loaded_pin, pin_key
from events.rooms import Room, loaded_room
from producers.commands import CommandEnvelope, CommandType, Refused
from producers.limits import Id
from producers.revertible import Revertible, RevertInRoom
from producers.roles import allow, missing_message, room_and_member
from producers.streams import RoomCommand

#: Pinned messages of a room: its list is one answer.
PINS = 50


class PinMessage(RoomCommand, frozen=True, kw_only=True):
    """Keep a message in sight of the room's members."""

    message: Id


class UnpinMessage(RoomCommand, frozen=True, kw_only=True):
    """Take a pin down."""

    message: Id


def _pin(envelope: CommandEnvelope[PinMessage | UnpinMessage]) -> Sequence[Key]:
    room, message = envelope.command.room, envelope.command.message
    return (*room_and_member(envelope), message_key(message), pin_key(room, message))


def _of_room(state: State, room: str, id: str) -> Message:
    """The message of the room, deleted or not. Raises Refused where there is none."""
    message = state[message_key(id)]
    if not isinstance(message, Message) or message.room != room:
        raise missing_message(id)
    return message


def _pinned(state: State, room: Room, id: str) -> list[Event]:
    """What pins a message; nothing where it is pinned. Raises Refused."""
    if _of_room(state, room.id, id).deleted:
        raise Refused("not_found", f"expected a message that is shown; the one with id {id} was deleted")
    if loaded_pin(state, room.id, id) is not None:
        return []
    if room.pins >= PINS:
        raise Refused("too_many", f"expected at most {PINS} pinned messages of a room, there are as many; unpin one")
    return [MessagePinned(message=id)]


def unpinned(state: State, room: str, id: str) -> list[Event]:
    """What takes a message's pin down; nothing where there is none."""
    return [] if loaded_pin(state, room, id) is None else [MessageUnpinned(message=id)]


def pin(envelope: CommandEnvelope[PinMessage], state: State) -> list[Event]:
    room, _ = allow(envelope, state)
    return _pinned(state, room, envelope.command.message)


def unpin(envelope: CommandEnvelope[UnpinMessage], state: State) -> list[Event]:
    room, _ = allow(envelope, state)
    message = _of_room(state, room.id, envelope.command.message)
    return unpinned(state, room.id, message.id)


def _revert(command: RevertInRoom, state: State) -> list[Event]:
    room = loaded_room(state, command.room)
    if room is None:
        raise Refused("not_found", f"expected a room, found none with id {command.room}")
    if command.was["state"] == "pinned":
        return _pinned(state, room, command.id)
    return unpinned(state, room.id, command.id)


REVERTIBLE = Revertible(
    "pin",
    frozenset({"state"}),
    lambda c: (pin_key(c.room, c.id), message_key(c.id)),
    _revert,
    absent={"state": "unpinned"},
    makes=True,
)


COMMANDS = (
    CommandType(PinMessage, "rooms", lambda c: c.room, _pin, pin),
    CommandType(UnpinMessage, "rooms", lambda c: c.room, _pin, unpin),
)
