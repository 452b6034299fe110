"""Writes notes to ``klatsch.signals``. Notes are not kept: what Kafka does not take soon is lost, and said again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress

from aiokafka import AIOKafkaProducer

from infra.base import away, kafka
from infra.base.settings import Settings
from push import metrics
from push.presence import gossip
from push.presence.gossip import GossipMessage

_log = logging.getLogger("klatsch.push")

#: Lists of notes that wait for Kafka. When there are more, some are lost.
_WAITING = 64
_RETRY_SECONDS = 0.5
#: Seconds for a note to be taken by Kafka, and for the last one at the end.
_SEND_SECONDS = 5.0


class NoteWriter:
    """What one process writes, in the order in which it is put."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._topic = settings.topic("signals")
        self._partitions = 1
        self._waiting: asyncio.Queue[Sequence[GossipMessage]] = asyncio.Queue(_WAITING)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._write())

    async def stop(self, last: Sequence[GossipMessage] = ()) -> None:
        """Write what waits and then ``last``, within some seconds, and end."""
        if self._task is None:
            return
        with suppress(TimeoutError, asyncio.QueueFull):
            self._waiting.put_nowait(last)
            await asyncio.wait_for(self._waiting.join(), _SEND_SECONDS)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def put(self, messages: Sequence[GossipMessage]) -> None:
        """To be written soon. They are lost while too many wait."""
        try:
            self._waiting.put_nowait(messages)
        except asyncio.QueueFull:
            metrics.NOTES.labels("lost").inc(len(messages))

    async def _write(self) -> None:
        producer: AIOKafkaProducer | None = None
        try:
            while True:
                waiting = await self._waiting.get()
                try:
                    producer = producer or await self._producer()
                    for message in waiting:
                        await self._send(producer, message)
                except away.KAFKA as error:
                    _log.warning("a note of presence is lost: %r", error)
                    metrics.NOTES.labels("lost").inc()
                    stale, producer = producer, None
                    await kafka.close(stale)
                    await asyncio.sleep(_RETRY_SECONDS)
                finally:
                    self._waiting.task_done()
        finally:
            await kafka.close(producer)

    async def _send(self, producer: AIOKafkaProducer, message: GossipMessage) -> None:
        async with asyncio.timeout(_SEND_SECONDS):
            partition = gossip.partition_of(message.node, self._partitions)
            key = message.node.encode()
            await producer.send_and_wait(self._topic, gossip.encode(message), key=key, partition=partition)
        metrics.NOTES.labels("written").inc()

    async def _producer(self) -> AIOKafkaProducer:
        # A lost note is asked for again: waiting for replicas would buy nothing.
        producer = kafka.producer(self._settings, enable_idempotence=False, acks=1)
        await kafka.start(producer)
        try:
            async with asyncio.timeout(_SEND_SECONDS):
                self._partitions = len(await producer.partitions_for(self._topic))
        except BaseException:
            await kafka.close(producer)
            raise
        return producer
