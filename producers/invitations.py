"""Decisions of those who are invited; inviting is part of adding (members.py, rooms.py), withdrawing of putting out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from events.invitations import InvitationDeclined, InvitationWithdrawn, MemberInvited, invitation_key, pending
from events.members import loaded_member
from events.records import Event, Key, State
from producers.commands import Command, CommandType, Order, Refused
from producers.limits import Id


class DeclineInvitation(Command, frozen=True, kw_only=True):
    """Refuse to come into a room, whatever has become of it since."""

    room: Id


class WithdrawInvitation(Command, frozen=True, kw_only=True):
    """Take back one's own invitation, also after one has left the room."""

    room: Id
    user: Id


def invite(state: State, room: str, users: Iterable[str]) -> list[Event]:
    """Invites those who are neither in the room nor invited."""
    return [
        MemberInvited(user=user)
        for user in users
        if loaded_member(state, room, user) is None and pending(state, room, user) is None
    ]


def withdraw(state: State, room: str, users: Iterable[str]) -> list[Event]:
    """Takes back the invitations of those whose answers are waited for."""
    waiting = [found for user in users if (found := pending(state, room, user)) is not None]
    return [InvitationWithdrawn(user=one.user, by=one.by) for one in waiting]


def _own(order: Order) -> Sequence[Key]:
    return (invitation_key(order.command.room, order.actor),)


def decline(order: Order, state: State) -> list[Event]:
    room = order.command.room
    found = pending(state, room, order.actor)
    if found is not None:
        return [InvitationDeclined(user=order.actor, by=found.by)]
    if state[invitation_key(room, order.actor)] is not None:
        return []
    raise Refused("not_found", f"expected an invitation of yours, found none into a room with id {room}")


def _theirs(order: Order) -> Sequence[Key]:
    return (invitation_key(order.command.room, order.command.user),)


def withdraw_own(order: Order, state: State) -> list[Event]:
    command: WithdrawInvitation = order.command
    found = pending(state, command.room, command.user)
    if found is None or found.by != order.actor:
        return []
    return [InvitationWithdrawn(user=found.user, by=found.by)]


COMMANDS = (
    CommandType(DeclineInvitation, "rooms", lambda c: c.room, _own, decline),
    CommandType(WithdrawInvitation, "rooms", lambda c: c.room, _theirs, withdraw_own),
)
