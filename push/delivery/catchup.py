"""Reads older parts of the feed from Kafka, for subscriptions whose place is no longer in the ring.

A pass reads one partition from one place towards its end, for all who wait for that partition, so that a thousand
clients that come back after an hour cost one reading and not a thousand.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from events.core.feed import ROOM_MARK, end_cursor
from infra.base import kafka
from infra.base.settings import Settings
from push import metrics
from push.delivery.subscriptions import Subscription
from push.protocol.items import FeedDelta, FeedReader, FeedRow

_log = logging.getLogger("klatsch.push")
#: Bytes that one fetch brings: bounds what is in memory for each pass.
_FETCH_BYTES = 256 * 1024
_RETRY_SECONDS = 0.5
#: Records before the first one needed at which a pass starts, so that it knows the writer's term and what was repeated.
#: A writer that has been replaced gets in one void record before it finds out; each may be a MiB, so not many.
_WARM_UP = 8


class _Pass:
    """One reading of a partition: the next offset, and for whom."""

    def __init__(self, partition: int, readers: list[Subscription]) -> None:
        self.partition = partition
        self.readers = readers
        self.next = max(0, min(reader.needs for reader in readers) - _WARM_UP)
        self.feed = FeedReader()


class CatchUps:
    """A few workers, each with a consumer, that run passes."""

    def __init__(
        self,
        settings: Settings,
        *,
        covered: Callable[[Subscription], bool],
        resume: Callable[[Subscription], None],
        lost: Callable[[Subscription], None],
        shown: Callable[[Sequence[FeedDelta]], Awaitable[Sequence[FeedDelta]]],
        workers: int = 4,
    ) -> None:
        """``covered``: whether the ring has the rest. ``resume``: the subscription is through, or takes no more now.
        ``lost``: its place is not in Kafka any more. ``shown``: the items without what has been deleted since."""
        self._settings = settings
        self._topic = settings.topic("feed")
        self._covered = covered
        self._resume = resume
        self._lost = lost
        self._shown = shown
        self._workers = workers
        self._waiting: dict[int, list[Subscription]] = {}
        self._running: dict[int, _Pass] = {}
        #: Partitions for which somebody waits.
        self._queue: asyncio.Queue[int] = asyncio.Queue()
        #: Consumers that no pass uses, the latest used last.
        self._idle: list[AIOKafkaConsumer] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin working, with one consumer ready. Raises KafkaError."""
        self._idle.append(await self._consumer())
        self._tasks = [asyncio.create_task(self._work()) for _ in range(self._workers)]

    async def stop(self) -> None:
        """End all passes."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(kafka.close(consumer) for consumer in self._idle))

    def add(self, reader: Subscription) -> None:
        """Deliver what is above the subscription's cursor, then call ``resume``."""
        if reader.reading:
            return
        reader.reading = True
        running = self._running.get(reader.partition)
        if running is not None and running.next <= reader.needs:
            running.readers.append(reader)
            return
        self._waiting.setdefault(reader.partition, []).append(reader)
        self._queue.put_nowait(reader.partition)

    async def _work(self) -> None:
        while True:
            partition = await self._queue.get()
            if partition in self._running or partition not in self._waiting:
                continue
            run = self._running[partition] = _Pass(partition, self._waiting.pop(partition))
            consumer: AIOKafkaConsumer | None = None
            try:
                consumer = self._idle.pop() if self._idle else await self._consumer()
                await self._run(consumer, run)
                self._idle.append(consumer)
                consumer = None
            except Exception:
                _log.warning("reading older deltas of %s/%d starts again", self._topic, partition, exc_info=True)
                await asyncio.sleep(_RETRY_SECONDS)
            finally:
                del self._running[partition]
                self._again(run.readers)
                if partition in self._waiting:
                    self._queue.put_nowait(partition)
                await kafka.close(consumer)

    async def _consumer(self) -> AIOKafkaConsumer:
        consumer = kafka.consumer(self._settings, fetch_max_wait_ms=5, max_partition_fetch_bytes=_FETCH_BYTES)
        try:
            await kafka.start(consumer)
            # The first question about a topic waits 0.1 s for metadata: better now than in a pass.
            await consumer.beginning_offsets([TopicPartition(self._topic, 0)])
        except BaseException:
            await kafka.close(consumer)
            raise
        return consumer

    def _again(self, readers: Sequence[Subscription]) -> None:
        for reader in readers:
            reader.reading = False
            if not reader.closed:
                self.add(reader)

    async def _run(self, consumer: AIOKafkaConsumer, run: _Pass) -> None:
        tp = TopicPartition(self._topic, run.partition)
        try:
            await self._drop_lost(consumer, tp, run)
            if run.readers:
                consumer.assign([tp])
                consumer.seek(tp, run.next)
            while run.readers:
                found = await consumer.getmany(tp, timeout_ms=500)
                await self._deliver(run, found.get(tp, ()))
        except OffsetOutOfRangeError:
            await self._drop_lost(consumer, tp, run)
        finally:
            # Without an assignment nothing is fetched, so the next pass does not wait for a long poll to end.
            consumer.unsubscribe()

    async def _drop_lost(self, consumer: AIOKafkaConsumer, tp: TopicPartition, run: _Pass) -> None:
        """Let go of those who need deleted records; the pass begins no earlier than the log."""
        begin = (await consumer.beginning_offsets([tp]))[tp]
        run.next = max(run.next, begin)
        for reader in [reader for reader in run.readers if reader.needs < begin]:
            run.readers.remove(reader)
            reader.reading = False
            self._lost(reader)

    async def _deliver(self, run: _Pass, records: Sequence[FeedRow]) -> None:
        """Hand one fetch to the readers, and let go of those who are through, full or gone."""
        wanted: dict[str, list[tuple[Subscription, list[FeedDelta]]]] = {}
        found = [(reader, list[FeedDelta]()) for reader in run.readers]
        for reader, items in found:
            wanted.setdefault(reader.user_state.user, []).append((reader, items))
        for record in records:
            for recipients, item in run.feed.read(record):
                for name in recipients:
                    if name.startswith(ROOM_MARK):
                        room = name.removeprefix(ROOM_MARK)
                        hearing = [pair for pair in found if pair[0].user_state.was_in(room, item.at)]
                    else:
                        hearing = wanted.get(name, [])
                    for reader, items in hearing:
                        if item.cursor > reader.cursor:
                            items.append(item)
        if records:
            # Before anything is awaited: who comes meanwhile and needs these records is for another pass.
            run.next = records[-1].offset + 1
        each = {item.cursor: item for _, items in found for item in items}
        shown = {item.cursor: item for item in await self._shown(list(each.values()))} if each else {}
        delivered = 0
        for reader, items in found:
            if not reader.closed:
                delivered += len(items)
                if self._hand(run, reader, [shown[item.cursor] for item in items]):
                    continue
            run.readers.remove(reader)
            reader.reading = False
            if not reader.closed:
                self._resume(reader)
        metrics.DELIVERIES.inc(delivered)

    def _hand(self, run: _Pass, reader: Subscription, items: list[FeedDelta]) -> bool:
        """Deliver to one reader. Returns whether it stays with this pass."""
        reader.cursor = max(reader.cursor, end_cursor(run.next))
        if items:
            reader.give(items)
        return not (reader.closed or reader.sink.room() <= 0 or self._covered(reader))
