"""One shard's events from a place up to an offset, and a count of what readers pass over."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import msgspec
from aiokafka.errors import KafkaError
from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka import KafkaError as Code

from events.core.log import TERM_HEADER, TermFilter
from events.core.positions import Shard
from infra.base import kafka
from infra.base.kafka_access import librdkafka_options
from infra.base.settings import Settings
from projectors.core.source import Batch, Entry, LogMismatch, ResumeAt, entry_of

log = logging.getLogger(__name__)

T = TypeVar("T")

#: Bytes that one fetch brings; a single larger record batch still comes whole.
FETCH_BYTES = kafka.MAX_BATCH_BYTES
#: KiB that are fetched ahead.
_AHEAD_KIB = 16 * 1024
#: Records that are asked for at once, and those of one batch: few enough to be folded while they are in the
#: processor's cache.
TAKE, BATCH = 2000, 500
#: Seconds without a record until reading is given up.
READ_SECONDS = 20.0
#: Seconds until the broker must have said where a shard ends.
_ENDS_SECONDS = 10.0
#: Seconds that one question waits in its thread: how long a stop may have to wait for it.
_WAIT_SECONDS = 0.2


class Tally(msgspec.Struct, kw_only=True):
    """What the log held: counts of records."""

    #: Valid events that this code can read.
    events: int = 0
    opened: int = 0
    #: What an old owner got in after another had opened, by shard and term: ``{"rooms/3": {"1234": 2}}``.
    void: dict[str, dict[str, int]] = {}
    #: Types that this code does not know, with how many there are.
    unknown: dict[str, int] = {}
    #: Events that cannot be read: positions, at most UNREADABLE of them, and why.
    unreadable: list[str] = []
    unreadable_count: int = 0

    def add(self, other: Tally) -> None:
        """Adds what another reader has counted."""
        self.events += other.events
        self.opened += other.opened
        for shard, terms in other.void.items():
            for term, count in terms.items():
                self._void(shard, term, count)
        for type_, count in other.unknown.items():
            self.unknown[type_] = self.unknown.get(type_, 0) + count
        self.unreadable = (self.unreadable + other.unreadable)[:UNREADABLE]
        self.unreadable_count += other.unreadable_count

    def _void(self, shard: str, term: str, count: int) -> None:
        terms = self.void.setdefault(shard, {})
        terms[term] = terms.get(term, 0) + count

    def void_record(self, shard: Shard, headers: Any) -> None:
        """Counts a void record."""
        term = next((value.decode(errors="replace") for name, value in headers if name == TERM_HEADER), "none")
        self._void(str(shard), term, 1)


#: Positions of unreadable events that are kept.
UNREADABLE = 100


class ShardReader:
    """A consumer that reads one shard at a time.

    librdkafka, not aiokafka as everywhere else: 1.7 against 4 microseconds of CPU a record.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.tally = Tally()
        self._consumer: Consumer | None = None
        # One: a consumer must not be closed while a question that nobody waits for any more is under way.
        self._thread = ThreadPoolExecutor(1, "reader")
        self._at: tuple[Shard, int] | None = None

    async def start(self) -> None:
        """Connects when it is asked for something."""
        self._consumer = Consumer({
            **librdkafka_options(self.settings),
            # It has to be there; without subscriptions and commits nobody ever joins it.
            "group.id": f"{self.settings.prefix}-rebuild",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            # A place that the log does not have is an error, never another place.
            "auto.offset.reset": "error",
            "check.crcs": True,
            "fetch.wait.max.ms": 50,
            "max.partition.fetch.bytes": FETCH_BYTES,
            "queued.max.messages.kbytes": _AHEAD_KIB,
            # Until there is room again; with its default of a second the fold waits for records.
            "fetch.queue.backoff.ms": 5,
            "logger": log,
        })  # fmt: skip

    async def stop(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await self._run(consumer.close)
            self._thread.shutdown(wait=False)

    async def ends(self, shards: list[Shard]) -> dict[Shard, int]:
        """The next offset of each shard. Raises KafkaError (aiokafka)."""
        consumer = self._started()

        def ask() -> dict[Shard, int]:
            return {shard: consumer.get_watermark_offsets(self._tp(shard), _ENDS_SECONDS)[1] for shard in shards}

        try:
            return await self._run(ask)
        except KafkaException as error:
            raise KafkaError(str(error.args[0])) from error

    async def read(
        self, shard: Shard, place: ResumeAt, upto: int, skipped: Collection[int] = ()
    ) -> AsyncIterator[Batch]:  # fmt: skip
        """The events from ``place`` to the offset ``upto``, not included, without those that an operator has skipped.

        Raises LogMismatch, KafkaError (aiokafka).
        """
        consumer = self._started()
        if self._at != (shard, place.offset):
            consumer.assign([self._tp(shard, place.offset)])
        self._at = None
        admitted = TermFilter(place.term)
        while place.offset < upto:
            records = await self._take(consumer, shard, place.offset, upto)
            ahead = records[-1].offset() >= upto
            if ahead:
                records = [raw for raw in records if raw.offset() < upto]
            for start in range(0, len(records), BATCH):
                part = records[start : start + BATCH]
                entries = self._valid(shard, admitted, part, skipped)
                place = ResumeAt(part[-1].offset() + 1, admitted.term)
                yield Batch(entries, {shard: place})
            if ahead:
                yield Batch([], {shard: ResumeAt(upto, admitted.term)})
                return
        self._at = (shard, place.offset)

    async def _take(self, consumer: Consumer, shard: Shard, begin: int, upto: int) -> list[Any]:
        """The next records, at least one. Raises LogMismatch, KafkaError (aiokafka)."""
        deadline = time.monotonic() + READ_SECONDS
        # Offsets have no holes: not more is waited for than what is missing.
        count = min(TAKE, upto - begin)
        records: list[Any] = []
        while not (records := await self._run(consumer.consume, count, _WAIT_SECONDS)):
            if time.monotonic() > deadline:
                raise LogMismatch(
                    f"{shard}: expected records {begin} to {upto}, got none for {READ_SECONDS:.0f} s; {_WHOLE}"
                )
        # An error comes in the place of a record. Where offsets are as they have to be, only the last can be one.
        last: Any = records[-1]
        whole = last.offset() - begin == len(records) - 1
        errors = (found for raw in (records[-1:] if whole else records) if (found := raw.error()) is not None)
        if (error := next(errors, None)) is None:
            return records
        if error.code() in (Code._AUTO_OFFSET_RESET, Code.OFFSET_OUT_OF_RANGE):
            raise LogMismatch(f"{shard}: expected offset {begin} in the log, found none; {_WHOLE}")
        raise KafkaError(f"{shard}: {error}")

    def _valid(
        self, shard: Shard, admitted: TermFilter, records: Sequence[Any], skipped: Collection[int]
    ) -> list[Entry]:  # fmt: skip
        found, tally = [], self.tally
        for raw in records:
            headers, offset = raw.headers() or (), raw.offset()
            if not admitted.admits(offset, headers):
                tally.void_record(shard, headers)
            elif admitted.opened(offset):
                tally.opened += 1
            elif offset not in skipped:
                entry = entry_of(shard, offset, raw.key(), raw.value())
                found.append(entry)
                if entry.record is None:
                    self._unread(entry)
        tally.events += len(found)
        return found

    def _unread(self, entry: Entry) -> None:
        tally = self.tally
        tally.events -= 1
        if entry.unknown:
            type_ = str(entry.error).rpartition("type ")[2]
            tally.unknown[type_] = tally.unknown.get(type_, 0) + 1
            return
        tally.unreadable_count += 1
        if len(tally.unreadable) < UNREADABLE:
            tally.unreadable.append(str(entry.error))

    async def _run(self, work: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)

    def _started(self) -> Consumer:
        assert self._consumer is not None, "expected a started reader; call start() first"
        return self._consumer

    def _tp(self, shard: Shard, offset: int = 0) -> TopicPartition:
        return TopicPartition(self.settings.topic(shard.topic), shard.partition, offset)


_WHOLE = "the log has to be whole from its first record on: check KLATSCH_KAFKA, or restore it"
