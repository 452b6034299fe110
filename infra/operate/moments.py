"""Moments as operators type them, checked against the log: what has not come, or is beyond its end, is refused."""

from __future__ import annotations

from typing import Any

from events.clock import now
from events.positions import Shard, encode_vector
from infra import kafka
from infra.operate.errors import CannotDo
from infra.operate.filters import parse_time
from infra.postgres import queries
from infra.progress import Progress, ReadModelsBehind
from infra.settings import Settings
from projectors.past.moments import BadMoment, Moment, parse_moment

#: Seconds that the read models get to reach the log's end.
LEVEL_SECONDS = 30.0


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
            raise CannotDo(f"{option}: expected a time that has come, got {time}")
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


async def place(connection: Any, stream: str, what: str) -> Shard:
    """The shard of a stream. Raises CannotDo for one without events."""
    for row in await connection.fetch(queries("past")["places"], [stream]):
        return Shard(row["topic"], row["partition"])
    raise CannotDo(f"expected the id of a {what}, got {stream!r}, of which there is no event")


async def began(connection: Any, stream: str, moment: Moment) -> CannotDo:
    """The error for a moment before a stream's first event."""
    first = await connection.fetchval(queries("past")["began"], stream)
    return CannotDo(f"expected a moment since {first}, when {stream} began; got {moment}")
