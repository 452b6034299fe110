"""One shard's events from a place up to an offset, and a count of what readers pass over."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from events.log import TERM_HEADER, TermFilter
from events.positions import Shard
from infra import kafka
from infra.settings import Settings
from projectors.source import Batch, LogMismatch, Place, entry_of

#: Bytes that one fetch brings; a single larger record batch still comes whole.
FETCH_BYTES = kafka.MAX_BATCH_BYTES
#: Seconds without a record until reading is given up.
READ_SECONDS = 20.0


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


class Reader:
    """A consumer that reads one shard at a time."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.tally = Tally()
        self._consumer: AIOKafkaConsumer | None = None
        self._at: tuple[Shard, int] | None = None

    async def start(self) -> None:
        self._consumer = kafka.consumer(self.settings, max_partition_fetch_bytes=FETCH_BYTES)
        await self._consumer.start()

    async def stop(self) -> None:
        await kafka.close(self._consumer)

    async def ends(self, shards: list[Shard]) -> dict[Shard, int]:
        """The next offset of each shard. Raises KafkaError."""
        assert self._consumer is not None
        tps = {self._tp(shard): shard for shard in shards}
        return {tps[tp]: end for tp, end in (await self._consumer.end_offsets(list(tps))).items()}

    async def read(self, shard: Shard, place: Place, upto: int) -> AsyncIterator[Batch]:
        """The events from ``place`` to the offset ``upto``, not included. Raises LogMismatch."""
        consumer, tp = self._consumer, self._tp(shard)
        assert consumer is not None, "expected a started reader; call start() first"
        if self._at != (shard, place.offset):
            consumer.assign([tp])
            consumer.seek(tp, place.offset)
        self._at = None
        admitted = TermFilter(place.term)
        while place.offset < upto:
            try:
                records = (await consumer.getmany(tp, timeout_ms=int(READ_SECONDS * 1000))).get(tp, [])
            except OffsetOutOfRangeError as error:
                raise LogMismatch(
                    f"{shard}: expected offset {place.offset} in the log, found none; {_WHOLE}"
                ) from error
            if not records:
                raise LogMismatch(
                    f"{shard}: expected records {place.offset} to {upto}, got none for {READ_SECONDS:.0f} s; {_WHOLE}"
                )
            ahead = records[-1].offset >= upto
            if ahead:
                records = [raw for raw in records if raw.offset < upto]
            place = Place(upto if ahead else records[-1].offset + 1, admitted.term)
            batch = Batch(self._valid(shard, admitted, records), {})
            place = Place(place.offset, admitted.term)
            batch.places[shard] = place
            yield batch
            if not ahead:
                self._at = (shard, place.offset)

    def _valid(self, shard: Shard, admitted: TermFilter, records: list[Any]) -> list[Any]:
        found, tally = [], self.tally
        for raw in records:
            headers = raw.headers
            if not admitted.admits(raw.offset, headers):
                tally.void_record(shard, headers)
            # The term is the offset of the record that opened it.
            elif admitted.term == raw.offset:
                tally.opened += 1
            else:
                entry = entry_of(shard, raw.offset, raw.key, raw.value)
                found.append(entry)
                if entry.record is None:
                    self._unread(entry)
        tally.events += len(found)
        return found

    def _unread(self, entry: Any) -> None:
        tally = self.tally
        tally.events -= 1
        if entry.unknown:
            type_ = str(entry.error).rpartition("type ")[2]
            tally.unknown[type_] = tally.unknown.get(type_, 0) + 1
            return
        tally.unreadable_count += 1
        if len(tally.unreadable) < UNREADABLE:
            tally.unreadable.append(str(entry.error))

    def _tp(self, shard: Shard) -> TopicPartition:
        return TopicPartition(self.settings.topic(shard.topic), shard.partition)


_WHOLE = "the log has to be whole from its first record on: check KLATSCH_KAFKA, or restore it"
