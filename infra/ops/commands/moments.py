"""Moments as operators type them, checked against the log: what has not come, or is beyond its end, is refused."""

from __future__ import annotations

import msgspec

from events.core.clock import now, to_datetime
from events.core.positions import Position, Shard, encode_vector
from infra.base import kafka
from infra.base.postgres import Connection, queries
from infra.base.progress import Progress, ReadModelsBehind
from infra.base.settings import Settings
from infra.ops.commands.errors import CannotDo
from infra.ops.commands.filters import parse_time
from infra.ops.commands.log import reading
from projectors.as_of.moments import BadMoment, Moment, parse_moment

#: Seconds that the read models get to reach the log's end.
LEVEL_SECONDS = 30.0
#: Milliseconds after its time within which a command's event is appended: it takes some 10, and a busy broker more.
_ON_THE_WAY_MS = 2000


class Later(msgspec.Struct, frozen=True, kw_only=True):
    """Events that an answer as of a time counts, and that the log had only later."""

    events: int = 0
    #: Of so many that count.
    of: int = 0
    #: Before the first record that was appended after the time.
    position: Position | None = None

    def __str__(self) -> str:
        if self.events == self.of:
            return f"appended later: all {self.of} events, with earlier times, as an import does; the log had none then"
        return (
            f"appended later: {self.events} of {self.of} events, with earlier times, as an import does; what the log "
            f"had then is as of {self.position}"
        )


async def heads(settings: Settings) -> dict[Shard, int]:
    """The next offset of every shard."""
    found: dict[Shard, int] = {}
    for topic in kafka.EVENT_TOPICS:
        ends = await kafka.end_offsets(settings, settings.topic(topic), settings.partitions)
        found.update({Shard(topic, partition): end for partition, end in ends.items()})
    return found


async def level(settings: Settings) -> dict[Shard, int]:
    """The log's heads, once the read models have reached them. Raises CannotDo."""
    ends, progress = await heads(settings), Progress(settings)
    await progress.start()
    try:
        await progress.reach(ends, LEVEL_SECONDS)
    except ReadModelsBehind as error:
        raise CannotDo(f"{error}; a process with the role project must run") from error
    finally:
        await progress.stop()
    return ends


def parse(text: str, option: str, ends: dict[Shard, int]) -> Moment:
    """A time, how long ago, or next offsets. Raises CannotDo for what has not come yet."""
    if "/" not in text:
        time = parse_time(text, option)
        if time > now():
            raise CannotDo(f"{option}: expected a time that is not in the future, got {time}")
        return Moment(time=time)
    try:
        moment = parse_moment(text)
    except BadMoment as error:
        raise CannotDo(f"{option}: {error}") from error
    for shard, offset in moment.vector.items():
        if shard not in ends:
            raise CannotDo(f"{option}: expected a shard of this installation, got {shard}")
        if offset > ends[shard]:
            raise CannotDo(
                f"{option}: expected at most {shard}/{ends[shard]}, the log's end; got {encode_vector(moment.vector)}"
            )
    return moment


async def place(connection: Connection, stream: str, what: str) -> Shard:
    """The shard of a stream. Raises CannotDo for one without events."""
    for row in await connection.fetch(queries("past")["places"], [stream]):
        return Shard(row["topic"], row["partition"])
    called = "an application" if what == "app" else f"a {what}"
    raise CannotDo(f"expected the id or name of {called}, got {stream!r}, of which there is no event")


async def learned(
    settings: Settings, connection: Connection, stream: str, shard: Shard, moment: Moment, cut: int
) -> Later:
    """How many of a stream's events that count as of a time were appended after it: importers give old times."""
    if moment.time is None:
        return Later()
    async with reading(settings) as log:
        found = await log.appended_since([shard], int(to_datetime(moment.time).timestamp() * 1000) + _ON_THE_WAY_MS)
    if shard not in found or found[shard] >= cut:
        return Later()
    [row] = await connection.fetch(queries("past")["appended_from"], stream, found[shard], cut)
    return Later(events=row["later"], of=row["all"], position=Position(*shard, found[shard]))


async def began(connection: Connection, stream: str, moment: Moment) -> CannotDo:
    """The error for a moment before a stream's first event."""
    first = await connection.fetchval(queries("past")["began"], stream)
    return CannotDo(f"expected a moment since {first}, when {stream} began; got {moment}")
