"""The feed: for each event who receives it and what they may see, written to ``klatsch.feed`` by user."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from typing import ClassVar

import msgspec

from events.core.feed import Delta
from events.core.positions import Shard
from events.core.records import Record
from events.registry import REGISTRY
from infra.base import kafka, postgres
from infra.base.erased_apps import ErasedApps
from infra.base.handover import Handover
from infra.base.progress import Progress
from infra.base.settings import Settings
from projectors.audience import AUDIENCES, NOBODY, AddressedDelta
from projectors.audience.recipients import Recipients
from projectors.core import metrics, parking
from projectors.core.heads import Heads
from projectors.core.locks import Locks
from projectors.core.pace import Pace
from projectors.core.runner import CLAIM_SECONDS, SESSION, Projector, close
from projectors.core.source import Batch, Entry, ResumeAt, Source
from projectors.feed.fanout_context import FanoutContext, load
from projectors.feed.pairs import Pairs
from projectors.feed.partition_writer import (
    DELTA_BYTES,
    Checkpoint,
    FeedPartitionWriter,
    FeedWriter,
    flush_all,
    open_all,
    save,
)
from projectors.feed.rosters import Rosters
from projectors.read_models.applying import DATA_ERRORS
from projectors.read_models.projector import event_shards

#: Name of the feed in ``parked``.
FEED = "feed"
#: Events in one turn.
TURN = 1000
#: Seconds between small turns: each is a produce request, and a frame for clients, besides its events. At 2,000
#: messages/s a delta waits 2 ms longer for it; below 250/s none does.
PACE_SECONDS = 0.004
#: Seconds between checkpoints: what the next session has to read again at most.
CHECKPOINT_SECONDS = 0.5

_encode = msgspec.json.Encoder().encode


def feed_topics() -> tuple[str, ...]:
    """The event topics that hold an event with an audience."""
    heard = {topic for row in REGISTRY.events.values() if AUDIENCES[row.name] is not NOBODY for topic in row.topics}
    return tuple(topic for topic in kafka.EVENT_TOPICS if topic in heard)


def encode_delta(record: Record, addressed: AddressedDelta) -> bytes:
    """The delta as its recipients get it. Raises ValueError when it is larger than DELTA_BYTES."""
    delta = _encode(
        Delta(
            id=record.id, type=record.type, position=str(record.position), stream=record.stream, time=record.time,
            actor=record.actor, data=msgspec.Raw(_encode(addressed.data)), include=addressed.include,
        )
    )  # fmt: skip
    if len(delta) > DELTA_BYTES:
        raise ValueError(f"expected a delta of at most {DELTA_BYTES} bytes, got {len(delta)}")
    return delta


class FeedProjector(Projector):
    """Reads all shards and writes the feed partitions whose locks it gets; other instances write the rest or stand by.

    Exactly once: an event's place in the log is in its delta, so what was fed before a crash is read from the feed
    itself; the checkpoint only says from where. An event that cannot be told is put into ``parked`` and passed over:
    the rest of its stream is fed, as every client can tell by the sequence numbers what it lacks.
    """

    name: ClassVar[str] = FEED
    effects: ClassVar[str] = "tells people, by the feed"

    def __init__(
        self, settings: Settings, writer: Callable[[int], FeedWriter], handover: Handover | None = None
    ) -> None:
        """``writer`` makes the writer of a feed partition, not open; a new one for each time it is taken over.

        ``handover``: where this process tells of the events that it appends.
        """
        super().__init__(settings)
        self._handover = handover
        self._writer = writer
        self.shards = event_shards(settings, feed_topics())
        self._source: Source | None = None

    def lag(self) -> dict[Shard, int]:
        return {} if self._source is None else self._source.lag()

    async def session(self) -> None:
        async with AsyncExitStack() as stack:
            connection = await postgres.connect(self.settings, **SESSION)
            stack.push_async_callback(close, connection)
            source = self._source = Source(self.settings, self.name, self._handover)
            stack.push_async_callback(source.stop)
            progress = Progress(self.settings)
            await progress.start()
            stack.push_async_callback(progress.stop)
            erased = ErasedApps(connection.fetch, progress)
            heads = Heads(self.settings, self.shards)
            stack.push_async_callback(heads.stop)
            locks = Locks(connection, f"{self.settings.schema}/{self.name}", range(self.settings.feed_partitions))
            while not self.stopping:
                await locks.claim()
                if locks.held:
                    await FeedSession(self, connection, progress, source, locks, heads, erased).work()
                else:
                    self.working("standby")
                    await self.pause(CLAIM_SECONDS)

    def partition_writers(self, partitions: Iterable[int]) -> list[FeedPartitionWriter]:
        """These feed partitions, not yet taken over."""
        return [
            FeedPartitionWriter(self.settings, partition, self._writer(partition)) for partition in sorted(partitions)
        ]


class FeedSession:
    """The work on one set of feed partitions, from taking them over until there are more of them or a stop."""

    def __init__(
        self,
        projector: FeedProjector,
        connection: postgres.Connection,
        progress: Progress,
        source: Source,
        locks: Locks[int],
        heads: Heads,
        erased: ErasedApps,
    ) -> None:
        self._projector = projector
        self._connection = connection
        self._progress = progress
        self._source = source
        self._locks = locks
        self._heads = heads
        #: Nobody is told of what happened in them: a moment later at most.
        self._erased = erased
        #: By partition.
        self._partition_writers: dict[int, FeedPartitionWriter] = {}
        self._pace = Pace(PACE_SECONDS)
        self._places: dict[Shard, ResumeAt] = {}
        self._partitions = projector.settings.feed_partitions
        self._rosters = Rosters(self._partitions)
        self._pairs = Pairs()
        self._parked: set[str] = set()
        self._saved: list[Checkpoint] = []

    async def work(self) -> None:
        """Feed until the projector stops or gets more partitions. Raises when anything is unknown or broken."""
        shards = self._projector.shards
        self._partition_writers = {
            partition_writer.partition: partition_writer
            for partition_writer in self._projector.partition_writers(self._locks.held)
        }
        await open_all(self._partition_writers.values(), self._connection, shards)
        self._parked = await parking.parked_streams(self._connection, FEED)
        # The least of all: each partition writer passes over what it has.
        self._places = {
            s: min((o.places[s] for o in self._partition_writers.values()), key=lambda place: place.offset)
            for s in shards
        }
        await self._source.start(self._places)
        checkpoint_at = claim_at = time.monotonic()
        more = False
        while not (more or self._projector.stopping):
            self._projector.working()
            await self._projector.rest(self._pace)
            batch = await self._source.take(TURN)
            if batch.places:
                await self._turn(batch)
            if self._connection.is_closed():
                raise ConnectionError("the connection to Postgres is closed, and the locks with it")
            now = time.monotonic()
            if now >= checkpoint_at:
                await self._checkpoint()
                checkpoint_at = now + CHECKPOINT_SECONDS
            if not self._locks.complete and now >= claim_at:
                more = bool(await self._locks.claim())
                claim_at = now + CLAIM_SECONDS
        await self._checkpoint()

    async def _turn(self, batch: Batch) -> None:
        started = time.perf_counter()
        self._pace.turn(time.monotonic(), len(batch.entries))
        entries = [entry for entry in batch.entries if self._readable(entry)]
        await self._erased.read()
        wanted = [
            e
            for e in entries
            if (e.record is None or e.record.app not in self._erased.known)
            and any(partition_writer.wants(e.shard, e.offset) for partition_writer in self._partition_writers.values())
        ]
        context, failed = await self._load(wanted)
        due = {(entry.shard, entry.offset) for entry in wanted} - failed
        for entry in entries:
            assert entry.record is not None
            if (entry.shard, entry.offset) in due:
                await self._fan_out(entry, entry.record, context)
                context.told(entry.record)
            self._rosters.apply(entry.record)
        await flush_all(self._partition_writers.values())
        self._places.update(batch.places)
        self._rosters.trim()
        metrics.APPLY.labels(FEED).observe(time.perf_counter() - started)
        metrics.BATCH.labels(FEED).observe(len(batch.entries))
        metrics.EVENTS.labels(FEED).inc(len(batch.entries))

    def _readable(self, entry: Entry) -> bool:
        """What cannot be read is the read models' to park; nobody can be told of it."""
        if entry.record is None:
            metrics.SKIPPED.labels(FEED).inc()
        return entry.record is not None

    async def _load(self, entries: list[Entry]) -> tuple[FanoutContext, set[tuple[Shard, int]]]:
        """What the entries need, and those of whom nothing can be learnt, which are parked."""
        context, failed = FanoutContext(self._rosters, self._pairs), set[tuple[Shard, int]]()
        records = [entry.record for entry in entries if entry.record is not None]
        try:
            await load(self._connection, self._progress, context, records, self._heads)
        except DATA_ERRORS:
            # One of them holds what Postgres cannot take. Found one by one, as it is rare.
            for entry, record in zip(entries, records, strict=True):
                try:
                    await load(self._connection, self._progress, context, [record], self._heads)
                except DATA_ERRORS as error:
                    failed.add((entry.shard, entry.offset))
                    await self._park(entry, error)
        return context, failed

    async def _fan_out(self, entry: Entry, record: Record, context: FanoutContext) -> None:
        try:
            addressed_deltas = AUDIENCES[record.type].fan_out(record, context.of(record))
            deltas = [
                (addressed.recipients, encode_delta(record, addressed))
                for addressed in addressed_deltas
                if addressed.recipients
            ]
        # Pure: whatever is raised, this event makes it raise, every time.
        except Exception as error:
            await self._park(entry, error)
            return
        for recipients, delta in deltas:
            partitioned = recipients if isinstance(recipients, Recipients) else Recipients(recipients, self._partitions)
            for partition in partitioned.partitions:
                if partition_writer := self._partition_writers.get(partition):
                    partition_writer.add(entry.shard, entry.offset, partitioned, delta)

    async def _park(self, entry: Entry, error: Exception) -> None:
        await parking.park(self._connection, FEED, entry, error, self._parked)

    async def _checkpoint(self) -> None:
        rows = [
            row
            for partition_writer in self._partition_writers.values()
            if (row := partition_writer.checkpoint(self._places)) is not None
        ]
        if rows and rows != self._saved:
            await save(self._connection, rows)
            self._saved = rows
