"""Command keys: that one was used although nothing changed. In the stream of the command, of whatever topic."""

from __future__ import annotations

from events.core.records import Changes, Event, EventType, Key, Record, State
from events.core.revert_rules import NotRevertible


class KeyUsed(Event, frozen=True, kw_only=True):
    """A command with a client's key found nothing to do. Its key stands in the envelope, as that of any command."""


def keys(record: Record) -> tuple[Key, ...]:
    return ()


def used(record: Record, state: State) -> Changes:
    """Nothing: what counts is that the key is in the log."""
    return {}


ROWS = (
    EventType(
        name="key.used", struct=KeyUsed, topics=("users", "rooms", "handles", "apps"), keys=keys, fold=used,
        about="A command with a key found nothing to do; given again later, when there is, it still does nothing.",
        sample=KeyUsed(),
        revert=NotRevertible("it changed nothing"),
    ),
)  # fmt: skip
