"""Decisions about who is in a room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec

from events.members import MemberJoined, MemberLeft, MemberRead, MemberRoleChanged, loaded_member, member_key
from events.records import Event, Key, State
from events.rooms import loaded_room, room_key
from producers.commands import Command, CommandType, Order, Refused
from producers.limits import Id
from producers.rooms import present


class AddMember(Command, frozen=True, kw_only=True):
    """Join a room, or let another in. That the user exists and nobody blocks anybody is checked before."""

    room: Id
    user: Id


class RemoveMember(Command, frozen=True, kw_only=True):
    """Leave a room, or put another out.

    When the owner leaves, ``successor`` becomes the owner: the oldest other member as the read model knows it.
    """

    room: Id
    user: Id
    successor: Id | None = None


class MarkRead(Command, frozen=True, kw_only=True):
    room: Id
    #: Everything up to this message is read; lower than before marks as unread again.
    seq: Annotated[int, msgspec.Meta(ge=0)]


def _added(order: Order) -> Sequence[Key]:
    room: str = order.command.room
    return (room_key(room), member_key(room, order.actor), member_key(room, order.command.user))


def _removed(order: Order) -> Sequence[Key]:
    command: RemoveMember = order.command
    keys = [room_key(command.room), member_key(command.room, order.actor), member_key(command.room, command.user)]
    return keys if command.successor is None else [*keys, member_key(command.room, command.successor)]


def _read(order: Order) -> Sequence[Key]:
    return (room_key(order.command.room), member_key(order.command.room, order.actor))


def add(order: Order, state: State) -> list[Event]:
    command: AddMember = order.command
    room = loaded_room(state, command.room)
    inside = loaded_member(state, command.room, order.actor) is not None
    if room is None or (not inside and (room.type == "direct" or room.visibility == "private")):
        raise Refused("not_found", f"expected a room that you may join, found none with id {command.room}")
    if loaded_member(state, command.room, command.user) is not None:
        return []
    if room.type == "direct":
        raise Refused("forbidden", "a direct room is for its two people; make a group to talk with more")
    if command.user != order.actor and not inside:
        raise Refused("forbidden", "expected a member of the room; only members add others")
    # The first to come back to a room that all had left owns it.
    return [MemberJoined(user=command.user, role="owner" if room.owner is None else "member")]


def remove(order: Order, state: State) -> list[Event]:
    command: RemoveMember = order.command
    room = loaded_room(state, command.room)
    if room is None:
        raise Refused("not_found", f"expected a room that you are in, found none with id {command.room}")
    if command.user == order.actor and loaded_member(state, command.room, command.user) is None:
        if state[member_key(command.room, command.user)] is not None:
            return []
        # The id of a direct room is derived from its two people: a third learns here no more than elsewhere.
        raise Refused("not_found", f"expected a room that you are in, found none with id {command.room}")
    present(state, command.room, order.actor)
    if command.user != order.actor and room.owner != order.actor:
        raise Refused("forbidden", "expected the room's owner; only the owner puts others out")
    if loaded_member(state, command.room, command.user) is None:
        return []
    events: list[Event] = [MemberLeft(user=command.user)]
    if room.owner == command.user and room.members > 1:
        successor = command.successor
        if successor in (None, command.user) or loaded_member(state, command.room, successor or "") is None:
            raise Refused("no_successor", "expected a member to pass the ownership on to; try again")
        # After the leaving, so that no position of the log has two owners.
        events.append(MemberRoleChanged(user=successor or "", role="owner"))
    return events


def mark_read(order: Order, state: State) -> list[Event]:
    command: MarkRead = order.command
    room = present(state, command.room, order.actor)
    if command.seq > room.seq:
        raise Refused("invalid", f"seq: expected at most {room.seq}, the room's last message, got {command.seq}")
    member = loaded_member(state, command.room, order.actor)
    if member is None or member.read == command.seq:
        return []
    return [MemberRead(user=order.actor, seq=command.seq)]


COMMANDS = (
    CommandType(AddMember, "rooms", lambda c: c.room, _added, add),
    CommandType(RemoveMember, "rooms", lambda c: c.room, _removed, remove),
    CommandType(MarkRead, "rooms", lambda c: c.room, _read, mark_read),
)
