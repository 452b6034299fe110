"""Reading event shards: valid records in order, decoded, in bounded batches. Knows nothing of what becomes of them."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

import msgspec
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from events.core.errors import KlatschError
from events.core.log import TermFilter
from events.core.positions import Shard
from events.core.records import DecodeError, Record, UnknownType
from events.registry import REGISTRY
from infra.base import kafka
from infra.base.handover import Handover, HandoverReader
from infra.base.postgres import Row
from infra.base.settings import Settings
from projectors.core import metrics

#: Events in one batch: what one turn holds in memory and one Postgres transaction applies.
BATCH = 2000
#: Milliseconds that an idle ``take`` waits; how long a stop may have to wait for it.
IDLE_MS = 200
#: Milliseconds that ``top_up`` waits: a fetch of what is there takes one or two.
TOP_UP_MS = 5
#: Bytes that one fetch brings of a shard; a single larger record batch still comes whole.
FETCH_BYTES = 256 * 1024
#: Milliseconds that a broker holds a fetch for which there is nothing. Other places are rarely sought.
FETCH_WAIT_MS = 500
#: Seconds between two looks at the lag for the metrics: nobody asks more often, and it is some work for each shard.
TELL_SECONDS = 0.5
#: Seconds without a record until the log's end is asked for, and until lag without records counts as stuck.
QUIET_SECONDS = 5.0
STUCK_SECONDS = 20.0


class LogMismatch(KlatschError):
    """The log does not have the offset that was stored: another cluster, a topic made again, or deleted records."""


class ConsumerStuck(KlatschError):
    """The log goes on, but the consumer brings nothing. A fresh one helps."""


class ResumeAt(NamedTuple):
    """Where to go on in a shard: the next offset, and the term that holds there (None: adopt the first one met)."""

    offset: int = 0
    term: int | None = None


def places_of(rows: Iterable[Row]) -> dict[Shard, ResumeAt]:
    """Where each shard is, from rows of ``positions`` or ``usage_positions``."""
    return {Shard(row["topic"], row["partition"]): ResumeAt(row["next_offset"], row["term"]) for row in rows}


class Entry(msgspec.Struct, frozen=True, gc=False):
    """A valid record of a shard. ``record`` is None when it cannot be read, and ``error`` says why."""

    shard: Shard
    offset: int
    #: The Kafka key as text that Postgres takes.
    stream: str
    value: bytes
    record: Record | None
    error: DecodeError | None

    @property
    def unknown(self) -> bool:
        """Whether only this code's age stands in the way: a type that it does not know."""
        return isinstance(self.error, UnknownType)


class Batch(NamedTuple):
    """Entries, in order within each shard, and the place after them of each shard that has moved."""

    entries: list[Entry]
    places: dict[Shard, ResumeAt]


def entry_of(shard: Shard, offset: int, key: bytes | None, value: bytes | None) -> Entry:
    """A raw record, decoded; an undecodable one is a value too, not an exception."""
    record: Record | None = None
    failure: DecodeError | None = None
    try:
        record = REGISTRY.decode(value or b"", shard.topic, shard.partition, offset)
    except DecodeError as error:
        failure = error
    return Entry(shard, offset, _stream(key), value or b"", record, failure)


@lru_cache(maxsize=10_000)
def _stream(key: bytes | None) -> str:
    return (key or b"").decode(errors="replace").replace("\x00", "\ufffd")


class Source:
    """One consumer with manual assignment over the shards that a projector works on."""

    def __init__(self, settings: Settings, projector: str, handover: Handover | None = None) -> None:
        """``handover``: where this process tells of what it appends."""
        self.settings = settings
        self.projector = projector
        self._handover = handover
        self._consumer: AIOKafkaConsumer | None = None
        self._reader: HandoverReader | None = None
        self._shards: dict[TopicPartition, Shard] = {}
        self._filters: dict[TopicPartition, TermFilter] = {}
        self._places: dict[Shard, ResumeAt] = {}
        self._waiting: deque[tuple[TopicPartition, list[ConsumerRecord]]] = deque()
        self._heard = time.monotonic()
        self._asked = 0.0
        self._told: set[Shard] = set()
        self._tell_at = 0.0

    async def start(self, places: Mapping[Shard, ResumeAt]) -> None:
        """Go on from ``places``, whose shards are the whole assignment; again, from other places, at any time."""
        if self._consumer is None:
            consumer = kafka.consumer(
                self.settings, max_partition_fetch_bytes=FETCH_BYTES, fetch_max_wait_ms=FETCH_WAIT_MS
            )
            await kafka.start(consumer)
            self._consumer = consumer
        if self._reader is None:
            self._reader = HandoverReader(self._consumer, self._handover)
        self._shards = {TopicPartition(self.settings.topic(s.topic), s.partition): s for s in places}
        self._filters = {tp: TermFilter(places[shard].term) for tp, shard in self._shards.items()}
        self._places = dict(places)
        self._waiting.clear()
        self._heard = self._asked = time.monotonic()
        self._reader.begin({tp: places[shard].offset for tp, shard in self._shards.items()})

    async def stop(self) -> None:
        self._forget_lag()
        consumer, self._consumer = self._consumer, None
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()
        if consumer is not None:
            await kafka.close(consumer)

    def _forget_lag(self) -> None:
        """Takes the gauges back: from here on another instance may tell of these shards."""
        while self._told:
            shard = self._told.pop()
            metrics.LAG.remove(self.projector, str(shard.topic), str(shard.partition))

    async def take(self, limit: int = BATCH) -> Batch:
        """What there is, at most ``limit`` records; after IDLE_MS without any, an empty batch.

        Raises LogMismatch when the log does not have the place asked for, ConsumerStuck.
        """
        return await self._take(Batch([], {}), limit, IDLE_MS)

    async def top_up(self, batch: Batch, limit: int = BATCH) -> Batch:
        """``batch`` with what has come since, to at most ``limit`` entries. Raises as ``take`` does.

        After a rest ``take`` gives what came at its beginning: nothing more is fetched before that is taken.
        """
        return await self._take(batch, limit - len(batch.entries), TOP_UP_MS)

    async def _take(self, batch: Batch, limit: int, wait_ms: int) -> Batch:
        if limit > 0 and not self._waiting:
            self._waiting.extend((await self._fetch(wait_ms)).items())
        while self._waiting and limit > 0:
            tp, records = self._waiting.popleft()
            if len(records) > limit:
                # What is left goes first next time; nothing is fetched before it has been taken.
                self._waiting.appendleft((tp, records[limit:]))
                records = records[:limit]
            limit -= len(records)
            self._read(tp, records, batch)
        self._places.update(batch.places)
        return batch

    def lag(self) -> dict[Shard, int]:
        """Records between the places of the last batch and the shards' ends, as far as these are known."""
        if self._consumer is None:
            return {}
        ends = {shard: self._consumer.highwater(tp) for tp, shard in self._shards.items()}
        return {shard: max(0, end - self._places[shard].offset) for shard, end in ends.items() if end is not None}

    def _read(self, tp: TopicPartition, records: list[ConsumerRecord], batch: Batch) -> None:
        shard, admitted = self._shards[tp], self._filters[tp]
        for raw in records:
            if admitted.admits(raw.offset, raw.headers) and not admitted.opened(raw.offset):
                batch.entries.append(entry_of(shard, raw.offset, raw.key, raw.value))
        batch.places[shard] = ResumeAt(records[-1].offset + 1, admitted.term)

    async def _fetch(self, wait_ms: int) -> dict[TopicPartition, list[ConsumerRecord]]:
        consumer, reader = self._consumer, self._reader
        assert consumer is not None and reader is not None, "expected a started source; call start() first"
        try:
            # Without max_records: with it, one long shard would be drained before the others have their turn.
            found: dict[TopicPartition, list[ConsumerRecord]] = await reader.getmany(wait_ms)
        except OffsetOutOfRangeError as error:
            raise await self._mismatch(consumer) from error
        now = time.monotonic()
        if now >= self._tell_at:
            self._tell_at = now + TELL_SECONDS
            for shard, lag in self.lag().items():
                metrics.LAG.labels(self.projector, shard.topic, shard.partition).set(lag)
                self._told.add(shard)
        if found:
            self._heard = now
        else:
            await self._watch(consumer)
        return found

    async def _watch(self, consumer: AIOKafkaConsumer) -> None:
        """Asks, when it has been quiet, whether the log is quiet too: a consumer may hang without any error."""
        now = time.monotonic()
        if now - self._heard < QUIET_SECONDS or now - self._asked < QUIET_SECONDS:
            return
        self._asked = now
        ends = await consumer.end_offsets(list(self._shards))
        behind = [str(self._shards[tp]) for tp, end in ends.items() if self._places[self._shards[tp]].offset < end]
        if not behind:
            self._heard = now
        elif now - self._heard > STUCK_SECONDS:
            raise ConsumerStuck(f"expected records of {', '.join(behind)}, got none for {now - self._heard:.0f} s")

    async def _mismatch(self, consumer: AIOKafkaConsumer) -> LogMismatch:
        tps = list(self._shards)
        begin, end = await consumer.beginning_offsets(tps), await consumer.end_offsets(tps)
        places = {tp: self._places[shard].offset for tp, shard in self._shards.items()}
        wrong = [
            f"{tp.topic}/{tp.partition}: expected offset {offset}, got a log of {begin[tp]} to {end[tp]}"
            for tp, offset in places.items()
            if not begin[tp] <= offset <= end[tp]
        ]
        return LogMismatch(
            f"{self.projector}: {'; '.join(wrong)}. The read models and the log are not of one installation: check "
            "KLATSCH_KAFKA and KLATSCH_POSTGRES, restore the log, or rebuild the read models from this one"
        )
