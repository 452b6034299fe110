"""The topics of an installation on a real broker: made with their settings, checked at every start, never altered."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import NewTopic
from aiokafka.errors import OffsetOutOfRangeError

from infra.base import kafka
from infra.base.settings import Settings
from tests.parts import Parts, delete_topics


@pytest.fixture
async def empty(parts: Parts) -> AsyncIterator[Settings]:
    """An installation that has no topics yet."""
    settings = Settings(kafka=parts.kafka, prefix=f"t{secrets.token_hex(5)}", partitions=3, feed_partitions=2)
    yield settings
    await delete_topics(parts.kafka, settings.prefix)


async def test_topics_are_made_once_with_their_settings(empty: Settings) -> None:
    await asyncio.gather(*(kafka.ensure_topics(empty) for _ in range(3)))
    await kafka.ensure_topics(empty)
    async with kafka.admin(empty) as admin:
        topics = {row["topic"]: row for row in await admin.describe_topics()}
        actual = await kafka._topic_settings(admin, kafka.topic_specs(empty))
    counts = {name: len(topics[f"{empty.prefix}.{name}"]["partitions"]) for name in (*kafka.EVENT_TOPICS, "feed")}
    assert counts == {"users": 3, "rooms": 3, "handles": 3, "apps": 3, "feed": 2}
    rooms, feed = actual[f"{empty.prefix}.rooms"], actual[f"{empty.prefix}.feed"]
    assert rooms["retention.ms"] == rooms["retention.bytes"] == "-1"
    assert rooms["cleanup.policy"] == "delete"
    assert feed["retention.ms"] == str(7 * 24 * 3_600_000)
    assert actual[f"{empty.prefix}.secrets"]["cleanup.policy"] == "compact"


@pytest.mark.parametrize(
    ("name", "setting", "actual", "expected"),
    [
        ("rooms", "retention.ms", "604800000", "-1"),
        ("users", "retention.bytes", "1000000", "-1"),
        ("handles", "cleanup.policy", "compact", "delete"),
        ("secrets", "cleanup.policy", "delete", "compact"),
        ("rooms", "min.insync.replicas", "2", "1"),
        ("rooms", "max.message.bytes", "1000", "1048576"),
        ("feed", "retention.ms", "-1", "604800000"),
    ],
)
async def test_a_wrong_setting_refuses_to_start(
    empty: Settings, name: str, setting: str, actual: str, expected: str
) -> None:
    spec = next(spec for spec in kafka.topic_specs(empty) if spec.topic == empty.topic(name))
    async with kafka.admin(empty) as admin:
        wrong = {**spec.settings, setting: actual}
        await admin.create_topics([NewTopic(spec.topic, spec.partitions, 1, topic_configs=wrong)])
    for _ in range(2):
        with pytest.raises(kafka.TopicMismatch) as error:
            await kafka.ensure_topics(empty)
        (line,) = str(error.value).splitlines()
        assert line.startswith(f"{spec.topic}: {setting}: expected {expected}, actual {actual}; set it with:")


async def test_a_wrong_partition_count_refuses_to_start(empty: Settings) -> None:
    await kafka.ensure_topics(empty)
    more = Settings(kafka=empty.kafka, prefix=empty.prefix, partitions=3, feed_partitions=4)
    with pytest.raises(kafka.TopicMismatch, match=r"feed: partitions: expected 4, actual 2; .*KLATSCH_FEED_PARTITIONS"):
        await kafka.ensure_topics(more)


async def test_a_topic_that_the_broker_refuses(parts: Parts) -> None:
    refused = Settings(kafka=parts.kafka, prefix="t refused", partitions=1, feed_partitions=1)
    with pytest.raises(kafka.TopicCreationFailed, match="InvalidTopic"):
        await kafka.ensure_topics(refused)


async def test_three_replicas_need_two_in_sync() -> None:
    for spec in kafka.topic_specs(Settings(replication=3)):
        assert spec.settings["min.insync.replicas"] == "2"


async def test_a_consumer_never_jumps(settings: Settings) -> None:
    consumer = kafka.consumer(settings)
    await consumer.start()
    try:
        tp = TopicPartition(settings.topic("rooms"), 0)
        consumer.assign([tp])
        consumer.seek(tp, 5)
        with pytest.raises(OffsetOutOfRangeError):
            await consumer.getmany(timeout_ms=10_000)
    finally:
        await consumer.stop()


async def test_end_offsets(settings: Settings) -> None:
    producer = kafka.producer(settings)
    await producer.start()
    try:
        for _ in range(3):
            await producer.send_and_wait(settings.topic("rooms"), b"value", partition=1)
    finally:
        await producer.stop()
    assert await kafka.end_offsets(settings, settings.topic("rooms"), 2) == {0: 0, 1: 3}
