"""Decisions of those who are invited; inviting is part of adding (members.py, rooms.py), withdrawing of putting out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from events.core.records import Event, Key, State
from events.invitations import (
    Invitation,
    InvitationDeclined,
    InvitationWithdrawn,
    MemberInvited,
    invitation_key,
    pending,
)
from events.members import loaded_member
from events.rooms import room_key
from producers.commands import CommandEnvelope, CommandType, Refused
from producers.limits import Id
from producers.revertible import Revertible, RevertInRoom
from producers.streams import RoomCommand


class DeclineInvitation(RoomCommand, frozen=True, kw_only=True):
    """Refuse to come into a room, whatever has become of it since."""


class WithdrawInvitation(RoomCommand, frozen=True, kw_only=True):
    """Take back one's own invitation, also after one has left the room."""

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


def _own(envelope: CommandEnvelope[DeclineInvitation]) -> Sequence[Key]:
    return (room_key(envelope.command.room), invitation_key(envelope.command.room, envelope.actor))


def decline(envelope: CommandEnvelope[DeclineInvitation], state: State) -> list[Event]:
    room = envelope.command.room
    found = pending(state, room, envelope.actor)
    if found is not None:
        return [InvitationDeclined(user=envelope.actor, by=found.by)]
    if state[invitation_key(room, envelope.actor)] is not None:
        return []
    raise Refused("not_found", f"expected an invitation of yours, found none into a room with id {room}")


def _theirs(envelope: CommandEnvelope[WithdrawInvitation]) -> Sequence[Key]:
    return (room_key(envelope.command.room), invitation_key(envelope.command.room, envelope.command.user))


def withdraw_own(envelope: CommandEnvelope[WithdrawInvitation], state: State) -> list[Event]:
    command = envelope.command
    found = pending(state, command.room, command.user)
    if found is None or found.by != envelope.actor:
        return []
    return [InvitationWithdrawn(user=found.user, by=found.by)]


def _revert(command: RevertInRoom, state: State) -> list[Event]:
    found = state[invitation_key(command.room, command.id)]
    if not isinstance(found, Invitation) or command.was["state"] == "pending":
        raise Refused("conflict", "expected an invitation that waits for an answer; who is gone may be invited again")
    return [InvitationWithdrawn(user=found.user, by=found.by)]


REVERTIBLE = Revertible(
    "invitation",
    frozenset({"state"}),
    lambda c: (invitation_key(c.room, c.id),),
    _revert,
    absent={"state": "withdrawn"},
)


COMMANDS = (
    CommandType(DeclineInvitation, "rooms", lambda c: c.room, _own, decline),
    CommandType(WithdrawInvitation, "rooms", lambda c: c.room, _theirs, withdraw_own),
)
