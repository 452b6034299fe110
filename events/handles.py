"""Handles: names that one user at most may hold. Stream: the name, with its kind before it (topic ``handles``)."""

from __future__ import annotations

import unicodedata
from typing import ClassVar, Literal

from msgspec.structs import replace

from events.clock import Time
from events.records import Changes, Entity, Event, EventType, Key, Record, State


class Handle(Entity, frozen=True, kw_only=True):
    """A unique name and who holds it. ``claimed`` until the holder's own stream is known to have it."""

    kind: ClassVar = "handle"
    key_fields: ClassVar = ("id",)

    #: Kind and folded name: ``username:ada``.
    id: str
    user: str
    state: Literal["claimed", "confirmed"]
    claimed: Time
    version: int


def handle_key(handle: str) -> Key:
    return ("handle", handle)


def username_handle(username: str) -> str:
    """The handle of a username: without case, so that ``Ada`` and ``ada`` are one name."""
    return f"username:{username.lower()}"


def email_handle(address: str) -> str:
    """The handle of an e-mail address, whose domain is in lower case and ASCII already (``producers.emails``).

    The whole address is compared without case and in Unicode's NFC: RFC 5321 lets the part before the ``@`` differ by
    case, but nobody's mail does. Dots and ``+tags`` in it stay: what they mean is each provider's own business.
    """
    return f"email:{unicodedata.normalize('NFC', unicodedata.normalize('NFC', address).casefold())}"


class HandleClaimed(Event, frozen=True, kw_only=True):
    #: Who holds the name from here on, whoever held it before.
    user: str


class HandleConfirmed(Event, frozen=True, kw_only=True):
    #: Who holds it: the user's own stream has it as theirs.
    user: str


class HandleReleased(Event, frozen=True, kw_only=True):
    #: Who held it; anybody may claim it from here on.
    user: str


def names(record: Record) -> tuple[Key, ...]:
    return (handle_key(record.stream),)


def claimed(record: Record, state: State) -> Changes:
    event = record.data
    assert isinstance(event, HandleClaimed)
    handle = Handle(id=record.stream, user=event.user, state="claimed", claimed=record.time, version=record.offset)
    return {handle.key: handle}


def confirmed(record: Record, state: State) -> Changes:
    event = record.data
    assert isinstance(event, HandleConfirmed)
    handle = state[handle_key(record.stream)]
    if not isinstance(handle, Handle) or handle.user != event.user:
        return {}
    return {handle.key: replace(handle, state="confirmed", version=record.offset)}


def released(record: Record, state: State) -> Changes:
    event = record.data
    assert isinstance(event, HandleReleased)
    handle = state[handle_key(record.stream)]
    if not isinstance(handle, Handle) or handle.user != event.user:
        return {}
    return {handle.key: None}


_SAMPLE = "7d9f3c1e-2f7b-4a62-9c5e-0d3b1a2c4e5f"

ROWS = (
    EventType(
        name="handle.claimed", struct=HandleClaimed, topics=("handles",), names=names, fold=claimed,
        about="A name was claimed for a user who is about to take it.", sample=HandleClaimed(user=_SAMPLE),
    ),
    EventType(
        name="handle.confirmed", struct=HandleConfirmed, topics=("handles",), names=names, fold=confirmed,
        about="The claimant has taken the name.", sample=HandleConfirmed(user=_SAMPLE),
    ),
    EventType(
        name="handle.released", struct=HandleReleased, topics=("handles",), names=names, fold=released,
        about="The holder gave the name back; anybody may claim it.", sample=HandleReleased(user=_SAMPLE),
    ),
)  # fmt: skip
