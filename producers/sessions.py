"""Decisions about sessions: logging in, going on, logging out."""

from __future__ import annotations

from collections.abc import Sequence

from events.core.clock import Time
from events.core.records import Event, Key, State
from events.sessions import (
    Session,
    SessionClosed,
    SessionOpened,
    SessionRenewed,
    SessionUsed,
    loaded_open,
    session_key,
)
from events.users import user_key
from producers.commands import Command, CommandEnvelope, CommandType, Refused
from producers.limits import DeviceId, Id
from producers.names import check_line
from producers.streams import UserCommand
from producers.users import active


class OpenSession(UserCommand, frozen=True, kw_only=True):
    """Log in a user whose password has been verified against ``credential``."""

    credential: Id | None
    expires: Time
    #: Whether it ends only after a time without use.
    sliding: bool = False
    device: DeviceId | None = None


class IssueSession(UserCommand, frozen=True, kw_only=True):
    """Log in a person for whom somebody else answers: an application with a log-in of its own."""

    expires: Time
    sliding: bool = False
    device: DeviceId | None = None


class RenewSession(UserCommand, frozen=True, kw_only=True):
    """Let a session end later. What would make it end earlier changes nothing."""

    session: Id
    expires: Time


class UseSession(UserCommand, frozen=True, kw_only=True):
    """Note that a session was in use, and let it end later. Given by the system."""

    session: Id
    expires: Time


class CloseSession(UserCommand, frozen=True, kw_only=True):
    session: Id


def _opened(envelope: CommandEnvelope[UserCommand]) -> Sequence[Key]:
    return (user_key(envelope.command.user), session_key(envelope.command.user, envelope.id))


def _own(envelope: CommandEnvelope[RenewSession | UseSession | CloseSession]) -> Sequence[Key]:
    command = envelope.command
    return (user_key(command.user), session_key(command.user, command.session))


def open_(envelope: CommandEnvelope[OpenSession], state: State) -> list[Event]:
    command = envelope.command
    user = active(state, command.user)
    if user.credential != command.credential:
        # The password was changed between its verification and this decision.
        raise Refused("unauthenticated", "expected the account's current password, got an earlier one")
    return [_new(envelope.id, command)]


def issue(envelope: CommandEnvelope[IssueSession], state: State) -> list[Event]:
    command = envelope.command
    if active(state, command.user).role != "person":
        raise Refused("forbidden", "expected a person to sign in, got a service account, which has its own token")
    return [_new(envelope.id, command)]


def _new(id: str, command: OpenSession | IssueSession) -> SessionOpened:
    if command.device is not None:
        check_line("device_id", command.device)
    return SessionOpened(session=id, expires=command.expires, sliding=command.sliding, device=command.device)


def _found(state: State, user: str, session: str) -> Session:
    found = state[session_key(user, session)]
    if not isinstance(found, Session):
        raise Refused("not_found", f"expected a session of yours, found none with id {session}")
    return found


def renew(envelope: CommandEnvelope[RenewSession], state: State) -> list[Event]:
    command = envelope.command
    session = _found(state, command.user, command.session)
    if session.closed is not None:
        raise Refused("token_revoked", f"expected an open session, got one that was closed at {session.closed}")
    if session.expires <= envelope.time:
        raise Refused("token_expired", f"expected a session that goes on, got one that ended at {session.expires}")
    if command.expires <= session.expires:
        return []
    return [SessionRenewed(session=command.session, expires=command.expires)]


def use(envelope: CommandEnvelope[UseSession], state: State) -> list[Event]:
    """What has ended meanwhile stays so."""
    command = envelope.command
    session = loaded_open(state, command.user, command.session)
    if session is None or session.expires <= envelope.time or command.expires <= session.expires:
        return []
    return [SessionUsed(session=command.session, expires=command.expires)]


def close(envelope: CommandEnvelope[CloseSession], state: State) -> list[Event]:
    command = envelope.command
    session = _found(state, command.user, command.session)
    return [] if session.closed is not None else [SessionClosed(session=command.session)]


def _vital(command: Command) -> bool:
    """Some 300 bytes each; nobody is locked in or out for want of room."""
    return True


COMMANDS = (
    CommandType(OpenSession, "users", lambda c: c.user, _opened, open_, _vital),
    CommandType(IssueSession, "users", lambda c: c.user, _opened, issue, _vital),
    CommandType(RenewSession, "users", lambda c: c.user, _own, renew, _vital),
    CommandType(UseSession, "users", lambda c: c.user, _own, use),
    CommandType(CloseSession, "users", lambda c: c.user, _own, close, _vital),
)
