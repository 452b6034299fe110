"""Where the feed begins and ends in Kafka."""

from __future__ import annotations

import asyncio
import time

from aiokafka import AIOKafkaConsumer, TopicPartition

from events.core.errors import KlatschError
from infra.base import away, kafka
from infra.base.settings import Settings


class FeedUnavailable(KlatschError):
    """The feed cannot be read at present: Kafka does not answer, or this node is still starting. Try again."""

    code = "unavailable"
    retry_after = 1.0


class Bounds:
    """The first and the next offset of each feed partition, asked from Kafka; many who ask at once share one answer."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._consumer: AIOKafkaConsumer | None = None
        self._lock = asyncio.Lock()
        self._asked = -1.0
        self._answer: tuple[dict[int, int], dict[int, int]] = ({}, {})

    async def get(self, topic: str, partitions: int) -> tuple[dict[int, int], dict[int, int]]:
        """Begins and ends by partition, as they were after this call began. Raises Unavailable."""
        arrived = time.monotonic()
        async with self._lock:
            if self._asked >= arrived:
                return self._answer
            asked = time.monotonic()
            numbers = [TopicPartition(topic, number) for number in range(partitions)]
            try:
                async with asyncio.timeout(5):
                    if self._consumer is None:
                        # Without an assignment it never fetches, so that no long poll is before a question.
                        consumer = kafka.consumer(self._settings)
                        await kafka.start(consumer)
                        self._consumer = consumer
                    begins = await self._consumer.beginning_offsets(numbers)
                    ends = await self._consumer.end_offsets(numbers)
            except away.KAFKA as error:
                await self.stop()
                self._consumer = None
                raise FeedUnavailable(f"Kafka does not say the feed's bounds: {error!r}") from error
            self._answer = (
                {tp.partition: offset for tp, offset in begins.items()},
                {tp.partition: offset for tp, offset in ends.items()},
            )
            self._asked = asked
            return self._answer

    async def stop(self) -> None:
        await kafka.close(self._consumer)
