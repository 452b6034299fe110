"""Writes feed records as the feed's writer does, with plain aiokafka: a term, headers, deltas with positions."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec
from aiokafka import AIOKafkaProducer

from events.core.feed import FeedItem, encode_record, partition_of
from events.core.log import opened_headers, term_headers
from infra.base import kafka
from infra.base.settings import Settings


def delta(offset: int, text: str = "", shard: str = "rooms/0") -> bytes:
    """A delta as a client gets it, with its position in the log."""
    return json.dumps({"type": "message.posted", "position": f"{shard}/{offset}", "data": {"text": text}}).encode()


def item(users: Sequence[str], offset: int, text: str = "", shard: str = "rooms/0") -> FeedItem:
    """One delta and its recipients."""
    return FeedItem(recipients=list(users), delta=msgspec.Raw(delta(offset, text, shard)))


class Feed:
    """The feed's only writer."""

    def __init__(self, settings: Settings, producer: AIOKafkaProducer) -> None:
        self._settings = settings
        self._topic = settings.topic("feed")
        self._producer = producer
        self._terms: dict[int, int] = {}
        #: Of the latest delta that ``send`` wrote.
        self.position = 0

    def partition(self, user: str) -> int:
        return partition_of(user, self._settings.feed_partitions)

    async def open(self, partition: int) -> int:
        """Append ``log.opened`` to a partition; what this writer writes from now on carries its term."""
        sent = await self._producer.send_and_wait(
            self._topic, b'{"items":[]}', key=b"log", partition=partition, headers=opened_headers()
        )
        self._terms[partition] = sent.offset
        return int(sent.offset)

    async def record(self, partition: int, items: Sequence[FeedItem], term: int | None = None) -> int:
        """Append one record; returns its offset."""
        if partition not in self._terms:
            await self.open(partition)
        headers = term_headers(self._terms[partition] if term is None else term)
        sent = await self._producer.send_and_wait(
            self._topic, encode_record(items), key=b"feed", partition=partition, headers=headers
        )
        return int(sent.offset)

    async def send(self, user: str, *texts: str, size: int = 0) -> None:
        """One record for each text, each with one delta for one user."""
        partition = self.partition(user)
        if partition not in self._terms:
            await self.open(partition)
        headers = term_headers(self._terms[partition])
        waiting = []
        for text in texts:
            self.position += 1
            value = encode_record([item([user], self.position, text + " " * size)])
            waiting.append(await self._producer.send(self._topic, value, partition=partition, headers=headers))
        await asyncio.gather(*waiting)


@asynccontextmanager
async def feed_of(settings: Settings) -> AsyncIterator[Feed]:
    """A started Feed."""
    producer = kafka.producer(settings)
    await producer.start()
    try:
        yield Feed(settings, producer)
    finally:
        await producer.stop()


async def delete_before(settings: Settings, partition: int, offset: int) -> None:
    """Really delete the feed's records below ``offset``, as its retention does."""
    from aiokafka import TopicPartition
    from aiokafka.admin import RecordsToDelete

    async with kafka.admin(settings) as client:
        await client.delete_records({TopicPartition(settings.topic("feed"), partition): RecordsToDelete(offset)})
