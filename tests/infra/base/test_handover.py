"""What a process appends and reads itself: each record once and in order, whoever brings it first, whatever is lost."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from infra.base import handover, kafka
from infra.base.handover import Appended, Handover, HandoverReader
from infra.base.settings import Settings
from producers.engine.log import LogProducer, ShardLog

ROOMS, SHARDS = "rooms", 2


@asynccontextmanager
async def writing(settings: Settings, told: Handover | None) -> AsyncIterator[list[ShardLog]]:
    """The open writers of two shards."""
    producer = LogProducer(settings, told)
    try:
        logs = [ShardLog(producer, settings.topic(ROOMS), partition, "test") for partition in range(SHARDS)]
        for log in logs:
            await log.open()
        yield logs
    finally:
        await producer.stop()


@asynccontextmanager
async def reading(settings: Settings, told: Handover) -> AsyncIterator[HandoverReader]:
    consumer = kafka.consumer(settings)
    reader = HandoverReader(consumer, told)
    try:
        await consumer.start()
        reader.begin({TopicPartition(settings.topic(ROOMS), partition): 0 for partition in range(SHARDS)})
        yield reader
    finally:
        reader.close()
        await kafka.close(consumer)


async def until_ends(reader: HandoverReader, logs: list[ShardLog]) -> dict[int, list[tuple[int, bytes]]]:
    """Offset and key of all records up to where the writers are, by partition."""
    found: dict[int, list[tuple[int, bytes]]] = {log.partition: [] for log in logs}
    async with asyncio.timeout(30):
        while any((found[log.partition] or [(-1, b"")])[-1][0] + 1 < log.next_offset for log in logs):
            for tp, records in (await reader.getmany(200)).items():
                found[tp.partition] += [(record.offset, record.key) for record in records]
    return found


def whole(found: dict[int, list[tuple[int, bytes]]], logs: list[ShardLog]) -> bool:
    return all([offset for offset, _ in found[log.partition]] == list(range(log.next_offset)) for log in logs)


class Silent:
    """A consumer that never brings anything, as one that is stuck."""

    def __init__(self) -> None:
        self.asked = 0

    def assign(self, partitions: list[TopicPartition]) -> None:
        pass

    def seek(self, partition: TopicPartition, offset: int) -> None:
        pass

    async def getmany(self, timeout_ms: int) -> dict[TopicPartition, list[Any]]:
        self.asked += 1
        await asyncio.Event().wait()
        raise AssertionError


async def test_what_was_appended_here_needs_no_broker_to_bring_it(settings: Settings) -> None:
    told = Handover()
    reader = HandoverReader(Silent(), told)
    reader.begin({TopicPartition(settings.topic(ROOMS), partition): 0 for partition in range(SHARDS)})
    async with writing(settings, told) as logs:
        await logs[0].append([(b"a", b"1"), (b"b", b"2")])
        await logs[1].append([(b"c", b"3")])
        found = await until_ends(reader, logs)
        assert found == {0: [(0, b"log"), (1, b"a"), (2, b"b")], 1: [(0, b"log"), (1, b"c")]}
    reader.close()
    assert await reader.getmany(10) == {}


async def test_records_are_as_the_broker_brings_them(settings: Settings) -> None:
    told = Handover()
    async with (
        writing(settings, told) as logs,
        reading(settings, told) as reader,
        reading(settings, Handover()) as slow,
    ):
        await logs[0].append([(b"a", b"1"), (b"b", b"2")])
        here = (await reader.getmany(5000))[TopicPartition(settings.topic(ROOMS), 0)]
        brought: list[Any] = []
        async with asyncio.timeout(20):
            while len(brought) < 3:
                brought += (await slow.getmany(500)).get(TopicPartition(settings.topic(ROOMS), 0), [])
        while len(here) < 3:
            here += (await reader.getmany(5000))[TopicPartition(settings.topic(ROOMS), 0)]
        for one, other in zip(here, brought, strict=True):
            assert (one.offset, one.key, one.value, list(one.headers)) == (
                other.offset, other.key, other.value, list(other.headers),
            )  # fmt: skip
            assert abs(one.timestamp - other.timestamp) < 5_000


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_is_lost_on_the_way_the_broker_brings(
    settings: Settings, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some batches are handed over, some are not, and another process writes as well."""
    dice = random.Random(seed)
    told = Handover()
    offer = HandoverReader.offer

    def unsure(self: HandoverReader, tp: TopicPartition, batch: list[Appended]) -> None:
        if dice.random() < 0.7:
            offer(self, tp, batch)

    monkeypatch.setattr(HandoverReader, "offer", unsure)
    monkeypatch.setattr(handover, "WAITING", 3)
    async with writing(settings, told) as logs, reading(settings, told) as reader:

        async def write(log: ShardLog) -> None:
            for number in range(60):
                await log.append([(b"%d.%d" % (number, n), b"v") for n in range(dice.randint(1, 3))])
                await asyncio.sleep(dice.choice((0, 0, 0.01)))
                if dice.random() < 0.05:
                    await log.open()

        writers = asyncio.gather(*map(write, logs))
        found: dict[int, list[tuple[int, bytes]]] = {0: [], 1: []}
        while not writers.done():
            for tp, records in (await reader.getmany(50)).items():
                found[tp.partition] += [(record.offset, record.key) for record in records]
        await writers
        for partition, rest in (await _rest(reader, logs, found)).items():
            found[partition] += rest
        assert whole(found, logs)


async def _rest(
    reader: HandoverReader, logs: list[ShardLog], found: dict[int, list[tuple[int, bytes]]]
) -> dict[int, list[tuple[int, bytes]]]:
    rest: dict[int, list[tuple[int, bytes]]] = {0: [], 1: []}

    def end(partition: int) -> int:
        records = found[partition] + rest[partition]
        return records[-1][0] + 1 if records else 0

    async with asyncio.timeout(30):
        while any(end(log.partition) < log.next_offset for log in logs):
            for tp, records in (await reader.getmany(200)).items():
                rest[tp.partition] += [(record.offset, record.key) for record in records]
    return rest


async def test_reading_goes_on_elsewhere(settings: Settings) -> None:
    """Another place, and other partitions: what was handed over for the old ones is forgotten."""
    told = Handover()
    async with writing(settings, told) as logs, reading(settings, told) as reader:
        await logs[0].append([(b"%d" % n, b"v") for n in range(5)])
        await logs[1].append([(b"other", b"v")])
        await asyncio.sleep(0)
        tp = TopicPartition(settings.topic(ROOMS), 0)
        reader.begin({tp: 3})
        async with asyncio.timeout(20):
            records: list[Any] = []
            while len(records) < 3:
                found = await reader.getmany(200)
                assert set(found) <= {tp}
                records += found.get(tp, [])
        assert [record.offset for record in records] == [3, 4, 5]
        await logs[0].append([(b"next", b"v")])
        assert [record.key for record in (await reader.getmany(5000))[tp]] == [b"next"]


async def test_an_error_of_the_consumer_is_the_readers(settings: Settings) -> None:
    told = Handover()
    async with writing(settings, told), reading(settings, told) as reader:
        reader.begin({TopicPartition(settings.topic(ROOMS), 0): 1000})

        async def forever() -> None:
            while True:
                await reader.getmany(200)

        with pytest.raises(OffsetOutOfRangeError):
            await asyncio.wait_for(forever(), 20)


async def test_without_a_handover_the_broker_brings_all(settings: Settings) -> None:
    consumer = kafka.consumer(settings)
    reader = HandoverReader(consumer, None)
    try:
        await consumer.start()
        reader.begin({TopicPartition(settings.topic(ROOMS), partition): 0 for partition in range(SHARDS)})
        async with writing(settings, None) as logs:
            await logs[0].append([(b"a", b"1")])
            assert whole(await until_ends(reader, logs), logs)
    finally:
        reader.close()
        await kafka.close(consumer)
