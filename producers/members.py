"""Decisions about who is in a room, and in what role."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec

from events.invitations import invitation_key, pending
from events.members import (
    MemberJoined,
    MemberLeft,
    MemberNotificationsSet,
    MemberRead,
    MemberRoleChanged,
    Role,
    loaded_member,
    member_key,
)
from events.records import Event, Key, State
from events.rooms import Room, loaded_room, room_key, settings_of
from events.saying import message_key
from producers.commands import Command, CommandType, Order, Refused
from producers.invitations import invite, withdraw
from producers.limits import Id
from producers.roles import allow, missing


class AddMember(Command, frozen=True, kw_only=True):
    """Join a room, accept an invitation, or let another in.

    That the user exists, nobody blocks anybody, and whether the other may be added at once is found out before, on the
    read model.
    """

    room: Id
    user: Id
    #: The other is invited, as they do not let the actor add them.
    invite: bool = False
    #: Whether the other is added by their own will; who joins is.
    willing: bool = True


class RemoveMember(Command, frozen=True, kw_only=True):
    """Leave a room, put another out, or withdraw an invitation.

    When the owner leaves, ``successor`` becomes the owner: the oldest admin, else the oldest other member, as the read
    model knows it.
    """

    room: Id
    user: Id
    successor: Id | None = None
    #: Who is invited, as the read model knows it: what was asked in a direct room goes with who asked.
    invited: list[Id] = []


class ChangeRole(Command, frozen=True, kw_only=True):
    """Promote a member, or take the promotion back."""

    room: Id
    user: Id
    role: Literal["admin", "member"]


class TransferOwnership(Command, frozen=True, kw_only=True):
    """Pass the room on: the old owner becomes an admin."""

    room: Id
    user: Id


class MarkRead(Command, frozen=True, kw_only=True):
    room: Id
    #: Everything up to this message is read; lower than before marks as unread again.
    seq: Annotated[int, msgspec.Meta(ge=0)]
    #: Only forward: what is read already stays so.
    forward: bool = False


class SetNotifications(Command, frozen=True, kw_only=True):
    room: Id
    notifications: bool


def _about(order: Order) -> Sequence[Key]:
    """The room, who acts, whom it is about, and the message that may come of it."""
    command = order.command
    users = {order.actor: None, command.user: None}
    if getattr(command, "successor", None) is not None:
        users[command.successor] = None
    return (room_key(command.room), message_key(order.id), *(member_key(command.room, user) for user in users))


def _invited(order: Order) -> Sequence[Key]:
    """The same, and who of those whom it concerns is invited."""
    command = order.command
    users = dict.fromkeys((command.user, *getattr(command, "invited", ())))
    return (*_about(order), *(invitation_key(command.room, user) for user in users))


def _own(order: Order) -> Sequence[Key]:
    return (room_key(order.command.room), member_key(order.command.room, order.actor))


def announcement(order: Order, room: Room) -> dict[str, Any]:
    """The fields of an event that make it a message of the room, where such are announced."""
    if room.type == "direct" or room.state != "active" or not settings_of(room.settings).announcements:
        return {}
    return {"message": order.id, "seq": room.seq + 1}


def add(order: Order, state: State) -> list[Event]:
    command: AddMember = order.command
    found = loaded_room(state, command.room)
    if found is not None and found.state != "deleted" and _inside(state, command.room, order.actor, command.user):
        return []
    room, _ = allow(order, state, user=command.user)
    itself = command.user == order.actor
    if command.invite and not itself:
        return invite(state, room.id, [command.user])
    # The first to come back to a room that all had left owns it.
    role: Role = "owner" if room.owner is None and room.type != "direct" else "member"
    willing = itself or command.willing
    return [MemberJoined(user=command.user, role=role, willing=willing, **announcement(order, room))]


def _inside(state: State, room: str, *users: str) -> bool:
    return all(loaded_member(state, room, user) is not None for user in users)


def remove(order: Order, state: State) -> list[Event]:
    command: RemoveMember = order.command
    if command.user == order.actor and not _inside(state, command.room, order.actor):
        if state[member_key(command.room, command.user)] is not None:
            return []
        # The id of a direct room is derived from its two people: a third learns here no more than elsewhere.
        raise missing(command.room)
    waiting = pending(state, command.room, command.user)
    if waiting is not None and waiting.by == order.actor and _inside(state, command.room, order.actor):
        return withdraw(state, command.room, [command.user])
    room, _ = allow(order, state, user=command.user)
    if not _inside(state, command.room, command.user):
        return withdraw(state, command.room, [command.user])
    lapsed = withdraw(state, room.id, command.invited) if room.type == "direct" else []
    events: list[Event] = [*lapsed, MemberLeft(user=command.user, **announcement(order, room))]
    if room.owner == command.user and room.members > 1:
        successor = command.successor
        if successor is None or successor == command.user or not _inside(state, command.room, successor):
            raise Refused("no_successor", "expected a member to pass the ownership on to; try again")
        # After the leaving, so that no position of the log has two owners.
        events.append(MemberRoleChanged(user=successor, role="owner"))
    return events


def _other(order: Order, state: State) -> Room:
    """The room, if the acting owner changes the role of another who is in it."""
    room, _ = allow(order, state, user=order.command.user)
    if not _inside(state, room.id, order.command.user):
        raise Refused("not_found", f"expected a member of the room, found none with id {order.command.user}")
    return room


def change_role(order: Order, state: State) -> list[Event]:
    command: ChangeRole = order.command
    room = _other(order, state)
    member = loaded_member(state, room.id, command.user)
    if room.owner == command.user:
        raise Refused("invalid", "role: the owner stays the owner until the room is passed on; expected another user")
    if member is None or member.role == command.role:
        return []
    return [MemberRoleChanged(user=command.user, role=command.role, **announcement(order, room))]


def transfer(order: Order, state: State) -> list[Event]:
    command: TransferOwnership = order.command
    room = _other(order, state)
    if room.owner == command.user:
        return []
    # First the old one, so that no position of the log has two owners.
    return [
        MemberRoleChanged(user=order.actor, role="admin"),
        MemberRoleChanged(user=command.user, role="owner", **announcement(order, room)),
    ]


def mark_read(order: Order, state: State) -> list[Event]:
    command: MarkRead = order.command
    room, member = allow(order, state)
    if command.seq > room.seq:
        raise Refused("invalid", f"seq: expected at most {room.seq}, the room's last message, got {command.seq}")
    if member is None or member.read == command.seq or (command.forward and member.read > command.seq):
        return []
    return [MemberRead(user=order.actor, seq=command.seq)]


def set_notifications(order: Order, state: State) -> list[Event]:
    command: SetNotifications = order.command
    _, member = allow(order, state)
    if member is None or member.notifications == command.notifications:
        return []
    return [MemberNotificationsSet(user=order.actor, notifications=command.notifications)]


COMMANDS = (
    CommandType(AddMember, "rooms", lambda c: c.room, _invited, add),
    CommandType(RemoveMember, "rooms", lambda c: c.room, _invited, remove),
    CommandType(ChangeRole, "rooms", lambda c: c.room, _about, change_role),
    CommandType(TransferOwnership, "rooms", lambda c: c.room, _about, transfer),
    CommandType(MarkRead, "rooms", lambda c: c.room, _own, mark_read),
    CommandType(SetNotifications, "rooms", lambda c: c.room, _own, set_notifications),
)
