"""The order of messages of many rooms, and the parts in which a search goes through it. Pure.

A message stands at its id, which begins with its time; but not before one of its room that precedes it: such a one has
a ``rank``, the id at which it stands, with ``seq`` (``events/message_entity.py``). So within a room the order is that
of ``seq``, whatever the clocks said, and between rooms that of time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

from api.support.pages import LAST_ID, Offset, Text
from events.messages import Message
from infra.base.months import bounds


class MessageRank(NamedTuple):
    """Where a message stands: after those of lower places."""

    rank: Text
    room: Text
    seq: Offset


class _Row(Protocol):
    def __getitem__(self, column: str, /) -> Any: ...


#: Above every message.
TOP = MessageRank(LAST_ID, "", -1)


def place_of(message: Message) -> MessageRank:
    return MessageRank(message.rank or message.id, message.room, message.seq)


class MonthPart(NamedTuple):
    """Rooms, and the ids between which their messages are."""

    rooms: list[str]
    low: str
    high: str


class RankWindow(NamedTuple):
    """What stands below ``high`` and not below ``low``."""

    low: MessageRank
    high: MessageRank
    #: Messages that stand at their ids: those of a month. None: there are none.
    month: MonthPart | None
    #: Messages that stand elsewhere, of whatever months.
    ranked: MonthPart | None


def windows(months: Sequence[_Row]) -> Iterator[RankWindow]:
    """Windows over all messages of some months, from above; each has one month of those that stand at their ids.

    ``months``: the latest first, as the query ``months`` has them.
    """
    high = TOP
    for row in months:
        low = MessageRank(bounds(row["month"])[0], "", -1)
        yield RankWindow(low, high, MonthPart(row["rooms"], *bounds(row["month"])), _ranked(months, low, high))
        high = low
    # What stands below the first month, came without an id that has its time.
    bottom = MessageRank("", "", -1)
    if (ranked := _ranked(months, bottom, high)) is not None:
        yield RankWindow(bottom, high, None, ranked)


def _ranked(months: Sequence[_Row], low: MessageRank, high: MessageRank) -> MonthPart | None:
    there = [row for row in months if row["low"] is not None and row["low"] < high.rank and row["high"] >= low.rank]
    if not there:
        return None
    places = [bounds(row["month"]) for row in there]
    rooms = sorted({room for row in there for room in row["ranked"]})
    return MonthPart(rooms, min(first for first, _ in places), max(end for _, end in places))
