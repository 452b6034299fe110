"""The moment that a caller asks for: read, checked against the log's end, and waited for."""

from __future__ import annotations

from typing import Any, NamedTuple

from api.core.calls import Call
from api.support.problems import Problem
from events.core.clock import after, now
from events.core.faults import brief, quoted, wrong
from events.core.positions import encode_vector
from infra.base import kafka
from infra.base.postgres import Connection, Row, queries
from projectors.as_of.moments import MOMENT, BadMoment, Moment, parse_moment

#: Name of the parameter, of the query over HTTP and among the members over RPC.
AS_OF = "as_of"
#: Characters of a moment: a vector of all shards fits in.
MAX_CHARS = 10_000
#: Seconds within which an event may still be on its way to the read models, or bear a time of another clock.
_FRESH = 10.0


class AsOf(NamedTuple):
    """What a read as of a moment works with: one state of the read models, and the moment."""

    connection: Connection
    moment: Moment

    async def cut(self, stream: str) -> int:
        """How much of a stream counts."""
        return await self.moment.cut(self.connection, stream)

    async def row(self, file: str, name: str, *arguments: Any) -> Row | None:
        """The first row of a query, or None."""
        return await self.connection.fetchrow(queries(file)[name], *arguments)

    async def rows(self, file: str, name: str, *arguments: Any) -> list[Row]:
        """All rows of a query."""
        return await self.connection.fetch(queries(file)[name], *arguments)


async def reached(call: Call, text: str) -> Moment:
    """The moment, once the read models have all of it. Raises Problem ``invalid``, ``lagging``."""
    if len(text) > MAX_CHARS:
        raise Problem("invalid", errors=[wrong(f"/{AS_OF}", f"at most {MAX_CHARS} characters", f"{len(text)}")])
    try:
        moment = parse_moment(text)
    except BadMoment as error:
        raise Problem("invalid", errors=[wrong(f"/{AS_OF}", MOMENT, quoted(text))]) from error
    if moment.time is not None:
        await _past(call, moment.time)
    else:
        await _within(call, moment)
    return moment


def _shown(moment: Moment) -> str:
    return brief(str(moment))


async def _past(call: Call, time: str) -> None:
    present = now()
    if time > present:
        raise Problem(
            "invalid", errors=[wrong(f"/{AS_OF}", f"a time that is not in the future, at most {present}", time)]
        )
    if time > after(present, -_FRESH):
        await call.catch_up(await call.services.feed.heads())


async def _within(call: Call, moment: Moment) -> None:
    if any(s.topic not in kafka.EVENT_TOPICS or s.partition >= call.settings.partitions for s in moment.vector):
        raise Problem("invalid", errors=[wrong(f"/{AS_OF}", "positions of this installation's shards", _shown(moment))])
    if await call.services.progress.wait(moment.vector, 0):
        return
    heads = await call.services.feed.heads()
    if any(offset > heads.get(shard, 0) for shard, offset in moment.vector.items()):
        ends = {shard: heads.get(shard, 0) for shard in moment.vector}
        what = f"positions up to the log's end, {encode_vector(ends)}"
        raise Problem("invalid", errors=[wrong(f"/{AS_OF}", what, _shown(moment))])
    await call.catch_up(moment.vector)
