"""The end of the log as the console's watchers see it: read once for all of them, and only while there are some."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import NamedTuple

import msgspec
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from events.core.log import TermFilter
from events.core.positions import Position, Shard, ordered
from infra.base import away, kafka, request_ids
from infra.base.settings import Settings

log = logging.getLogger(__name__)

#: Records before the end from which the term is learnt, and of which the last are shown at once: as ``klatsch events``.
LOOK_BACK = 512
#: Events that are kept for a new watcher, and that may wait for one watcher.
KEPT, QUEUE = 50, 300
#: Milliseconds that the broker may hold an answer back while there is nothing new.
_WAIT_MS = 250
_BACKOFF_SECONDS = 1.0


class TailEvent(NamedTuple):
    """A valid event at the end of the log."""

    position: Position
    type: str
    stream: str
    actor: str
    time: str
    #: As it stands in the log; None when it is not JSON of an event.
    value: bytes | None

    def line(self) -> bytes:
        """As JSON: ``{"position", "event"}``; ``event`` is null when it cannot be read."""
        return b'{"position":"%s","event":%s}' % (str(self.position).encode(), self.value or b"null")


class _EventHead(msgspec.Struct):
    type: str
    subject: str
    actor: str
    time: str


_decoder = msgspec.json.Decoder(_EventHead)


class TailFilter(NamedTuple):
    """What somebody wants to see: ``type`` may have a star (``message.*``); what is empty stands for all."""

    type: str = ""
    stream: str = ""
    actor: str = ""

    def wants(self, seen: TailEvent) -> bool:
        return (
            (not self.type or fnmatchcase(seen.type, self.type))
            and (not self.stream or seen.stream == self.stream)
            and (not self.actor or seen.actor == self.actor)
        )


class Watcher:
    """One who watches, with a bounded queue: what does not fit pushes out the oldest, which counts as dropped."""

    def __init__(self, wanted: TailFilter) -> None:
        self.wanted = wanted
        self.dropped = 0
        self.news = asyncio.Event()
        self._waiting: deque[TailEvent] = deque()

    def offer(self, seen: TailEvent) -> None:
        if not self.wanted.wants(seen):
            return
        if len(self._waiting) >= QUEUE:
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append(seen)
        self.news.set()

    def take(self) -> list[TailEvent]:
        """What waits, in order."""
        found = list(self._waiting)
        self._waiting.clear()
        self.news.clear()
        return found


class TailFollower:
    """Reads the ends of all shards by the readers' rule while somebody watches."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._watchers: set[Watcher] = set()
        self._kept: deque[TailEvent] = deque(maxlen=KEPT)
        self._task: asyncio.Task[None] | None = None
        self._shards = {
            TopicPartition(settings.topic(topic), number): Shard(topic, number)
            for topic in kafka.EVENT_TOPICS
            for number in range(settings.partitions)
        }
        self.dropped = 0

    @property
    def watchers(self) -> int:
        return len(self._watchers)

    @contextmanager
    def watch(self, wanted: TailFilter) -> Iterator[Watcher]:
        """A watcher for the length of the block; it begins with the last events that are known."""
        watcher = Watcher(wanted)
        for seen in self._kept:
            watcher.offer(seen)
        self._watchers.add(watcher)
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="console tail", context=request_ids.apart())
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)
            self.dropped += watcher.dropped
            if not self._watchers:
                self._end()

    async def stop(self) -> None:
        if (task := self._end()) is not None:
            await asyncio.gather(task, return_exceptions=True)

    def _end(self) -> asyncio.Task[None] | None:
        task, self._task = self._task, None
        self._kept.clear()
        if task is not None:
            task.cancel()
        return task

    async def _run(self) -> None:
        places: dict[TopicPartition, int] = {}
        while True:
            try:
                await self._follow(places)
            except away.KAFKA as error:
                log.warning("the console's tail starts again: %r", error)
                await asyncio.sleep(_BACKOFF_SECONDS)

    async def _follow(self, places: dict[TopicPartition, int]) -> None:
        """``places``: next offsets of an earlier attempt, from which it goes on."""
        consumer = kafka.consumer(self._settings, fetch_max_wait_ms=_WAIT_MS)
        try:
            await kafka.start(consumer)
            consumer.assign(list(self._shards))
            begins = await consumer.beginning_offsets(list(self._shards))
            ends = await consumer.end_offsets(list(self._shards))
            for tp, end in ends.items():
                consumer.seek(tp, max(begins[tp], min(end, places.get(tp, end)) - LOOK_BACK))
            await self._read(consumer, places, {tp: end for tp, end in ends.items() if end > begins[tp]})
        finally:
            await kafka.close(consumer)

    async def _read(
        self, consumer: AIOKafkaConsumer, places: dict[TopicPartition, int], ends: dict[TopicPartition, int]
    ) -> None:
        """What is below ``ends`` was there already: the last of it are told when all shards have come so far."""
        filters = {tp: TermFilter() for tp in self._shards}
        behind = set(ends)
        before: list[TailEvent] = []
        while True:
            for tp, records in (await consumer.getmany(timeout_ms=2 * _WAIT_MS)).items():
                for raw in records:
                    valid = filters[tp].admits(raw.offset, raw.headers) and not filters[tp].opened(raw.offset)
                    if valid and raw.offset >= places.get(tp, 0):
                        seen = _seen(self._shards[tp], raw)
                        if raw.offset < ends.get(tp, 0):
                            before.append(seen)
                        else:
                            self._tell(seen)
                if records:
                    places[tp] = records[-1].offset + 1
                    if places[tp] >= ends.get(tp, 0):
                        behind.discard(tp)
            if before and not behind:
                for seen in ordered(before, lambda seen: seen.position.shard, lambda seen: seen.time)[-KEPT:]:
                    self._tell(seen)
                before.clear()

    def _tell(self, seen: TailEvent) -> None:
        self._kept.append(seen)
        for watcher in self._watchers:
            watcher.offer(seen)


def _seen(shard: Shard, raw: ConsumerRecord) -> TailEvent:
    position = Position(*shard, raw.offset)
    try:
        head = _decoder.decode(raw.value or b"")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return TailEvent(position, "", (raw.key or b"").decode(errors="replace"), "", "", None)
    return TailEvent(position, head.type, head.subject, head.actor, head.time, raw.value)
