"""``klatsch events import``: the log of an export into an empty installation, every record at its position.

Offsets are versions of entities and terms of owners, so a log that is moved must keep them: the same partitions, filled
in order from offset 0, with the void records and the ``log.opened`` between the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from aiokafka import AIOKafkaProducer
from rich.console import Console

from events.core.log import OPENED_KEY
from events.core.positions import Shard
from infra.base import installation, kafka
from infra.base.postgres import connected, queries
from infra.base.settings import Settings
from infra.ops.commands import formats
from infra.ops.commands.bars import Bar
from infra.ops.commands.errors import CannotDo
from infra.ops.commands.log import RawRecord, check_shard
from producers.engine.router import partition_of

#: Bytes and records of one batch.
_BATCH_BYTES, _BATCH_RECORDS = 500_000, 2000
#: Seconds until a batch must be acknowledged.
_ACK_SECONDS = 60.0


async def import_(settings: Settings, file: Path, *, console: Console | None = None) -> int:
    """Writes the log of the file, and returns how many records it has.

    Raises CannotDo before anything is written: for a file that is no whole log, or one of other partitions, and for an
    installation that is not empty; and when somebody else writes meanwhile.
    """
    console = console or Console(soft_wrap=True)
    ends = await asyncio.to_thread(_check, settings, file)
    await installation.prepare(settings)
    await _check_empty(settings)
    total = sum(ends.values())
    producer = kafka.producer(settings, max_batch_size=2**31 - 1)
    await kafka.start(producer)
    try:
        with Bar(console, "imported", total, "records") as bar:
            for batch in _batches(formats.read(file)):
                await _append(settings, producer, batch)
                bar.advance(len(batch))
    finally:
        await kafka.close(producer)
    console.print(
        f"{total:,} records are at their old offsets. Start the roles: the read models are folded from them.",
        highlight=False,
    )
    return total


def _check(settings: Settings, file: Path) -> dict[Shard, int]:
    """The next offset of each shard after the file. Raises CannotDo."""
    ends: dict[Shard, int] = {}
    for raw in formats.read(file):
        try:
            check_shard(settings, raw.shard)
        except CannotDo as error:
            raise CannotDo(f"{error}; an installation of another number of partitions has written {file}") from error
        expected = ends.get(raw.shard, 0)
        if raw.offset != expected:
            raise CannotDo(
                f"expected the whole log, with {raw.shard}/{expected} next, got {raw.position}: {file} is a slice; "
                "export it without filters"
            )
        if raw.key is not None and raw.key != OPENED_KEY and not raw.opens:
            _check_place(settings, raw)
        ends[raw.shard] = expected + 1
    if not ends:
        raise CannotDo(f"expected records of an export, got none in {file}")
    return ends


def _check_place(settings: Settings, raw: RawRecord) -> None:
    stream = (raw.key or b"").decode(errors="replace")
    place = partition_of(stream, settings.partitions)
    if place != raw.shard.partition:
        raise CannotDo(
            f"expected stream {stream} in partition {raw.shard.partition}, where the file has it; with the "
            f"{settings.partitions} partitions of this installation it belongs in {place}: set KLATSCH_PARTITIONS to "
            "the number that the file's installation has, on a new data folder or prefix"
        )


async def _check_empty(settings: Settings) -> None:
    for topic in kafka.EVENT_TOPICS:
        ends = await kafka.end_offsets(settings, settings.topic(topic), settings.partitions)
        for partition, end in ends.items():
            if end:
                raise CannotDo(
                    f"expected an empty installation, got {end:,} records in {settings.topic(topic)}/{partition}; a "
                    "role api has run, or an import was interrupted: start on a new data folder, or on another "
                    "KLATSCH_PREFIX and KLATSCH_SCHEMA after 'klatsch install'"
                )
    async with connected(settings) as connection:
        if await connection.fetchval(queries("operate")["holds_events"]):
            raise CannotDo(
                f"expected empty read models, got some in schema {settings.schema}; name another KLATSCH_SCHEMA"
            )


def _batches(records: Iterator[RawRecord]) -> Iterator[list[RawRecord]]:
    """Records of one shard that follow each other and have the same headers' term, in bounded batches."""
    for _, group in groupby(records, key=lambda raw: raw.shard):
        batch: list[RawRecord] = []
        size = 0
        for raw in group:
            weight = len(raw.value or b"") + len(raw.key or b"") + 200
            if batch and (size + weight > _BATCH_BYTES or len(batch) == _BATCH_RECORDS):
                yield batch
                batch, size = [], 0
            batch.append(raw)
            size += weight
        yield batch


async def _append(settings: Settings, producer: AIOKafkaProducer, batch: list[RawRecord]) -> None:
    builder = producer.create_batch()
    for raw in batch:
        builder.append(timestamp=raw.timestamp, key=raw.key, value=raw.value, headers=list(raw.headers))
    shard = batch[0].shard
    sent = await producer.send_batch(builder, settings.topic(shard.topic), partition=shard.partition)
    async with asyncio.timeout(_ACK_SECONDS):
        base = (await sent).offset
    if base != batch[0].offset:
        raise CannotDo(
            f"expected {batch[0].position} to be written at its offset, got {base}: somebody else writes to "
            f"{settings.topic(shard.topic)}; stop the roles, and begin again in a new installation"
        )
