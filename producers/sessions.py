"""Decisions about sessions: logging in, going on, logging out."""

from __future__ import annotations

from collections.abc import Sequence

from events.clock import Time
from events.records import Event, Key, State
from events.sessions import Session, SessionClosed, SessionOpened, SessionRenewed, session_key
from events.users import user_key
from producers.commands import Command, CommandType, Order, Refused
from producers.limits import Id
from producers.users import present


class OpenSession(Command, frozen=True, kw_only=True):
    """Log in a user whose password has been verified against ``credential``."""

    user: Id
    credential: Id | None
    expires: Time


class RenewSession(Command, frozen=True, kw_only=True):
    """Let a session end later. What would make it end earlier changes nothing."""

    user: Id
    session: Id
    expires: Time


class CloseSession(Command, frozen=True, kw_only=True):
    user: Id
    session: Id


def _opened(order: Order) -> Sequence[Key]:
    return (user_key(order.command.user), session_key(order.command.user, order.id))


def _own(order: Order) -> Sequence[Key]:
    return (session_key(order.command.user, order.command.session),)


def open_(order: Order, state: State) -> list[Event]:
    command: OpenSession = order.command
    user = present(state, command.user)
    if user.credential != command.credential:
        # The password was changed between its verification and this decision.
        raise Refused("unauthenticated", "expected the account's current password, got an earlier one")
    return [SessionOpened(session=order.id, expires=command.expires)]


def _found(state: State, user: str, session: str) -> Session:
    found = state[session_key(user, session)]
    if not isinstance(found, Session):
        raise Refused("not_found", f"expected a session of yours, found none with id {session}")
    return found


def renew(order: Order, state: State) -> list[Event]:
    command: RenewSession = order.command
    session = _found(state, command.user, command.session)
    if session.closed is not None:
        raise Refused("token_revoked", f"expected an open session, got one that was closed at {session.closed}")
    if session.expires <= order.time:
        raise Refused("token_expired", f"expected a session that goes on, got one that ended at {session.expires}")
    if command.expires <= session.expires:
        return []
    return [SessionRenewed(session=command.session, expires=command.expires)]


def close(order: Order, state: State) -> list[Event]:
    command: CloseSession = order.command
    session = _found(state, command.user, command.session)
    return [] if session.closed is not None else [SessionClosed(session=command.session)]


COMMANDS = (
    CommandType(OpenSession, "users", lambda c: c.user, _opened, open_),
    CommandType(RenewSession, "users", lambda c: c.user, _own, renew),
    CommandType(CloseSession, "users", lambda c: c.user, _own, close),
)
