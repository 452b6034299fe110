"""Events that cannot be applied, and those behind them: put aside in order. ``redrive.py`` applies them after a fix.

A parked event parks its stream, and only that: later events of the stream wait behind it, all others go on. The feed
of a parked stream goes on too, as it is a function of the log and not of the rows.
"""

from __future__ import annotations

import logging

from events.core.positions import Shard
from infra.base.postgres import Connection, queries
from projectors.core import metrics
from projectors.core.source import Entry

log = logging.getLogger(__name__)

#: Error of an event that waits behind a parked one.
BEHIND = "behind a parked event of its stream"


def _text(value: object) -> str:
    """Text that Postgres takes: the bad event may be here because it is none."""
    return str(value).replace("\x00", "\ufffd").encode(errors="replace").decode()


async def park(connection: Connection, consumer: str, entry: Entry, error: Exception | None, streams: set[str]) -> None:
    """Puts the entry aside, and its stream among ``streams``. ``error`` None: it waits behind another."""
    streams.add(entry.stream)
    metrics.PARKED.labels(consumer).inc()
    metrics.PARKED_STREAMS.labels(consumer).set(len(streams))
    if error is not None:
        log.error("%s: parked %s/%d of stream %s: %s", consumer, entry.shard, entry.offset, entry.stream, error)
    reason = BEHIND if error is None else f"{type(error).__name__}: {error}"
    type_ = "" if entry.record is None else entry.record.type
    await connection.execute(
        queries("projectors")["park"], consumer, entry.shard.topic, entry.shard.partition, entry.offset,
        entry.stream, _text(type_), entry.value, _text(reason),
    )  # fmt: skip


async def parked_streams(connection: Connection, consumer: str) -> set[str]:
    """The streams that wait for a fix; sets the gauge."""
    rows = await connection.fetch(queries("projectors")["parked_streams"], consumer)
    metrics.PARKED_STREAMS.labels(consumer).set(len(rows))
    return {row["stream"] for row in rows}


async def skipped_events(connection: Connection, consumer: str) -> set[tuple[Shard, int]]:
    """The events that operators have passed over: whoever folds from the log's beginning leaves them out."""
    rows = await connection.fetch(queries("projectors")["skipped_events"], consumer)
    return {(Shard(row["topic"], row["partition"]), row["offset"]) for row in rows}
