"""Applying a parked stream after a fix, or passing over an event of it: the transaction discipline of a turn."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from events.core.positions import Position, Shard
from events.core.records import DecodeError, Record
from infra.base.postgres import Connection, Row, queries
from infra.base.progress import READ_MODELS
from infra.base.settings import Settings
from projectors.core.parking import park
from projectors.core.source import BATCH, entry_of
from projectors.read_models import applying
from projectors.read_models.invalidations import Invalidations
from projectors.read_models.messages import Partitions


async def redrive(connection: Connection, settings: Settings, stream: str) -> tuple[int, int]:
    """Applies the parked events of a stream in order, up to the first that still fails.

    Returns how many were applied and how many are still parked. All in one transaction that keeps the projectors of
    the stream's shards waiting, so that no event of the stream can pass it. Safe to repeat.
    """
    sql = queries("projectors")
    async with connection.transaction():
        shards = await connection.fetch(sql["parked_shards"], READ_MODELS, stream)
        topics, partitions = [row["topic"] for row in shards], [row["partition"] for row in shards]
        positions = await connection.fetch(sql["lock_positions"], READ_MODELS, topics, partitions)
        waiting = await connection.fetch(sql["parked_events"], READ_MODELS, stream)
        applied: list[Record] = []
        invalidations = Invalidations()
        months = Partitions(connection, settings)
        for start in range(0, len(waiting), BATCH):
            batch = waiting[start : start + BATCH]
            # After a fix all of them apply, most likely, and a fold of many costs little more than one of one.
            records = await _redrive_all(connection, batch, months, invalidations)
            if records is None:
                records = [one async for one in _redrive_each(connection, batch, months, invalidations)]
            applied += records
            if len(records) < len(batch):
                break
        if applied:
            vector = {Shard(row["topic"], row["partition"]): row["next_offset"] for row in positions}
            await applying.announce(connection, settings, vector, applied, (), invalidations)
    return len(applied), len(waiting) - len(applied)


async def _redrive_all(
    connection: Connection, rows: Sequence[Row], months: Partitions, invalidations: Invalidations
) -> list[Record] | None:
    """Applies parked events together; None, and nothing has changed, where one of them cannot be."""
    entries = [
        entry_of(Shard(row["topic"], row["partition"]), row["offset"], row["stream"].encode(), row["value"])
        for row in rows
    ]
    records = [entry.record for entry in entries if entry.record is not None]
    if len(records) < len(entries):
        return None
    await months.ensure(records)
    try:
        async with connection.transaction():
            await applying.store(connection, records, invalidations)
            unparked = [(READ_MODELS, *entry.shard, entry.offset) for entry in entries]
            await connection.executemany(queries("projectors")["unpark"], unparked)
    except applying.DATA_ERRORS:
        return None
    return records


async def _redrive_each(
    connection: Connection, rows: Sequence[Row], months: Partitions, invalidations: Invalidations
) -> AsyncIterator[Record]:
    """Applies parked events one by one, up to the first that still fails."""
    for row in rows:
        record = await _redrive_one(connection, row, months, invalidations)
        if record is None:
            return
        yield record


async def _redrive_one(
    connection: Connection, row: Row, months: Partitions, invalidations: Invalidations
) -> Record | None:
    """Applies one parked event, or notes why it still fails and returns None."""
    sql = queries("projectors")
    shard = Shard(row["topic"], row["partition"])
    entry = entry_of(shard, row["offset"], row["stream"].encode(), row["value"])
    if entry.record is None:
        failure: Exception = entry.error or DecodeError("unreadable")
    else:
        await months.ensure([entry.record])
        try:
            async with connection.transaction():
                await applying.store(connection, [entry.record], invalidations)
                await connection.execute(sql["unpark"], READ_MODELS, *shard, row["offset"])
            return entry.record
        except applying.DATA_ERRORS as error:
            failure = error
    await park(connection, READ_MODELS, entry, failure, set())
    return None


async def pass_over(connection: Connection, position: Position, reason: str, operator: str) -> list[Row]:
    """Skips a parked event for good: read models that are rebuilt do so too. Then redrive its stream.

    Returns the rows of ``parked`` that it had, by consumer; none when it is not parked, and nothing has changed.
    """
    sql = queries("projectors")
    async with connection.transaction():
        await connection.fetch(sql["lock_positions"], READ_MODELS, [position.topic], [position.partition])
        rows = await connection.fetch(sql["parked_at"], *position)
        for row in rows:
            await connection.execute(
                sql["skip"], row["consumer"], *position, row["stream"], row["type"], row["error"], reason, operator
            )
            await connection.execute(sql["unpark"], row["consumer"], *position)
    return rows
