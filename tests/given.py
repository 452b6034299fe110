"""``given(events).then(rows)``: events appended to the real log by a valid writer, then the rows compared."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import NamedTuple
from zlib import crc32

from events.core.clock import now, uuid7
from events.core.derived_ids import DEFAULT_APP
from events.core.positions import Position, Shard
from events.core.records import Entity, Event, Key
from events.registry import REGISTRY
from infra.base import kafka, postgres, rows
from infra.base.progress import Progress
from infra.base.settings import Settings
from producers.engine.log import LogProducer, ShardLog
from projectors.read_models.projector import ReadModels
from tests.running import PATIENCE, running

#: What is given has to be in the log however busy the machine is: no test here is of a late acknowledgement.
_ACK_SECONDS = 30.0


class Fact(NamedTuple):
    """An event with what its envelope says."""

    stream: str
    event: Event
    actor: str = "system"
    command: str = ""
    #: Now, unless it is given.
    time: str = ""
    app: str = DEFAULT_APP


class Given:
    """A writer of the installation's event topics, and a reader of its rows."""

    def __init__(self, settings: Settings, connection: postgres.Connection) -> None:
        self.settings = settings
        self.connection = connection
        self.ends: dict[Shard, int] = {}
        self._producer = LogProducer(settings)
        self._logs: dict[Shard, ShardLog] = {}

    def shard(self, topic: str, stream: str) -> Shard:
        return Shard(topic, crc32(stream.encode()) % self.settings.partitions)

    async def log(self, shard: Shard) -> ShardLog:
        """The open writer of a shard."""
        if shard not in self._logs:
            log = ShardLog(self._producer, self.settings.topic(shard.topic), shard.partition, "given", _ACK_SECONDS)
            await log.open()
            self._logs[shard] = log
        return self._logs[shard]

    def value(self, fact: Fact) -> bytes:
        id = uuid7()
        return REGISTRY.encode(
            fact.event, id=id, source=f"klatsch/{self.settings.prefix}", stream=fact.stream, time=fact.time or now(),
            actor=fact.actor, command=fact.command or id, app=fact.app,
        )  # fmt: skip

    async def events(self, *facts: Fact) -> list[Position]:
        """Appends them, facts of one shard that follow each other as one batch; returns where they stand."""
        groups: list[tuple[Shard, list[tuple[bytes, bytes]]]] = []
        for fact in facts:
            shard = self.shard(REGISTRY.of(fact.event).topics[0], fact.stream)
            if not groups or groups[-1][0] != shard or len(groups[-1][1]) >= 500:
                groups.append((shard, []))
            groups[-1][1].append((fact.stream.encode(), self.value(fact)))
        found: list[Position] = []
        for shard, records in groups:
            found += await self.raw(shard, *records)
        return found

    async def raw(self, shard: Shard, *records: tuple[bytes, bytes]) -> list[Position]:
        """Appends ``(key, value)`` as they are, in one batch."""
        log = await self.log(shard)
        base = await log.append(records)
        self.ends[shard] = log.next_offset
        return [Position(*shard, base + i) for i in range(len(records))]

    async def level(self) -> None:
        """Until the read models include all that was appended; somebody else runs them."""
        progress = Progress(self.settings)
        await progress.start()
        try:
            await progress.reach(self.ends, PATIENCE)
        finally:
            await progress.stop()

    async def then(self, expected: Mapping[Key, Entity | None]) -> None:
        """Runs the read models until they are level, and compares the rows named by the keys."""
        async with running(ReadModels(self.settings)):
            await self.level()
        assert await rows.load(self.connection, list(expected)) == expected

    async def stop(self) -> None:
        await self._producer.stop()


@asynccontextmanager
async def given(settings: Settings, *facts: Fact) -> AsyncIterator[Given]:
    """A writer that has appended ``facts``."""
    await kafka.ensure_topics(settings)
    connection = await postgres.connect(settings)
    writer = Given(settings, connection)
    try:
        await writer.events(*facts)
        yield writer
    finally:
        await writer.stop()
        await connection.close()
