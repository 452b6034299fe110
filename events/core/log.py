"""The log's own fact, and the rule by which every reader tells valid records from void ones.

Opening a shard appends ``log.opened``; its offset is the owner's *term*. Every other record carries its term in the
header ``term``. A reader drops each record whose term is not that of the latest ``log.opened`` that it has read in the
partition: what an old owner got in after a new one opened is void, and nobody was ever told that it had happened.
"""

from __future__ import annotations

from collections.abc import Sequence

from events.core.records import Changes, Event, EventType, Key, Record, State
from events.core.revert_rules import NotRevertible

#: Kafka header with the writer's term: the offset of its ``log.opened``, in decimal ASCII.
TERM_HEADER = "term"
#: Kafka header that marks a ``log.opened``: its value is the event type, so that no reader needs the body.
OPENED_HEADER = "opened"
#: Kafka key of ``log.opened``: it belongs to the shard, not to a stream.
OPENED_KEY = b"log"


class LogOpened(Event, frozen=True, kw_only=True):
    """An owner opened this shard."""

    #: Who: ``host:port`` of the process, for people who read the log.
    owner: str


class TermFilter:
    """The readers' rule for one partition. Keep ``term`` beside the stored offset and start from both.

    A reader that starts without a term (``None``) in mid-partition adopts the first one it meets, and after it a higher
    one, until it meets a ``log.opened``: that term's stands before the place where the reader began.
    """

    __slots__ = ("_same", "_sure", "term")

    def __init__(self, term: int | None = None) -> None:
        self.term = term
        #: Whether the term is that of the latest ``log.opened``, and not only the highest that was met.
        self._sure = term is not None
        #: Headers of the latest record of this term: most have the same.
        self._same: Sequence[tuple[str, bytes]] | None = None

    def admits(self, offset: int, headers: Sequence[tuple[str, bytes]]) -> bool:
        """Whether the record at ``offset`` is valid. Call it once for each record, in order."""
        if headers == self._same:
            return True
        term: int | None = None
        for name, value in headers:
            if name == OPENED_HEADER:
                self.term, self._same, self._sure = offset, None, True
                return True
            if name == TERM_HEADER:
                term = int(value) if value.isdigit() else None
        # A term is the offset of a record before it.
        if term is None or term >= offset:
            return False
        if not self._sure and (self.term is None or term > self.term):
            self.term = term
        if term != self.term:
            return False
        self._same = headers
        return True

    def opened(self, offset: int) -> bool:
        """Whether the record that was just admitted is the ``log.opened`` of its term: a term is that offset."""
        return self.term == offset


def opened_headers() -> list[tuple[str, bytes]]:
    """Headers of a ``log.opened``."""
    return [(OPENED_HEADER, b"log.opened"), ("content-type", b"application/cloudevents+json; charset=UTF-8")]


def term_headers(term: int) -> list[tuple[str, bytes]]:
    """Headers of every other record."""
    return [
        (TERM_HEADER, str(term).encode()),
        ("content-type", b"application/cloudevents+json; charset=UTF-8"),
    ]


def _no_keys(record: Record) -> tuple[Key, ...]:
    return ()


def _no_fold(record: Record, state: State) -> Changes:
    return {}


ROWS = (
    EventType(
        name="log.opened",
        struct=LogOpened,
        topics=("users", "rooms", "handles", "apps"),
        keys=_no_keys,
        fold=_no_fold,
        about="An owner opened this shard; the record's offset is its term.",
        sample=LogOpened(owner="127.0.0.1:8400"),
        revert=NotRevertible("it is the log's own"),
    ),
)
