"""Records that this process has just appended, given to its own consumers before the broker brings them.

The log stays what is read: a record is handed over once it is acknowledged, and taken only where it goes on exactly
from the last one. Whatever is not taken, the broker brings.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

#: Batches that may wait for a consumer that is busy; with more, it gets them from the broker.
WAITING = 2_000
#: Seconds without a fetch after one that brought only what had been handed over: it goes on being so.
REST_SECONDS = 0.02


class Appended(NamedTuple):
    """A record as a consumer gets it; the attributes of aiokafka's ConsumerRecord that ours look at."""

    offset: int
    key: bytes
    value: bytes
    headers: Sequence[tuple[str, bytes]]
    #: Unix milliseconds.
    timestamp: int


class Handover:
    """The consumers of one process; one object a process."""

    def __init__(self) -> None:
        self._readers: set[HandoverReader] = set()

    def appended(
        self,
        topic: str,
        partition: int,
        base: int,
        records: Iterable[tuple[bytes, bytes]],
        headers: Sequence[tuple[str, bytes]],
    ) -> None:
        """Tells of ``(key, value)`` records that stand in a partition from the offset ``base`` on."""
        if not self._readers:
            return
        tp, now = TopicPartition(topic, partition), int(time.time() * 1000)
        batch = [Appended(base + n, key, value, headers, now) for n, (key, value) in enumerate(records)]
        # A moment later: who waits for the acknowledgement itself goes first.
        asyncio.get_running_loop().call_soon(self._offer, tp, batch)

    def _offer(self, tp: TopicPartition, batch: list[Appended]) -> None:
        for reader in self._readers:
            reader.offer(tp, batch)

    def join(self, reader: HandoverReader) -> None:
        """From now on the reader is told."""
        self._readers.add(reader)

    def leave(self, reader: HandoverReader) -> None:
        self._readers.discard(reader)


class HandoverReader:
    """A consumer whose records come from the broker or from this process, whichever is first; each once, in order."""

    def __init__(self, consumer: AIOKafkaConsumer, handover: Handover | None) -> None:
        """``consumer`` is started, and nobody else assigns it anything. None: only the broker brings records."""
        self._consumer = consumer
        self._handover = handover
        #: The offset that comes next, by partition.
        self._next: dict[TopicPartition, int] = {}
        self._offered: deque[tuple[TopicPartition, list[Appended]]] = deque()
        self._fetch: asyncio.Task[Mapping[TopicPartition, list[Any]]] | None = None
        self._resting: asyncio.TimerHandle | None = None
        self._woken = asyncio.Event()
        if handover is not None:
            handover.join(self)

    def begin(self, places: Mapping[TopicPartition, int]) -> None:
        """Reads these partitions, and no others, from these offsets on."""
        self._drop()
        self._offered.clear()
        self._next = dict(places)
        self._consumer.assign(list(places))
        # assign() forgets all positions, so every partition is sought.
        for tp, offset in places.items():
            self._consumer.seek(tp, offset)

    def close(self) -> None:
        """Takes nothing more. The consumer is the caller's to stop."""
        if self._handover is not None:
            self._handover.leave(self)
        self._drop()

    def offer(self, tp: TopicPartition, batch: list[Appended]) -> None:
        """Takes what was appended, if it is of a partition that is read here."""
        if tp not in self._next:
            return
        if len(self._offered) >= WAITING:
            self._offered.clear()
            return
        self._offered.append((tp, batch))
        self._woken.set()

    async def getmany(self, timeout_ms: int) -> dict[TopicPartition, list[Any]]:
        """What there is, by partition; after ``timeout_ms`` without any, nothing. Raises what the consumer raises."""
        if self._handover is None:
            return self._new(await self._consumer.getmany(timeout_ms=timeout_ms))
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                while True:
                    self._woken.clear()
                    if found := self._taken() or self._fetched():
                        return found
                    if self._fetch is None and self._resting is None:
                        self._ask(timeout_ms)
                    await self._woken.wait()
        except TimeoutError:
            return {}

    def _ask(self, timeout_ms: int) -> None:
        self._resting = None
        self._fetch = asyncio.create_task(self._consumer.getmany(timeout_ms=timeout_ms))
        self._fetch.add_done_callback(lambda _: self._woken.set())

    def _fetched(self) -> dict[TopicPartition, list[Any]]:
        """What the broker has brought, and is not known yet."""
        task = self._fetch
        if task is None or not task.done():
            return {}
        self._fetch = None
        records = task.result()
        found = self._new(records)
        if records and not found:
            self._resting = asyncio.get_running_loop().call_later(REST_SECONDS, self._rested)
        return found

    def _rested(self) -> None:
        self._resting = None
        self._woken.set()

    def _taken(self) -> dict[TopicPartition, list[Any]]:
        """What this process has appended, as far as it goes on from what is known."""
        found: dict[TopicPartition, list[Any]] = {}
        while self._offered:
            tp, batch = self._offered.popleft()
            if batch[0].offset == self._next[tp]:
                self._next[tp] = batch[-1].offset + 1
                found.setdefault(tp, []).extend(batch)
            elif batch[0].offset > self._next[tp] and self._resting is not None:
                # There is something before it that only the broker has.
                self._resting.cancel()
                self._resting = None
        return found

    def _new(self, records: Mapping[TopicPartition, list[Any]]) -> dict[TopicPartition, list[Any]]:
        found = {}
        for tp, batch in records.items():
            known = self._next.get(tp, 0)
            fresh = batch if not batch or batch[0].offset >= known else [r for r in batch if r.offset >= known]
            if fresh:
                self._next[tp] = fresh[-1].offset + 1
                found[tp] = fresh
        return found

    def _drop(self) -> None:
        task, self._fetch = self._fetch, None
        if task is not None:
            task.cancel()
        if self._resting is not None:
            self._resting.cancel()
            self._resting = None
