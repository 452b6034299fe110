"""What the feed holds, as the push service would receive it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import msgspec

from events.core.feed import ROOM_MARK, decode_record, partition_of
from events.core.log import OPENED_HEADER, TermFilter
from infra.base import kafka
from infra.base.settings import Settings
from producers.engine.log import LogProducer, ShardLog, read_tail
from projectors.feed.partition_writer import FeedWriter
from projectors.feed.projector import FeedProjector
from tests.running import until


class Heard(NamedTuple):
    """One delta as one user got it."""

    user: str
    type: str
    position: str
    delta: dict[str, Any]


@asynccontextmanager
async def producing(settings: Settings) -> AsyncIterator[LogProducer]:
    """A producer for feed writers."""
    producer = LogProducer(settings)
    try:
        yield producer
    finally:
        await producer.stop()


def writers(settings: Settings, producer: LogProducer) -> Callable[[int], FeedWriter]:
    return lambda partition: ShardLog(producer, settings.topic("feed"), partition, "test")


def feed(settings: Settings, producer: LogProducer) -> FeedProjector:
    return FeedProjector(settings, writers(settings, producer))


async def hear(settings: Settings) -> list[Heard]:
    """All valid deltas of the feed, by partition, in order; each user's stand in their own partition."""
    topic, heard = settings.topic("feed"), list[Heard]()
    ends = await kafka.end_offsets(settings, topic, settings.feed_partitions)
    for partition, end in ends.items():
        admitted = TermFilter()
        async for records in read_tail(settings, topic, partition, 0, end - 1):
            for raw in records:
                if admitted.admits(raw.offset, raw.headers) and raw.headers[0][0] != OPENED_HEADER:
                    heard += _heard(raw.value, partition, settings)
    return heard


def _heard(value: bytes, partition: int, settings: Settings) -> list[Heard]:
    found: list[Heard] = []
    for item in decode_record(value).items:
        delta = msgspec.json.decode(item.delta)
        for user in item.recipients:
            assert user.startswith(ROOM_MARK) or partition_of(user, settings.feed_partitions) == partition
            found.append(Heard(user, delta["type"], delta["position"], delta))
    return found


def types(heard: list[Heard], user: str) -> list[str]:
    """What kinds of delta a user got, in order."""
    return [one.type for one in heard if one.user == user]


def texts(heard: list[Heard], user: str) -> list[str]:
    """The messages that a user got, in order."""
    return [one.delta["data"]["content"]["text"] for one in heard if one.user == user and one.type == "message.posted"]


async def until_heard(settings: Settings, user: str, text: str) -> list[Heard]:
    """The whole feed, once the user has got a message with this text."""
    return await _until(settings, f"{user} hears {text!r}", lambda heard: text in texts(heard, user))


async def until_type(settings: Settings, user: str, type: str) -> list[Heard]:
    """The whole feed, once the user has got a delta of this type."""
    return await _until(settings, f"{user} hears of {type}", lambda heard: type in types(heard, user))


async def _until(settings: Settings, what: str, true: Callable[[list[Heard]], bool]) -> list[Heard]:
    async def there() -> list[Heard]:
        heard = await hear(settings)
        return heard if true(heard) else []

    found: list[Heard] = await until(there, what)
    return found
