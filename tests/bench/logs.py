"""Writes a story into the log of an installation, as its producers would."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from events.core.clock import from_datetime
from events.core.positions import Shard
from events.registry import REGISTRY
from infra.base.settings import Settings
from producers.engine.log import LogProducer, ShardLog
from producers.engine.router import partition_of
from tests.bench.story import Happening

#: Records of one append: with texts of the usual length half of what a batch may hold.
_BATCH = 500


async def write(settings: Settings, happenings: Iterable[Happening]) -> dict[Shard, int]:
    """Appends to the installation's topics; returns the next offset of each shard that was written to.

    A process that owns the shards finds that somebody else has written, and opens them again.
    """
    producer, writers = LogProducer(settings), dict[Shard, ShardLog]()
    waiting: dict[Shard, list[tuple[bytes, bytes]]] = {}
    try:
        for happening in happenings:
            shard = Shard(happening.topic, partition_of(happening.stream, settings.partitions))
            if shard not in writers:
                writers[shard] = ShardLog(producer, settings.topic(shard.topic), shard.partition, "bench:0")
                await writers[shard].open()
            records = waiting.setdefault(shard, [])
            records.append((happening.stream.encode(), _encoded(settings, happening)))
            if len(records) == _BATCH:
                await writers[shard].append(records)
                records.clear()
        for shard, records in waiting.items():
            if records:
                await writers[shard].append(records)
    finally:
        await producer.stop()
    return {shard: writer.next_offset for shard, writer in writers.items()}


def _encoded(settings: Settings, happening: Happening) -> bytes:
    moment = from_datetime(datetime.fromtimestamp(happening.at / 1000, UTC))
    return REGISTRY.encode(
        happening.event, id=f"{happening.id}.0", source=f"klatsch/{settings.prefix}", stream=happening.stream,
        time=moment, actor=happening.actor, command=happening.id,
    )  # fmt: skip
