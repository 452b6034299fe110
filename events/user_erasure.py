"""Erased accounts: nothing of the person is shown any more. Stream: the user's id (topic ``users``)."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec.structs import replace

from events.core.clock import Time
from events.core.records import Changes, Event, EventType, Record, State
from events.core.revert_rules import NotRevertible
from events.users import User, changed, keys, loaded_user, noted

#: What an erased user is called.
ERASED_NAME = "Deleted user"


class Erasure(msgspec.Struct, frozen=True, kw_only=True):
    """What of an erased user has gone since."""

    #: What becomes of what they have said: it stays, or it is deleted.
    messages: Literal["keep", "hide"]
    #: Rooms that they have left with it, and messages that were deleted.
    rooms: int = 0
    hidden: int = 0
    #: When nothing was left to do; None: something is.
    done: Time | None = None


def erasure_of(user: User) -> Erasure | None:
    """How far the erasure of a user has come; None: they are not erased."""
    return None if user.erased is None or not user.erasure else msgspec.convert(user.erasure, Erasure)


class UserErased(Event, frozen=True, kw_only=True):
    #: What becomes of what they have said: it stays, or it is deleted, message by message.
    messages: Literal["keep", "hide"]


class UserErasureNoted(Event, frozen=True, kw_only=True):
    """How far the erasure has come."""

    #: Rooms that they have left with it.
    rooms: int
    #: Messages of theirs that were deleted with it.
    hidden: int
    #: Whether nothing is left to do.
    done: bool


def without_person(user: User) -> User:
    """The user without what they called themselves and said of themselves; an id, and a word for a name."""
    return replace(
        user, username="", name=ERASED_NAME, credential=None, email=None, seen=None, visual=None, added_by=None,
        external=None, avatar=None, bio=None, data={}, custom={},
    )  # fmt: skip


def erased(record: Record[UserErased], state: State) -> Changes:
    user = loaded_user(state, record.stream)
    if user is None:
        return {}
    return changed(
        record, {user.key: without_person(user)}, deactivated=user.deactivated or record.time,
        email_settled=record.offset, erased=user.erased or record.time,
        erasure=msgspec.to_builtins(Erasure(messages=record.data.messages)),
    )  # fmt: skip


def erasure_noted(record: Record[UserErasureNoted], state: State) -> Changes:
    event, user = record.data, loaded_user(state, record.stream)
    before = None if user is None else erasure_of(user)
    if before is None:
        return {}
    done = record.time if event.done else None
    now = replace(before, rooms=event.rooms, hidden=event.hidden, done=done)
    return noted(record, state, erasure=msgspec.to_builtins(now))


ROWS = (
    EventType(
        name="user.erased", struct=UserErased, topics=("users",), keys=keys, fold=erased,
        about="The account is erased, for good: nothing of the person is shown from here on, and their name and "
        "address are free. Their sessions end: they follow as `session.closed`. They leave their rooms.",
        sample=UserErased(messages="hide"), revert=NotRevertible("the account is erased for good"),
    ),
    EventType(
        name="user.erasure_noted", struct=UserErasureNoted, topics=("users",), keys=keys, fold=erasure_noted,
        about="How far an erasure has come, or that nothing is left to do.",
        sample=UserErasureNoted(rooms=3, hidden=120, done=True),
        revert=NotRevertible("it only says how far something has come"),
    ),
)  # fmt: skip
