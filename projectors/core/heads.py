"""Where the log ends now, as Kafka says."""

from __future__ import annotations

from collections.abc import Iterable

from aiokafka import AIOKafkaConsumer, TopicPartition

from events.core.positions import Shard, Vector
from infra.base import kafka
from infra.base.settings import Settings


class Heads:
    """Asks on a connection of its own that never fetches: no long poll is before a question."""

    def __init__(self, settings: Settings, shards: Iterable[Shard]) -> None:
        self._settings = settings
        self._shards = {TopicPartition(settings.topic(shard.topic), shard.partition): shard for shard in shards}
        self._consumer: AIOKafkaConsumer | None = None

    async def __call__(self) -> Vector:
        """The next offset of every shard. Raises KafkaError."""
        if self._consumer is None:
            consumer = kafka.consumer(self._settings)
            await kafka.start(consumer)
            self._consumer = consumer
        ends = await self._consumer.end_offsets(list(self._shards))
        return {shard: ends[tp] for tp, shard in self._shards.items()}

    async def stop(self) -> None:
        consumer, self._consumer = self._consumer, None
        await kafka.close(consumer)
