"""One shard's owner as a test runs it, with a log that can be made to fail in the ways that a broker does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import msgspec

from events.core.clock import now, uuid7
from events.core.log import LogOpened, TermFilter
from events.core.positions import Shard
from events.core.records import Record
from events.messages import MessagePosted
from events.registry import REGISTRY
from infra.base import kafka, postgres
from infra.base.erased_apps import ErasedApps
from infra.base.progress import READ_MODELS, Progress
from infra.base.settings import Settings
from producers.commands import Command, CommandEnvelope, Outcome
from producers.engine.log import ACK_SECONDS, LogProducer, ShardLog, read_tail
from producers.engine.recent import Recent
from producers.engine.shard import ShardOwner
from producers.messages import PostMessage
from producers.rooms import CreateRoom
from projectors.core.source import ResumeAt, Source
from projectors.read_models import applying
from projectors.read_models.invalidations import Invalidations
from tests.running import until

SHARD = Shard("rooms", 0)
ROOM = "room"

#: What stands in for an append: gets the real one and its records.
Instead = Callable[[Callable[..., Awaitable[int]], Sequence[tuple[bytes, bytes]]], Awaitable[int]]


class Log(ShardLog):
    """The real writer, counted; ``instead`` takes the place of the next appends until it is None again."""

    appends = 0
    opens = 0
    instead: Instead | None = None

    async def open(self) -> int:
        self.opens += 1
        return await super().open()

    async def append(self, records: Sequence[tuple[bytes, bytes]], timestamp_ms: int | None = None) -> int:
        self.appends += 1
        if self.instead is not None:
            return await self.instead(super().append, records)
        return await super().append(records, timestamp_ms)


class Running:
    """An owner that runs, with its parts."""

    def __init__(self, owner: ShardOwner, log: Log, progress: Progress) -> None:
        self.owner = owner
        self.log = log
        self.progress = progress

    async def do(self, command: Command, key: str | None = None, actor: str = "ada") -> Outcome:
        envelope = CommandEnvelope(command=command, id=uuid7(), actor=actor, key=key, time=now())
        return await self.owner.submit(envelope)

    async def room(self, room: str = ROOM, *members: str) -> None:
        """A group of ada and the others."""
        people = ["ada", *members]
        await self.do(CreateRoom(room=room, type="public", name="Room", data={}, members=people))

    async def say(self, token: str, text: str = "hello", actor: str = "ada", room: str = ROOM) -> MessagePosted:
        """What was posted under the token."""
        outcome = await self.do(PostMessage(room=room, token=token, content={"text": text}), token, actor)
        (record,) = outcome.records
        assert isinstance(record.data, MessagePosted)
        return record.data

    async def projected(self) -> None:
        """Until the read models, which somebody else runs, have all that this owner has appended."""
        await self.progress.reach({SHARD: self.log.next_offset}, 20)


@asynccontextmanager
async def owning(settings: Settings, address: str = "test:1", *, through: str = "") -> AsyncIterator[Running]:
    """An owner of SHARD with a producer, a pool and a view of the read models of its own.

    ``through`` replaces the broker's address, for producing only; it waits for an acknowledgement for a second then.
    """
    producer = LogProducer(msgspec.structs.replace(settings, kafka=through or settings.kafka))
    progress = Progress(settings)
    pool = await postgres.pool(settings, size=4)
    log = Log(producer, settings.topic(SHARD.topic), SHARD.partition, address, 1.0 if through else ACK_SECONDS)
    erased = ErasedApps(pool.fetch, progress)
    owner = ShardOwner(settings, SHARD, log, pool, progress, asyncio.Semaphore(), Recent(), erased)
    progress.on_advance(lambda vector: owner.projected(vector.get(SHARD, 0)))
    await progress.start()
    owner.start()
    try:
        yield Running(owner, log, progress)
    finally:
        await owner.stop()
        await progress.stop()
        await producer.stop()
        await pool.close()


async def valid(settings: Settings) -> list[Record]:
    """What every reader believes of SHARD, without ``log.opened``."""
    topic, rule, found = settings.topic(SHARD.topic), TermFilter(), list[Record]()
    end = (await kafka.end_offsets(settings, topic, settings.partitions))[SHARD.partition]
    async for raw in read_tail(settings, topic, SHARD.partition, 0, end - 1):
        for message in raw:
            if rule.admits(message.offset, message.headers):
                found.append(REGISTRY.decode(message.value, *SHARD, message.offset))
    return [record for record in found if not isinstance(record.data, LogOpened)]


async def posted(settings: Settings, room: str = ROOM) -> dict[str, int]:
    """Token -> seq of a room's messages as the log has them. Fails when one stands there twice or a seq is missing."""
    messages = [r.data for r in await valid(settings) if isinstance(r.data, MessagePosted) and r.stream == room]
    found = {message.token: message.seq for message in messages}
    assert len(found) == len(messages), f"a token stands in the log twice: {[m.token for m in messages]}"
    assert list(found.values()) == list(range(1, len(found) + 1))
    return found


async def project(settings: Settings, events: int) -> None:
    """Applies so many more events of SHARD to the read models, and no more: as a projector that dies right then."""
    connection, source = await postgres.connect(settings), Source(settings, "test")
    try:
        sql = postgres.queries("projectors")["init_positions"]
        await connection.execute(sql, READ_MODELS, [SHARD.topic], [SHARD.partition])
        [row] = await connection.fetch(postgres.queries("shard")["position"], READ_MODELS, *SHARD)
        place = ResumeAt(row["next_offset"], row["term"])
        await source.start({SHARD: place})
        while events:
            batch = await source.take(1)
            if not batch.places:
                continue
            noted = Invalidations()
            async with connection.transaction():
                await applying.move(connection, {SHARD: place}, batch.places)
                applied = await applying.apply(connection, batch.entries, set(), noted)
                vector = {SHARD: batch.places[SHARD].offset}
                await applying.announce(connection, settings, vector, applied, (), noted)
            place = batch.places[SHARD]
            events -= len(batch.entries)
    finally:
        await source.stop()
        await connection.close()


async def settled(running: Running) -> None:
    """Until the shard is open."""

    async def is_open() -> bool:
        return running.owner.open

    await until(is_open, "the shard is open")
