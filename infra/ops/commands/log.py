"""Reading the event topics as an operator wants them: raw records from any place, each told valid or void."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from events.core.log import OPENED_HEADER, TERM_HEADER, TermFilter
from events.core.positions import Position, Shard
from infra.base import kafka
from infra.base.settings import Settings
from infra.ops.commands.errors import CannotDo

#: Records before a start in mid-partition from which the term is learnt. A replaced owner steps down at the first batch
#: that it gets in late, so whatever it wrote before that stands further back than what a usual batch has.
LOOK_BACK = 512
#: Milliseconds that one look for more may take.
_POLL_MS = 200
#: Seconds without a record until reading up to an end that is known is given up.
_READ_SECONDS = 10.0


class RawRecord(NamedTuple):
    """A record as it stands in the log."""

    shard: Shard
    offset: int
    #: Unix milliseconds at which it was appended.
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    #: By the readers' rule: nobody was ever told that a void record had happened.
    valid: bool

    @property
    def position(self) -> Position:
        return Position(*self.shard, self.offset)

    @property
    def opens(self) -> bool:
        """Whether it is a ``log.opened``, with which a term begins."""
        return any(name == OPENED_HEADER for name, _ in self.headers)

    @property
    def term(self) -> int | None:
        """The term in which it was written; None where it says none."""
        if self.opens:
            return self.offset
        texts = [value for name, value in self.headers if name == TERM_HEADER]
        return int(texts[-1]) if texts and texts[-1].isdigit() else None


class LogReader:
    """One consumer over any shards of the event topics."""

    def __init__(self, settings: Settings, consumer: AIOKafkaConsumer) -> None:
        self.settings = settings
        self._consumer = consumer

    def _tp(self, shard: Shard) -> TopicPartition:
        return TopicPartition(self.settings.topic(shard.topic), shard.partition)

    async def bounds(self, shards: Collection[Shard]) -> tuple[dict[Shard, int], dict[Shard, int]]:
        """The first offset that there is, and the next one that there will be, of each shard."""
        tps = {self._tp(shard): shard for shard in shards}
        begins = await self._consumer.beginning_offsets(list(tps))
        ends = await self._consumer.end_offsets(list(tps))
        return {tps[tp]: at for tp, at in begins.items()}, {tps[tp]: at for tp, at in ends.items()}

    async def appended_since(self, shards: Collection[Shard], moment: int) -> dict[Shard, int]:
        """The offset of each shard's first record appended at ``moment`` (Unix ms) or later; none where there is none.

        What happened since then was appended since then: only imported history is appended later than it happened.
        """
        tps = {self._tp(shard): shard for shard in shards}
        found = await self._consumer.offsets_for_times(dict.fromkeys(tps, moment))
        return {tps[tp]: place.offset for tp, place in found.items() if place is not None}

    async def read(
        self, starts: Mapping[Shard, int], ends: Mapping[Shard, int] | None = None
    ) -> AsyncIterator[list[RawRecord]]:
        """The records from ``starts`` on, in order within each shard, in lists as they come.

        Ends before ``ends``; without these never, with an empty list whenever there is nothing new. Raises CannotDo.
        """
        waiting = {shard: at for shard, at in starts.items() if ends is None or at < ends[shard]}
        if not waiting:
            return
        filters = await self._seek(waiting)
        quiet = 0
        while waiting:
            try:
                found = await self._consumer.getmany(timeout_ms=_POLL_MS)
            except OffsetOutOfRangeError as error:
                raise CannotDo(f"expected the log to have {error}; it was cut short or replaced meanwhile") from error
            quiet = 0 if any(found.values()) else quiet + 1
            if ends is not None and quiet * _POLL_MS > _READ_SECONDS * 1000:
                raise CannotDo(f"expected records of {', '.join(map(str, waiting))}, got none for {_READ_SECONDS} s")
            batch: list[RawRecord] = []
            for tp, records in found.items():
                shard, admitted = filters[tp]
                for raw in records:
                    valid = admitted.admits(raw.offset, raw.headers)
                    if raw.offset >= starts[shard] and (ends is None or raw.offset < ends[shard]):
                        headers = tuple(raw.headers)
                        batch.append(RawRecord(shard, raw.offset, raw.timestamp, raw.key, raw.value, headers, valid))
                if ends is not None and records and records[-1].offset + 1 >= ends[shard] and shard in waiting:
                    del waiting[shard]
                    self._consumer.pause(tp)
            yield batch

    async def _seek(self, starts: Mapping[Shard, int]) -> dict[TopicPartition, tuple[Shard, TermFilter]]:
        tps = {self._tp(shard): shard for shard in starts}
        self._consumer.assign(list(tps))
        begins = await self._consumer.beginning_offsets(list(tps))
        for tp, shard in tps.items():
            self._consumer.seek(tp, max(begins[tp], starts[shard] - LOOK_BACK))
        return {tp: (shard, TermFilter()) for tp, shard in tps.items()}

    async def one(self, position: Position) -> RawRecord:
        """The record at a position. Raises CannotDo where there is none."""
        shard = position.shard
        check_shard(self.settings, shard)
        begins, ends = await self.bounds([shard])
        if not begins[shard] <= position.offset < ends[shard]:
            raise CannotDo(
                f"expected a position of {shard} from {begins[shard]} to {ends[shard] - 1}, got {position}"
                if begins[shard] < ends[shard]
                else f"expected a position, got {position}: {shard} is empty"
            )
        async for batch in self.read({shard: position.offset}, {shard: position.offset + 1}):
            for raw in batch:
                return raw
        raise CannotDo(f"expected a record at {position}, got none; it was deleted")


def check_shard(settings: Settings, shard: Shard) -> None:
    """Raises CannotDo for a shard that the installation does not have."""
    if shard.topic not in kafka.EVENT_TOPICS:
        raise CannotDo(f"expected a topic of {', '.join(kafka.EVENT_TOPICS)}, got {shard.topic!r}")
    if shard.partition >= settings.partitions:
        raise CannotDo(f"expected a partition of {shard.topic} from 0 to {settings.partitions - 1}, got {shard}")


@asynccontextmanager
async def reading(settings: Settings) -> AsyncIterator[LogReader]:
    """A reader of the log. Raises KafkaError (aiokafka) when no broker answers."""
    consumer = kafka.consumer(settings)
    try:
        await kafka.start(consumer)
        yield LogReader(settings, consumer)
    finally:
        await kafka.close(consumer)
