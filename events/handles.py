"""Handles: names that one user of an application at most may hold. Stream: the name, with its kind before it, and
before that the application, unless it is the default one (topic ``handles``)."""

from __future__ import annotations

import unicodedata
from typing import ClassVar, Literal, NamedTuple

from msgspec.structs import replace

from events.core.clock import Time
from events.core.derived_ids import DEFAULT_APP
from events.core.records import Changes, Entity, Event, EventType, Key, Record, State
from events.core.revert_rules import NotRevertible


class Handle(Entity, frozen=True, kw_only=True):
    """A unique name and who holds it. ``claimed`` until the holder's own stream is known to have it."""

    kind: ClassVar = "handle"
    key_fields: ClassVar = ("id",)

    #: Kind and folded name: ``username:ada``; of an application, ``<id>/username:ada``.
    id: str
    user: str
    state: Literal["claimed", "confirmed"]
    claimed: Time
    version: int


def handle_key(handle: str) -> Key:
    return ("handle", handle)


class HandleParts(NamedTuple):
    """What a handle's id says."""

    app: str
    #: ``username`` or ``email``.
    kind: str
    #: Folded.
    name: str


def handle_parts(handle: str) -> HandleParts:
    """The parts of a handle's id: neither an application's id nor a kind holds a colon, and a kind holds no slash."""
    place, _, name = handle.partition(":")
    app, _, kind = place.rpartition("/")
    return HandleParts(app or DEFAULT_APP, kind, name)


def _in_app(app: str) -> str:
    return "" if app == DEFAULT_APP else f"{app}/"


def username_handle(username: str, app: str = DEFAULT_APP) -> str:
    """The handle of a username: without case, so that ``Ada`` and ``ada`` are one name."""
    return f"{_in_app(app)}username:{username.lower()}"


def email_handle(address: str, app: str = DEFAULT_APP) -> str:
    """The handle of an e-mail address, whose domain is in lower case and ASCII already (``producers.emails``).

    The whole address is compared without case and in Unicode's NFC: RFC 5321 lets the part before the ``@`` differ by
    case, but nobody's mail does. Dots and ``+tags`` in it stay: what they mean is each provider's own business.
    """
    return f"{_in_app(app)}email:{unicodedata.normalize('NFC', unicodedata.normalize('NFC', address).casefold())}"


class HandleClaimed(Event, frozen=True, kw_only=True):
    #: Who holds the name from here on, whoever held it before.
    user: str


class HandleConfirmed(Event, frozen=True, kw_only=True):
    #: Who holds it: the user's own stream has it as theirs.
    user: str


class HandleReleased(Event, frozen=True, kw_only=True):
    #: Who held it; anybody may claim it from here on.
    user: str


def keys(record: Record) -> tuple[Key, ...]:
    return (handle_key(record.stream),)


def claimed(record: Record[HandleClaimed], state: State) -> Changes:
    event = record.data
    handle = Handle(id=record.stream, user=event.user, state="claimed", claimed=record.time, version=record.offset)
    return {handle.key: handle}


def confirmed(record: Record[HandleConfirmed], state: State) -> Changes:
    event = record.data
    handle = state[handle_key(record.stream)]
    if not isinstance(handle, Handle) or handle.user != event.user:
        return {}
    return {handle.key: replace(handle, state="confirmed", version=record.offset)}


def released(record: Record[HandleReleased], state: State) -> Changes:
    event = record.data
    handle = state[handle_key(record.stream)]
    if not isinstance(handle, Handle) or handle.user != event.user:
        return {}
    return {handle.key: None}


_SAMPLE = "7d9f3c1e-2f7b-4a62-9c5e-0d3b1a2c4e5f"

#: Why it is not taken back.
_CLAIM = "the name or address may be another's by now"

ROWS = (
    EventType(
        name="handle.claimed", struct=HandleClaimed, topics=("handles",), keys=keys, fold=claimed,
        about="A name was claimed for a user who is about to take it.", sample=HandleClaimed(user=_SAMPLE),
        revert=NotRevertible(_CLAIM),
    ),
    EventType(
        name="handle.confirmed", struct=HandleConfirmed, topics=("handles",), keys=keys, fold=confirmed,
        about="The claimant has taken the name.", sample=HandleConfirmed(user=_SAMPLE),
        revert=NotRevertible(_CLAIM),
    ),
    EventType(
        name="handle.released", struct=HandleReleased, topics=("handles",), keys=keys, fold=released,
        about="The holder gave the name back; anybody may claim it.", sample=HandleReleased(user=_SAMPLE),
        revert=NotRevertible(_CLAIM),
    ),
)  # fmt: skip
