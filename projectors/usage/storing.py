"""Usage in Postgres: what records add is stored in one transaction with the place after them, so exactly once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from prometheus_client import Counter

from events.core.derived_ids import DEFAULT_APP
from events.core.errors import KlatschError
from events.core.log import TermFilter
from events.core.positions import Shard
from infra.base.postgres import Connection, queries
from infra.base.settings import Settings
from projectors.core.source import ResumeAt, places_of
from projectors.usage.counting import ACTIVE, PEAK, TOPICS, UsageTally, Window, starts

RECORDS = Counter("klatsch_usage_records", "Records that have been counted, or not.", ["outcome"])


class LogGap(KlatschError):
    """Records came from beyond the place up to which a shard has been counted; the text says which."""


class UsageRecord(NamedTuple):
    """A record as Kafka has it, with the logical topic."""

    shard: Shard
    offset: int
    headers: Sequence[tuple[str, bytes]]
    value: bytes


def shards(settings: Settings) -> list[Shard]:
    """All shards that are counted."""
    return [Shard(topic, partition) for topic in TOPICS for partition in range(settings.partitions)]


async def init(connection: Connection, wanted: Iterable[Shard]) -> None:
    """Shards that were never counted begin at their first records."""
    pairs = list(wanted)
    await connection.execute(
        queries("usage")["init_places"], [one.topic for one in pairs], [one.partition for one in pairs]
    )


async def places(connection: Connection) -> dict[Shard, ResumeAt]:
    """Up to where each shard has been counted."""
    rows = await connection.fetch(queries("usage")["places"])
    return places_of(rows)


async def lock(connection: Connection, wanted: Iterable[Shard]) -> dict[Shard, ResumeAt]:
    """The same of some shards, which nobody else counts until the end of the transaction."""
    pairs = sorted(wanted)
    rows = await connection.fetch(
        queries("usage")["lock_places"], [one.topic for one in pairs], [one.partition for one in pairs]
    )
    return places_of(rows)


async def move(connection: Connection, after: Mapping[Shard, ResumeAt]) -> None:
    """Where the counting of locked shards goes on."""
    pairs = sorted(after)
    await connection.execute(
        queries("usage")["move_places"], [one.topic for one in pairs], [one.partition for one in pairs],
        [after[one].offset for one in pairs], [after[one].term for one in pairs],
    )  # fmt: skip


async def count(connection: Connection, records: Sequence[UsageRecord]) -> None:
    """Counts records, each shard's in the order of the log; those that were counted before are passed over.

    The filter of valid records begins with what is stored, so nothing has to be remembered from one call to the next.
    Raises LogGap where records are missing before the first one, and what Postgres raises; then nothing was stored.
    """
    groups = {
        shard: list(group)
        for shard, group in groupby(sorted(records, key=lambda one: (one.shard, one.offset)), lambda one: one.shard)
    }
    outcomes: dict[str, int] = defaultdict(int)
    async with connection.transaction():
        stored, tally = await lock(connection, groups), UsageTally()
        after: dict[Shard, ResumeAt] = {}
        for shard, group in groups.items():
            place = stored.get(shard, ResumeAt())
            if group[0].offset > place.offset:
                raise LogGap(f"{shard}: expected records from {place.offset} on, got {group[0].offset}; start again")
            after[shard] = _tally(tally, group, place, outcomes)
        await _pass_over(connection, tally)
        await add(connection, tally)
        await move(connection, after)
    for outcome, number in outcomes.items():
        RECORDS.labels(outcome).inc(number)


def _tally(tally: UsageTally, group: Sequence[UsageRecord], place: ResumeAt, outcomes: dict[str, int]) -> ResumeAt:
    """Counts the records of a shard from a place on; the place after them."""
    admitted, offset = TermFilter(place.term), place.offset
    for one in group:
        if one.offset < offset:
            outcomes["passed"] += 1
            continue
        offset = one.offset + 1
        if not admitted.admits(one.offset, one.headers):
            outcomes["void"] += 1
        elif admitted.opened(one.offset):
            outcomes["opened"] += 1
        else:
            outcomes["counted" if tally.count(one.shard.topic, one.value) else "unreadable"] += 1
    return ResumeAt(offset, admitted.term)


async def _pass_over(connection: Connection, tally: UsageTally) -> None:
    """Takes away what erased applications did: their rows go, while nobody holds a place (``projectors/erasure``)."""
    apps = tally.apps() - {DEFAULT_APP}
    if apps:
        rows = await connection.fetch(queries("app_erasure")["among"], list(apps))
        tally.drop({row["id"] for row in rows})


async def add(connection: Connection, tally: UsageTally) -> None:
    """Adds to the windows, one upsert for each; the same order for everybody, so that no two wait for each other."""
    sql, counts = queries("usage"), tally.counts
    if tally.actors:
        actors = sorted(tally.actors)
        new = await connection.fetch(sql["add_actors"], *map(list, zip(*actors, strict=True)))
        for row in new:
            counts[Window(row["app"], row["length"], row["start"], ACTIVE)] += row["users"]
    # A window to which nothing is added in the end has its row all the same: the same whatever comes together.
    if counts:
        rows = sorted((*window, number) for window, number in counts.items())
        await connection.execute(sql["add_metrics"], *map(list, zip(*rows, strict=True)))
    days = sorted({(one.app, starts(one.start)["day"]) for one in counts if one.metric == PEAK})
    if days:
        await connection.execute(sql["raise_peaks"], *map(list, zip(*days, strict=True)), PEAK)
