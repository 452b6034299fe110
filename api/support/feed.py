"""Where the feed and the log stand now, as Kafka says."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aiokafka import TopicPartition

from api.support.problems import Problem
from events.core.feed import end_cursor, partition_of
from events.core.positions import Shard, Vector
from infra.base import away, kafka
from infra.base.aiokafka_private import network
from infra.base.incarnation import incarnation
from infra.base.rounds import Rounds
from infra.base.settings import Settings

_SECONDS = 5.0
#: Seconds for which the feed's incarnation is taken as it was: as long as push takes to notice a change.
_EPOCH_SECONDS = 5.0


class FeedEnds:
    """Asks for end offsets on a connection of its own that never fetches: no long poll is before a question."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._consumer = kafka.consumer(settings)
        self._epoch = ""
        self._asked = 0.0
        self._feed = settings.topic("feed")
        self._rounds: Rounds[None, Vector] = Rounds(self._ask_heads, 1)

    async def start(self) -> None:
        await kafka.start(self._consumer)
        try:
            await self._ask_epoch()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        await self._rounds.stop()
        await kafka.close(self._consumer)

    @property
    def epoch(self) -> str:
        """The incarnation of the feed topic, as of the latest ``cursor()`` or a few seconds before."""
        return self._epoch

    async def cursor(self, user: str) -> int:
        """The cursor after all that the user's feed partition holds now. Raises Problem ``unavailable``."""
        if asyncio.get_running_loop().time() - self._asked > _EPOCH_SECONDS:
            await self._ask_epoch()
        place = TopicPartition(self._feed, partition_of(user, self._settings.feed_partitions))
        return end_cursor((await self._ends([place]))[place])

    async def _ask_epoch(self) -> None:
        try:
            async with asyncio.timeout(_SECONDS):
                self._epoch = (await incarnation(network(self._consumer), self._feed)).epoch
        except away.KAFKA as error:
            raise Problem("unavailable", "Kafka does not describe the feed; try again", retry_after=1) from error
        self._asked = asyncio.get_running_loop().time()

    async def heads(self) -> Vector:
        """The next offset of every shard now. Raises Problem ``unavailable``."""
        return await self._rounds(None)

    async def _ask_heads(self, _: Sequence[None]) -> list[Vector]:
        places = {
            TopicPartition(self._settings.topic(topic), number): Shard(topic, number)
            for topic in kafka.EVENT_TOPICS
            for number in range(self._settings.partitions)
        }
        ends = await self._ends(list(places))
        return [{places[place]: offset for place, offset in ends.items()}]

    async def _ends(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        try:
            async with asyncio.timeout(_SECONDS):
                ends: dict[TopicPartition, int] = await self._consumer.end_offsets(places)
                return ends
        except away.KAFKA as error:
            raise Problem("unavailable", "Kafka does not say where the log ends; try again", retry_after=1) from error
