"""Decisions about users: registration and profile."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from events.clock import Time
from events.records import Event, Key, State
from events.sessions import SessionOpened, session_key
from events.users import (
    Kind,
    User,
    UserProfileChanged,
    UserRegistered,
    UserRegistrationAbandoned,
    UserVisualChosen,
    loaded_user,
    user_key,
)
from producers.commands import Command, CommandType, Order, Refused
from producers.limits import Data, DataPatch, Id, ShownName, Username, patched


class RegisterUser(Command, frozen=True, kw_only=True):
    """Make a user, whose name has been claimed before, and log them in."""

    user: Id
    username: Username
    name: ShownName
    role: Kind = "person"
    credential: Id | None = None
    data: Data = {}
    #: When the first session ends; None opens none (imported and service users).
    expires: Time | None = None


class AbandonRegistration(Command, frozen=True, kw_only=True):
    """Make sure that a registration which never finished never will."""

    user: Id


class ChangeProfile(Command, frozen=True, kw_only=True):
    user: Id
    name: ShownName | None = None
    data: DataPatch | None = None


class ChooseVisual(Command, frozen=True, kw_only=True):
    user: Id
    visual: Id | None


#: Entries of the data map that only events of ours write.
RESERVED = frozenset({"last_login"})


def _unreserved(data: Iterable[str]) -> None:
    if taken := RESERVED.intersection(data):
        raise Refused("invalid", f"data.{min(taken)}: expected none; it is written by the system")


def present(state: State, user: str) -> User:
    """The registered user in ``state``. Refuses with ``not_found``."""
    found = loaded_user(state, user)
    if found is None or found.state != "registered":
        raise Refused("not_found", f"expected a registered user, found none with id {user}")
    return found


def _own(order: Order) -> Sequence[Key]:
    return (user_key(order.command.user),)


def _registration(order: Order) -> Sequence[Key]:
    return (user_key(order.command.user), session_key(order.command.user, order.id))


def register(order: Order, state: State) -> list[Event]:
    command: RegisterUser = order.command
    found = loaded_user(state, command.user)
    if found is not None:
        raise Refused("taken", f"expected an unused user id, got one that is {found.state}; register again")
    _unreserved(command.data)
    events: list[Event] = [
        UserRegistered(
            username=command.username, name=command.name, role=command.role, credential=command.credential,
            data=command.data,
        )
    ]  # fmt: skip
    if command.expires is not None:
        events.append(SessionOpened(session=order.id, expires=command.expires))
    return events


def abandon(order: Order, state: State) -> list[Event]:
    found = loaded_user(state, order.command.user)
    if found is None:
        return [UserRegistrationAbandoned()]
    if found.state == "registered":
        raise Refused("registered", f"expected a registration that never finished; {found.id} is registered")
    return []


def change_profile(order: Order, state: State) -> list[Event]:
    command: ChangeProfile = order.command
    user = present(state, command.user)
    name = command.name if command.name != user.name else None
    _unreserved(command.data or ())
    data = None if command.data is None else patched(user.data, command.data)
    if data == user.data:
        data = None
    return [] if name is None and data is None else [UserProfileChanged(name=name, data=data)]


def choose_visual(order: Order, state: State) -> list[Event]:
    user = present(state, order.command.user)
    return [] if user.visual == order.command.visual else [UserVisualChosen(visual=order.command.visual)]


COMMANDS = (
    CommandType(RegisterUser, "users", lambda c: c.user, _registration, register),
    CommandType(AbandonRegistration, "users", lambda c: c.user, _own, abandon),
    CommandType(ChangeProfile, "users", lambda c: c.user, _own, change_profile),
    CommandType(ChooseVisual, "users", lambda c: c.user, _own, choose_visual),
)
