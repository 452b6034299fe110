"""Decisions about who can use their account at all: an operator, or the application's server, takes that away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec

from events.core.records import Event, Key, State
from events.sessions import SessionClosed, loaded_open, session_key
from events.users import UserDeactivated, UserReactivated, user_key
from producers.commands import CommandEnvelope, CommandType, Refused
from producers.credentials import SESSIONS
from producers.limits import Id, Reason
from producers.names import check_text
from producers.streams import UserCommand
from producers.users import present


class DeactivateUser(UserCommand, frozen=True, kw_only=True):
    """End all that a user can do, and their sessions with it."""

    reason: Reason | None = None
    #: The user's version when ``close`` was read: a log-in since then makes another, and is not to be missed.
    since: int
    close: Annotated[list[Id], msgspec.Meta(max_length=SESSIONS)]


class ReactivateUser(UserCommand, frozen=True, kw_only=True):
    """Let a user do again what they could."""


def _ended(envelope: CommandEnvelope[DeactivateUser]) -> Sequence[Key]:
    user = envelope.command.user
    return (user_key(user), *(session_key(user, session) for session in envelope.command.close))


def _own(envelope: CommandEnvelope[ReactivateUser]) -> Sequence[Key]:
    return (user_key(envelope.command.user),)


def deactivate(envelope: CommandEnvelope[DeactivateUser], state: State) -> list[Event]:
    command = envelope.command
    user = present(state, command.user)
    if command.reason is not None:
        check_text("reason", command.reason)
    if user.deactivated is not None:
        return []
    if user.version != command.since:
        raise Refused("outrun", "expected no log-in or other change of the user since this one began; there was one")
    ended = [session for session in command.close if loaded_open(state, user.id, session) is not None]
    return [UserDeactivated(reason=command.reason), *(SessionClosed(session=session) for session in ended)]


def reactivate(envelope: CommandEnvelope[ReactivateUser], state: State) -> list[Event]:
    return [] if present(state, envelope.command.user).deactivated is None else [UserReactivated()]


COMMANDS = (
    CommandType(DeactivateUser, "users", lambda c: c.user, _ended, deactivate, lambda c: True),
    CommandType(ReactivateUser, "users", lambda c: c.user, _own, reactivate, lambda c: True),
)
