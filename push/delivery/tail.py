"""Reads the end of every partition of the feed, or of the signals, for all connections of a process.

Older records of the feed are read by catchup.py.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition

from events.core.errors import KlatschError
from infra.base import away, kafka
from infra.base.aiokafka_private import network
from infra.base.handover import Handover, HandoverReader
from infra.base.incarnation import Incarnation, incarnation
from infra.base.settings import Settings
from push import metrics
from push.protocol.items import FeedRow

_log = logging.getLogger("klatsch.push")
#: Seconds between looks at whether the topic is still the same one and the reader still moves.
_WATCH_SECONDS = 5.0
#: Seconds between attempts while Kafka cannot be reached.
_RETRY_SECONDS = 0.5
#: Records before the end that tell how large records are, and seconds in which they come.
_PROBE, _PROBE_SECONDS = 16, 10.0


class Listener(Protocol):
    """What becomes of the records."""

    def next_offsets(self) -> dict[int, int]:
        """Where to go on, by partition; empty before the first ``reset``."""
        ...

    def reset(self, topic: Incarnation, starts: dict[int, int]) -> None:
        """Reading starts again at ``starts``: the topic is another one, or records were missed."""
        ...

    async def take(self, batches: dict[int, Sequence[FeedRow]]) -> None:
        """Records in order, by partition."""
        ...


class _Restart(KlatschError):
    """This consumer is of no use any more; the text says why."""


#: What reading begins again after, at the place where it was.
_AGAIN: tuple[type[Exception], ...] = (_Restart, *away.KAFKA)


class TopicTail:
    """One consumer that is made again whenever it is stuck or its topic has changed."""

    def __init__(
        self,
        settings: Settings,
        listener: Listener,
        backlog: int,
        topic: str = "feed",
        handover: Handover | None = None,
        size: int | None = None,
    ) -> None:
        """``backlog``: records before the end at which a new reading starts, in each partition; ``size``: their bytes.

        ``handover``: where this process tells of what it appends.
        """
        self._handover = handover
        self._settings = settings
        self._topic = settings.topic(topic)
        self._listener = listener
        self._backlog = backlog
        self._size = size
        self._incarnation: Incarnation | None = None
        self._targets: dict[int, int] = {}
        #: Set once the end that was seen at the start has been read, until records are missed.
        self.reached = asyncio.Event()
        self._reading = False

    @property
    def ready(self) -> bool:
        """Whether the end is being read at present."""
        return self._reading and self.reached.is_set()

    async def run(self) -> None:
        """Read until cancelled."""
        while True:
            consumer = kafka.consumer(self._settings, fetch_max_wait_ms=500)
            reader = HandoverReader(consumer, self._handover)
            try:
                await kafka.start(consumer)
                await self._open(consumer, reader)
                await self._read(consumer, reader)
            except _AGAIN as error:
                _log.warning("reading the end of %s starts again: %s: %s", self._topic, type(error).__name__, error)
            except Exception:
                # Nobody knows what was delivered: start again, which makes all clients ask for what they miss.
                self._incarnation = None
                _log.exception("reading the end of %s failed", self._topic)
            finally:
                self._reading = False
                reader.close()
                await kafka.close(consumer)
            metrics.RESTARTS.inc()
            await asyncio.sleep(_RETRY_SECONDS)

    async def _open(self, consumer: AIOKafkaConsumer, reader: HandoverReader) -> None:
        """Assign all partitions at the places to go on from."""
        topic = await incarnation(network(consumer), self._topic)
        partitions = [TopicPartition(self._topic, number) for number in range(topic.partitions)]
        begins = await consumer.beginning_offsets(partitions)
        ends = await consumer.end_offsets(partitions)
        known = self._listener.next_offsets()
        if topic != self._incarnation or any(not begins[tp] <= known[tp.partition] <= ends[tp] for tp in partitions):
            backlogs = await self._backlogs(consumer, begins, ends)
            starts = {tp.partition: max(begins[tp], ends[tp] - backlogs[tp]) for tp in partitions}
            self.reached.clear()
            self._listener.reset(topic, starts)
            self._incarnation = topic
        self._targets = {tp.partition: ends[tp] for tp in partitions}
        reader.begin({TopicPartition(self._topic, n): offset for n, offset in self._listener.next_offsets().items()})

    async def _backlogs(
        self, consumer: AIOKafkaConsumer, begins: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]
    ) -> dict[TopicPartition, int]:
        """Records before the end of each partition that are worth reading, by the size of the last ones.

        A feed that was worked off in one go has records of a MiB: thousands of them would take minutes to read, to be
        thrown away.
        """
        found = dict.fromkeys(ends, self._backlog)
        asked = {tp for tp in ends if ends[tp] - begins[tp] > _PROBE}
        if self._size is None or not asked:
            return found
        consumer.assign(list(asked))
        for tp in asked:
            consumer.seek(tp, ends[tp] - _PROBE)
        try:
            async with asyncio.timeout(_PROBE_SECONDS):
                while asked:
                    for tp, records in (await consumer.getmany(*asked, timeout_ms=500)).items():
                        size = sum(len(record.value or b"") for record in records) // len(records)
                        found[tp] = min(self._backlog, max(_PROBE, self._size // max(1, size)))
                        asked.discard(tp)
        except TimeoutError:
            raise _Restart(f"expected the last records of partition {min(asked).partition}, got none") from None
        return found

    async def _read(self, consumer: AIOKafkaConsumer, reader: HandoverReader) -> None:
        watch = asyncio.create_task(self._watch(consumer))
        try:
            while not watch.done():
                if not self._reading:
                    self._note_reached()
                # Returns as soon as there is anything; the time-out only bounds how long a restart waits.
                found = await reader.getmany(500)
                if found:
                    await self._listener.take({tp.partition: records for tp, records in found.items()})
            watch.result()
        finally:
            watch.cancel()

    def _note_reached(self) -> None:
        have = self._listener.next_offsets()
        if all(have[number] >= offset for number, offset in self._targets.items()):
            self._reading = True
            self.reached.set()

    async def _watch(self, consumer: AIOKafkaConsumer) -> None:
        """Raises _Restart when the topic is another one, or records wait that the consumer does not bring.

        Kafka consumers have been seen to stand still without an error after a broker's restart.
        """
        #: Partitions that had more at the last look, by where they stood.
        behind: dict[int, int] = {}
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            topic = await incarnation(network(consumer), self._topic)
            if topic != self._incarnation:
                raise _Restart(f"expected topic incarnation {self._incarnation}, got {topic}")
            have = self._listener.next_offsets()
            ends = await consumer.end_offsets([TopicPartition(self._topic, number) for number in have])
            for tp, end in ends.items():
                if have[tp.partition] == behind.get(tp.partition):
                    raise _Restart(f"partition {tp.partition} stands at {have[tp.partition]}, its end is {end}")
            behind = {tp.partition: have[tp.partition] for tp, end in ends.items() if end > have[tp.partition]}
