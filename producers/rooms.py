"""Decisions about rooms: making, renaming, their data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec

from events.members import MemberJoined, loaded_member, member_key
from events.records import Event, Key, State
from events.rooms import Room, RoomCreated, RoomDataChanged, RoomKind, RoomRenamed, Visibility, loaded_room, room_key
from producers.commands import Command, CommandType, Order, Refused
from producers.limits import Data, DataPatch, Id, ShownName, patched

#: Members that a room can be made with; more are added one by one.
INITIAL_MEMBERS = 200


class CreateRoom(Command, frozen=True, kw_only=True):
    """Make a room with its first members. ``room`` is derived for a direct one, else the order's id.

    That the members exist and do not block one another is checked before, on the read model.
    """

    room: Id
    type: RoomKind
    visibility: Visibility
    name: Annotated[str, msgspec.Meta(max_length=100)]
    data: Data
    #: The actor first, then the others, each once.
    members: Annotated[list[Id], msgspec.Meta(max_length=INITIAL_MEMBERS)]


class ChangeRoom(Command, frozen=True, kw_only=True):
    room: Id
    name: ShownName | None = None
    data: DataPatch | None = None


def present(state: State, room: str, actor: str) -> Room:
    """The room, for one of its members. To all others it does not exist (``not_found``)."""
    found = loaded_room(state, room)
    if found is None or loaded_member(state, room, actor) is None:
        raise Refused("not_found", f"expected a room that you are in, found none with id {room}")
    return found


def _created(order: Order) -> Sequence[Key]:
    command: CreateRoom = order.command
    return (room_key(command.room), *(member_key(command.room, user) for user in command.members))


def _changed(order: Order) -> Sequence[Key]:
    return (room_key(order.command.room), member_key(order.command.room, order.actor))


def create(order: Order, state: State) -> list[Event]:
    command: CreateRoom = order.command
    if loaded_room(state, command.room) is not None:
        if command.type == "direct":
            return _return_to_direct(command, state)
        raise Refused("taken", f"expected an unused room id, {command.room} exists")
    events: list[Event] = [
        RoomCreated(type=command.type, visibility=command.visibility, name=command.name, data=command.data)
    ]
    for user in command.members:
        owns = command.type == "group" and user == order.actor
        events.append(MemberJoined(user=user, role="owner" if owns else "member"))
    return events


def _return_to_direct(command: CreateRoom, state: State) -> list[Event]:
    """The same two always get the same room; who left it is let in again."""
    return [
        MemberJoined(user=user, role="member")
        for user in command.members
        if loaded_member(state, command.room, user) is None
    ]


def change(order: Order, state: State) -> list[Event]:
    command: ChangeRoom = order.command
    room = present(state, command.room, order.actor)
    if room.type == "direct" and command.name is not None:
        raise Refused("invalid", "a direct room has no name of its own; expected no name")
    if room.type == "group" and room.owner != order.actor:
        raise Refused("forbidden", "expected the room's owner; only the owner changes its name and data")
    events: list[Event] = []
    if command.name is not None and command.name != room.name:
        events.append(RoomRenamed(name=command.name))
    if command.data is not None and (data := patched(room.data, command.data)) != room.data:
        events.append(RoomDataChanged(data=data))
    return events


COMMANDS = (
    CommandType(CreateRoom, "rooms", lambda c: c.room, _created, create),
    CommandType(ChangeRoom, "rooms", lambda c: c.room, _changed, change),
)
