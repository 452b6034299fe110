"""Counting the log's usage beside the tables that serve, by the same code: to compare with them, or to replace them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from events.core.positions import Shard
from infra.base import postgres
from infra.base.postgres import Connection, queries
from infra.base.settings import Settings
from projectors.core.heads import Heads
from projectors.core.source import ResumeAt, Source, places_of
from projectors.usage import storing
from projectors.usage.counting import UsageTally

#: Seconds for a statement over a whole table.
LONG = 24 * 3600.0
#: Differences of each table that are listed.
LISTED = 1000


class UsageDifference(NamedTuple):
    """A row of ``table`` that is not as the log says; None: no row."""

    table: str
    key: dict[str, Any]
    expected: int | bool | None
    actual: int | bool | None


class UsageDigests(NamedTuple):
    """A table's rows, and the sum of their hashes, as the log says and as they are."""

    table: str
    expected: int
    expected_digest: str
    actual: int
    actual_digest: str

    @property
    def equal(self) -> bool:
        return (self.expected, self.expected_digest) == (self.actual, self.actual_digest)


class Comparison(NamedTuple):
    """What a comparison found; ``count``: all differences, also those that are not listed."""

    tables: list[UsageDigests]
    differences: list[UsageDifference]
    counts: dict[str, int]

    @property
    def equal(self) -> bool:
        return all(one.equal for one in self.tables)


async def verify(settings: Settings, *, healing: bool = False) -> Comparison:
    """Compares the tables with the log up to where they were counted; ``healing`` replaces them where they differ.

    The worker waits only while the last records are counted and the rows compared. Raises LogMismatch, PostgresError
    and KafkaError; what it has then not finished has changed nothing.
    """
    async with _beside(settings) as counter:
        await counter.until(await counter.kept("places_kept"))
        async with counter.connection.transaction():
            await counter.until(await counter.kept("lock_kept"))
            await counter.connection.execute(counter.sql("forget_erased"), timeout=LONG)
            found = await _compared(counter)
            if healing and not found.equal:
                await counter.connection.execute(counter.sql("replace"), timeout=LONG)
    return found


async def rebuild(settings: Settings) -> int:
    """Counts anew what is in the log now, and replaces the tables; how many records were counted.

    It needs no worker, and does not disturb one. Raises as ``verify`` does.
    """
    async with postgres.connected(settings) as connection:
        # A worker that begins meanwhile waits at the places, too.
        await storing.init(connection, storing.shards(settings))
    async with _beside(settings) as counter:
        heads = Heads(settings, storing.shards(settings))
        try:
            ends = await heads()
        finally:
            await heads.stop()
        await counter.until({shard: ResumeAt(end) for shard, end in ends.items()}, exactly=False)
        async with counter.connection.transaction():
            # A worker may have got further meanwhile: what it has counted must not be counted by it again.
            await counter.until(await counter.kept("lock_kept"), exactly=False)
            await counter.connection.execute(counter.sql("forget_erased"), timeout=LONG)
            await counter.connection.execute(counter.sql("replace"), timeout=LONG)
    return counter.records


class _Counter:
    """Counts into tables of its session, from the log's beginning."""

    def __init__(self, settings: Settings, connection: Connection) -> None:
        self.connection = connection
        self.records = 0
        self._kept = f'"{settings.schema}_ops"'
        self._source = Source(settings, "usage")
        self._places = dict.fromkeys(storing.shards(settings), ResumeAt())

    def sql(self, name: str) -> str:
        return queries("usage")[name].replace("{kept}", self._kept)

    async def kept(self, name: str) -> dict[Shard, ResumeAt]:
        """The places of the tables that serve."""
        rows = await self.connection.fetch(self.sql(name), timeout=LONG)
        return places_of(rows)

    async def until(self, ends: Mapping[Shard, ResumeAt], *, exactly: bool = True) -> None:
        """Counts on up to these places, of shards that are not there yet; not ``exactly``: what came with it too."""
        behind = {shard: end.offset for shard, end in ends.items() if self._places[shard].offset < end.offset}
        if not behind:
            return
        # From the places again: what was fetched from beyond the ends of the time before was dropped.
        await self._source.start({shard: self._places[shard] for shard in behind})
        while behind:
            batch, tally = await self._source.take(), UsageTally()
            for entry in batch.entries:
                if not exactly or entry.offset < behind.get(entry.shard, 0):
                    tally.count(entry.shard.topic, entry.value)
                    self.records += 1
            for shard, place in batch.places.items():
                end = ends[shard]
                if exactly and shard not in behind:
                    continue
                # A term from beyond the end is not the one that holds there.
                self._places[shard] = end if exactly and place.offset > end.offset else place
                if place.offset >= end.offset:
                    behind.pop(shard, None)
            async with self.connection.transaction():
                await storing.add(self.connection, tally)
        await storing.move(self.connection, self._places)

    async def stop(self) -> None:
        await self._source.stop()


@asynccontextmanager
async def _beside(settings: Settings) -> AsyncIterator[_Counter]:
    # Temporary tables come before those of the path.
    async with postgres.connected(settings) as connection:
        counter = _Counter(settings, connection)
        await connection.execute(counter.sql("beside"))
        try:
            yield counter
        finally:
            await counter.stop()


async def _compared(counter: _Counter) -> Comparison:
    tables, differences, counts = [], list[UsageDifference](), dict[str, int]()
    for name, keys in (
        ("metrics", ("app", "length", "metric", "start")),
        ("actors", ("app", "length", "start", "user")),
    ):
        row = await counter.connection.fetchrow(counter.sql(f"digests_{name}"), timeout=LONG)
        assert row is not None
        digests = UsageDigests(f"usage_{name}", *row["expected"], *row["actual"])
        tables.append(digests)
        if digests.equal:
            continue
        rows = await counter.connection.fetch(counter.sql(f"differing_{name}"), timeout=LONG)
        counts[digests.table] = len(rows)
        differences += [
            UsageDifference(digests.table, {key: one[key] for key in keys}, one["expected"], one["actual"])
            for one in rows[:LISTED]
        ]
    return Comparison(tables, differences, counts)
