"""Decisions about sessions: logging in and out."""

from __future__ import annotations

from collections.abc import Sequence

from events.clock import Time
from events.records import Event, Key, State
from events.sessions import Session, SessionClosed, SessionOpened, session_key
from events.users import user_key
from producers.commands import Command, CommandType, Order, Refused
from producers.limits import Id
from producers.users import present


class OpenSession(Command, frozen=True, kw_only=True):
    """Log in a user whose password has been verified against ``credential``."""

    user: Id
    credential: Id | None
    expires: Time


class CloseSession(Command, frozen=True, kw_only=True):
    user: Id
    session: Id


def _opened(order: Order) -> Sequence[Key]:
    return (user_key(order.command.user), session_key(order.command.user, order.id))


def _closed(order: Order) -> Sequence[Key]:
    return (session_key(order.command.user, order.command.session),)


def open_(order: Order, state: State) -> list[Event]:
    command: OpenSession = order.command
    user = present(state, command.user)
    if user.credential != command.credential:
        # The password was changed between its verification and this decision.
        raise Refused("unauthenticated", "wrong username or password")
    return [SessionOpened(session=order.id, expires=command.expires)]


def close(order: Order, state: State) -> list[Event]:
    command: CloseSession = order.command
    session = state[session_key(command.user, command.session)]
    if not isinstance(session, Session):
        raise Refused("not_found", f"expected a session of yours, found none with id {command.session}")
    return [] if session.closed is not None else [SessionClosed(session=command.session)]


COMMANDS = (
    CommandType(OpenSession, "users", lambda c: c.user, _opened, open_),
    CommandType(CloseSession, "users", lambda c: c.user, _closed, close),
)
