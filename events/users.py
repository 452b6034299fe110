"""Users: who takes part, under what name, with what profile. Stream: the user's id (topic ``users``)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from msgspec.structs import replace

from events.clock import Time
from events.records import Changes, Entity, Event, EventType, Key, Record, State

Kind = Literal["person", "service"]


class User(Entity, frozen=True, kw_only=True):
    """A user (S0 User, S2 User)."""

    kind: ClassVar = "user"
    key_fields: ClassVar = ("id",)

    id: str
    #: Unique, as registered; compared without case.
    username: str
    #: Shown name.
    name: str
    #: ``person``, or ``service`` for a program that acts by itself.
    role: Kind
    #: ``abandoned``: the registration was given up before it was finished, and this id can never be used.
    state: Literal["registered", "abandoned"]
    #: Names the password hash in the vault; None: cannot log in by password.
    credential: str | None
    #: The linked visual character.
    visual: str | None
    data: dict[str, str]
    created: Time
    updated: Time
    version: int


def user_key(user: str) -> Key:
    return Key(("user", user))


class UserRegistered(Event, frozen=True, kw_only=True):
    username: str
    name: str
    role: Kind
    #: Id of the password hash in the vault, never the hash.
    credential: str | None
    data: dict[str, str]


class UserRegistrationAbandoned(Event, frozen=True, kw_only=True):
    """The registration under this id never finished and never will: its name is free again."""


class UserProfileChanged(Event, frozen=True, kw_only=True):
    #: The new shown name; None: unchanged.
    name: str | None = None
    #: The whole new data map; None: unchanged.
    data: dict[str, str] | None = None


class UserVisualChosen(Event, frozen=True, kw_only=True):
    #: The visual that is linked from now on; None: none.
    visual: str | None


def names(record: Record) -> tuple[Key, ...]:
    return (user_key(record.stream),)


def loaded_user(state: State, user: str) -> User | None:
    """The user in ``state``. Raises KeyError when the key was not loaded."""
    entity = state[user_key(user)]
    assert entity is None or isinstance(entity, User)
    return entity


def registered(record: Record, state: State) -> Changes:
    event = record.data
    assert isinstance(event, UserRegistered)
    user = User(
        id=record.stream, username=event.username, name=event.name, role=event.role, state="registered",
        credential=event.credential, visual=None, data=event.data, created=record.time, updated=record.time,
        version=record.offset,
    )  # fmt: skip
    return {user.key: user}


def abandoned(record: Record, state: State) -> Changes:
    user = User(
        id=record.stream, username="", name="", role="person", state="abandoned", credential=None, visual=None,
        data={}, created=record.time, updated=record.time, version=record.offset,
    )  # fmt: skip
    return {user.key: user}


def changed(record: Record, state: State, **changes: Any) -> Changes:
    """The stream's user with ``changes``, stamped with the record."""
    user = loaded_user(state, record.stream)
    if user is None:
        return {}
    return {user.key: replace(user, updated=record.time, version=record.offset, **changes)}


def profile_changed(record: Record, state: State) -> Changes:
    event = record.data
    assert isinstance(event, UserProfileChanged)
    changes: dict[str, Any] = {}
    if event.name is not None:
        changes["name"] = event.name
    if event.data is not None:
        changes["data"] = event.data
    return changed(record, state, **changes)


def visual_chosen(record: Record, state: State) -> Changes:
    event = record.data
    assert isinstance(event, UserVisualChosen)
    return changed(record, state, visual=event.visual)


ROWS = (
    EventType(
        name="user.registered", struct=UserRegistered, topics=("users",), names=names, fold=registered,
        about="A user exists from here on.",
        sample=UserRegistered(
            username="ada", name="Ada Lovelace", role="person",
            credential="019aa000-0000-7000-8000-000000000001", data={"city": "London"},
        ),
    ),
    EventType(
        name="user.registration_abandoned", struct=UserRegistrationAbandoned, topics=("users",), names=names,
        fold=abandoned, about="A registration that never finished was given up; its name is free again.",
        sample=UserRegistrationAbandoned(),
    ),
    EventType(
        name="user.profile_changed", struct=UserProfileChanged, topics=("users",), names=names,
        fold=profile_changed, about="The shown name or the data map changed.",
        sample=UserProfileChanged(name="Countess Lovelace", data={"city": "Ockham"}),
    ),
    EventType(
        name="user.visual_chosen", struct=UserVisualChosen, topics=("users",), names=names, fold=visual_chosen,
        about="The user linked a visual character, or none.",
        sample=UserVisualChosen(visual="019aa000-0000-7000-8000-000000000002"),
    ),
)  # fmt: skip
