"""Past moments: as people write them, and which events of a stream count at them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import msgspec

from events.core.clock import Time, from_datetime
from events.core.errors import KlatschError
from events.core.positions import BadPosition, Shard, Vector, encode_vector, parse_vector
from infra.base.postgres import Connection, queries
from projectors.as_of.folding import END

#: Next offset by stream: its events below count.
Cuts = Mapping[str, int]


#: A plus sign in a query that was not escaped is a space.
_PLUS = re.compile(r"(?<=:\d\d) (?=\d\d:\d\d$)|(?<=\.\d\d\d) (?=\d\d:\d\d$)")


#: What a moment is, in words.
MOMENT = "a time with its zone such as 2026-11-21T08:15:30Z, or next offsets such as rooms/3/1235,users/1/88"


class BadMoment(KlatschError, ValueError):
    """Text that is no moment; the message says expected and actual."""


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """A place in the log: a time, or the next offsets of shards; shards that are not named stand where they are now.

    As of a time a stream has its events before the first one that happened after it (docs/decisions/0018).
    """

    time: Time | None = None
    vector: Vector = {}

    def __str__(self) -> str:
        return self.time or encode_vector(self.vector)

    async def cuts(self, connection: Connection, streams: Iterable[str]) -> dict[str, int]:
        """How much of each stream counts; ``asof.END``: all of it."""
        wanted = list(dict.fromkeys(streams))
        found = dict.fromkeys(wanted, END)
        if not wanted:
            return found
        if self.time is None:
            for row in await connection.fetch(queries("past")["places"], wanted):
                found[row["stream"]] = self.vector.get(Shard(row["topic"], row["partition"]), END)
        else:
            for row in await connection.fetch(queries("past")["cuts"], wanted, self.time):
                found[row["stream"]] = END if row["cut"] is None else row["cut"]
        return found

    async def cut(self, connection: Connection, stream: str) -> int:
        """How much of one stream counts."""
        return (await self.cuts(connection, (stream,)))[stream]


def parse_moment(text: str) -> Moment:
    """``2026-11-21T08:15:30Z`` or ``rooms/3/1235[,users/1/88]`` as Moment. Raises BadMoment."""
    if "/" in text:
        try:
            return Moment(vector=parse_vector(text))
        except BadPosition as error:
            raise BadMoment(str(error)) from error
    try:
        moment = datetime.fromisoformat(_PLUS.sub("+", text.strip().upper()))
        if moment.tzinfo is None:
            raise ValueError("no time zone")
        return Moment(time=from_datetime(moment.astimezone(UTC)))
    except (ValueError, OverflowError) as error:
        raise BadMoment(f"expected {MOMENT}; got {text[:80]!r}") from error
