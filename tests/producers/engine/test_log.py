"""The log's writer against a real broker: each test forces the fault that it names."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.structs import TopicPartition

from events.core.log import term_headers
from infra.base import kafka
from infra.base.settings import Settings
from producers.engine.log import (
    AppendRefused,
    LogProducer,
    OutcomeUnknown,
    RecordsMissing,
    ShardLog,
    Superseded,
    read_tail,
)
from tests.producers.owner import TOPIC, Owner, raw, record, valid
from tests.producers.proxy import Proxy, proxied


@pytest.fixture
async def owners(settings: Settings) -> AsyncIterator[list[Owner]]:
    """Two owners of the same shard that do not know of each other."""
    pair = [Owner(settings), Owner(settings)]
    yield pair
    for owner in pair:
        await owner.producers.stop()


@pytest.fixture
async def proxy(settings: Settings) -> AsyncIterator[Proxy]:
    async with proxied(settings.kafka) as proxy:
        yield proxy


async def end(settings: Settings) -> int:
    return (await kafka.end_offsets(settings, settings.topic(TOPIC), settings.partitions))[0]


async def test_a_new_owner_reads_what_the_old_one_wrote(owners: list[Owner]) -> None:
    old, new = owners
    assert await old.open() == 0
    assert [await old.once("a"), await old.once("b")] == [1, 2]
    assert await new.open() == 3
    assert new.known == {"a": 1, "b": 2}
    assert await new.once("c") == 4


async def test_after_another_has_opened_the_old_owner_acknowledges_nothing(
    settings: Settings, owners: list[Owner]
) -> None:
    old, new = owners
    await old.open()
    await old.once("a")
    await new.open()
    with pytest.raises(Superseded, match="expected offset 2, got 3"):
        await old.once("b")
    with pytest.raises(AppendRefused, match="expected an open shard"):
        await old.once("b")
    # The old owner's void record stands where the new one wants its first, so the new one cannot be sure either: it
    # opens again and finds that its record counts.
    with pytest.raises(Superseded, match="expected offset 3, got 4"):
        await new.once("c")
    assert await new.do("c") == 4
    assert valid(await raw(settings)) == [("a", 1), ("c", 4)]


async def test_an_owner_that_was_stopped_and_resumed(settings: Settings, owners: list[Owner]) -> None:
    async with _old_owner(settings) as process, asyncio.timeout(60):
        assert process.stdout is not None
        told = [(await process.stdout.readline()).decode().split() for _ in range(10)]
        process.send_signal(signal.SIGSTOP)
        new = owners[0]
        term = await new.open()
        offset = await new.do("new")
        process.send_signal(signal.SIGCONT)
        told += [line.decode().split() async for line in process.stdout]
        assert await process.wait() == 0
    assert told[0][0] == "opened" and told[-1][0] == "superseded"
    acknowledged = [(words[1], int(words[2])) for words in told[1:-1]]
    records = await raw(settings)
    assert valid(records) == [*acknowledged, ("new", offset)]
    assert all(offset < term for _, offset in acknowledged)
    assert len(records) > offset + 1, "expected the resumed owner to have written, to no effect"


@asynccontextmanager
async def _old_owner(settings: Settings) -> AsyncIterator[asyncio.subprocess.Process]:
    """An owner in a process of its own, ended with the block."""
    command = (sys.executable, "-m", "tests.producers.owner", settings.kafka, settings.prefix)
    root = Path(__file__).parents[3]
    process = await asyncio.create_subprocess_exec(*command, cwd=root, stdout=asyncio.subprocess.PIPE)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_a_delayed_request_that_arrives_after_another_has_opened(
    settings: Settings, proxy: Proxy, owners: list[Owner]
) -> None:
    old, new = Owner(settings, through=proxy.bootstrap), owners[0]
    await old.open()
    proxy.pass_requests.clear()
    late = asyncio.create_task(old.once("late"))
    await proxy.holds(1)
    assert await new.open() == 1
    proxy.pass_requests.set()
    with pytest.raises(Superseded):
        await late
    assert await new.do("new") == 3
    assert valid(await raw(settings)) == [("new", 3)]
    await old.producers.stop()


async def test_a_delayed_request_that_arrives_after_its_own_owner_gave_up(settings: Settings, proxy: Proxy) -> None:
    owner = Owner(settings, through=proxy.bootstrap, ack_seconds=0.3)
    await owner.open()
    proxy.pass_requests.clear()
    with pytest.raises(OutcomeUnknown, match=r"no acknowledgement within 0\.3 s"):
        await owner.once("a")
    direct = Owner(settings)
    assert await direct.open() == 1
    assert await direct.once("a") == 2
    proxy.pass_requests.set()
    await _until(lambda: end(settings), 4)
    records = await raw(settings)
    assert valid(records) == [("a", 2)]
    assert len(records) == 4, "expected the late record in the log, as a void one"
    for each in (owner, direct):
        await each.producers.stop()


async def test_two_owners_race_to_open(settings: Settings, owners: list[Owner]) -> None:
    told: dict[str, int] = {}

    async def race(owner: Owner, name: str) -> None:
        for number in range(15):
            command = f"{name}-{number}"
            told[command] = await owner.do(command)
            if number % 3 == 0:
                await owner.reopen()

    await asyncio.gather(*(race(owner, name) for owner, name in zip(owners, "ab", strict=True)))
    believed = valid(await raw(settings))
    assert sorted(believed) == sorted(told.items()), "acknowledged, and valid for every reader, exactly once"


async def test_one_commands_events_are_one_batch(settings: Settings, owners: list[Owner]) -> None:
    owner = owners[0]
    await owner.open()
    assert await owner.log.append([record("a"), record("a"), record("a")]) == 1
    assert await owner.log.append([record("b")] * 40) == 4
    assert await _batches(settings) == [(0, 0), (1, 3), (4, 43)]
    assert owner.log.next_offset == 44


async def _batches(settings: Settings) -> list[tuple[int, int]]:
    """First and last offset of each record batch of the shard, as the broker stores them."""
    client = AIOKafkaClient(bootstrap_servers=settings.kafka)
    await client.bootstrap()
    try:
        topic = settings.topic(TOPIC)
        await client._wait_on_metadata(topic)
        node = client.cluster.leader_for_partition(TopicPartition(topic, 0))
        limit = kafka.MAX_BATCH_BYTES
        answer = await client.send(node, FetchRequest(500, 1, limit, 0, [(topic, [(0, 0, limit)])]))
        found = MemoryRecords(answer.topics[0][1][0][-1])
        batches = []
        while found.has_next():
            batch = found.next_batch()
            batches.append((batch.base_offset, batch.next_offset - 1))
        return batches
    finally:
        await client.close()


async def test_a_batch_too_large_is_refused_before_anything_is_written(settings: Settings, owners: list[Owner]) -> None:
    owner = owners[0]
    await owner.open()
    with pytest.raises(AppendRefused, match=r"at most 1048576 bytes, got 1\d{6} bytes in 2 records"):
        await owner.log.append([record("a", 600_000), record("a", 600_000)])
    with pytest.raises(AppendRefused, match="got none"):
        await owner.log.append([])
    assert await end(settings) == 1
    assert await owner.once("b") == 1


async def test_the_largest_batch_is_the_brokers_to_the_byte(
    settings: Settings, owners: list[Owner], monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = owners[0]
    await owner.open()
    batch = (await owner.producers.usable()).client.create_batch()
    key, value = record("a", kafka.MAX_BATCH_BYTES - 1000)
    batch.append(timestamp=None, key=key, value=value, headers=term_headers(owner.log.term))
    room = kafka.MAX_BATCH_BYTES - batch.size() + kafka.MAX_BATCH_BYTES - 1000
    with pytest.raises(AppendRefused, match="got 1048577 bytes"):
        await owner.log.append([record("a", room + 1)])
    assert await owner.log.append([record("a", room)]) == 1
    monkeypatch.setattr(kafka, "MAX_BATCH_BYTES", kafka.MAX_BATCH_BYTES + 1)
    with pytest.raises(OutcomeUnknown, match="MessageSizeTooLarge"):
        await owner.log.append([record("b", room + 1)])
    await owner.reopen()
    assert await owner.once("c") == 3


async def test_a_lost_acknowledgement(settings: Settings, proxy: Proxy) -> None:
    owner = Owner(settings, through=proxy.bootstrap, ack_seconds=0.5)
    await owner.open()
    proxy.lose_answers = True
    with pytest.raises(OutcomeUnknown):
        await owner.once("a")
    await proxy.answers_lost(1)
    proxy.lose_answers = False
    assert await owner.reopen() == 2
    assert owner.known == {"a": 1}, "the outcome is learned by the command's key"
    assert await owner.do("a") == 1
    assert valid(await raw(settings)) == [("a", 1)]
    await owner.producers.stop()


async def test_a_produce_error(settings: Settings, owners: list[Owner]) -> None:
    owner = owners[0]
    await owner.open()
    # The broker takes no time stamp that is more than an hour ahead of it.
    tomorrow = int(time.time() * 1000) + 86_400_000
    with pytest.raises(OutcomeUnknown, match="InvalidTimestamp"):
        await owner.log.append([record("a")], timestamp_ms=tomorrow)
    await owner.reopen()
    assert owner.known == {}
    assert await owner.do("a") == 2
    assert valid(await raw(settings)) == [("a", 2)]


async def test_a_produce_error_is_every_shards_error(settings: Settings, proxy: Proxy) -> None:
    producers = LogProducer(Settings(kafka=proxy.bootstrap, prefix=settings.prefix))
    first = ShardLog(producers, settings.topic(TOPIC), 0, "test:1", ack_seconds=0.3)
    second = ShardLog(producers, settings.topic(TOPIC), 1, "test:1")
    idle = ShardLog(producers, settings.topic("users"), 0, "test:1")
    for shard in (first, second, idle):
        await shard.open()
    proxy.pass_requests.clear()
    started = time.monotonic()
    answers = await asyncio.gather(first.append([record("a")]), second.append([record("b")]), return_exceptions=True)
    assert [type(answer) for answer in answers] == [OutcomeUnknown, OutcomeUnknown]
    assert time.monotonic() - started < 2, "expected the second shard to be told of it at once, not at its own deadline"
    with pytest.raises(OutcomeUnknown, match="the log producer was replaced"):
        await idle.append([record("c")])
    proxy.pass_requests.set()
    for shard in (first, second, idle):
        term = await shard.open()
        assert await shard.append([record("d")]) == term + 1
    await producers.stop()


async def test_a_sender_task_that_dies_is_noticed(owners: list[Owner]) -> None:
    owner = owners[0]
    await owner.open()
    generation = await owner.producers.usable()
    # Submitting one batch twice is a known way to kill this client's sender for good.
    batch = generation.client.create_batch()
    batch.append(timestamp=None, key=b"k", value=b"v", headers=[])
    for _ in range(2):
        sent = await generation.client.send_batch(batch, owner.log.topic, partition=1)
        sent.add_done_callback(lambda sent: sent.exception())
    await asyncio.wait([generation.failed], timeout=10)
    with pytest.raises(OutcomeUnknown, match="its sender task ended"):
        await owner.once("a")
    assert await owner.do("a") == 2


async def test_an_append_that_is_cancelled_leaves_the_shard_closed(settings: Settings, proxy: Proxy) -> None:
    owner = Owner(settings, through=proxy.bootstrap)
    await owner.open()
    proxy.pass_requests.clear()
    append = asyncio.create_task(owner.once("a"))
    await proxy.holds(1)
    append.cancel()
    with pytest.raises(asyncio.CancelledError):
        await append
    proxy.pass_requests.set()
    with pytest.raises(AppendRefused):
        await owner.once("b")
    await owner.reopen()
    assert owner.known == {"a": 1}
    await owner.producers.stop()


async def test_stopping_never_hangs(settings: Settings, proxy: Proxy) -> None:
    owner = Owner(settings, through=proxy.bootstrap)
    await owner.open()
    proxy.pass_requests.clear()
    append = asyncio.create_task(owner.once("a"))
    await proxy.holds(1)
    started = time.monotonic()
    await owner.producers.stop()
    assert time.monotonic() - started < 4
    with pytest.raises(OutcomeUnknown):
        await append
    with pytest.raises(OutcomeUnknown, match="stopped"):
        await owner.open()


async def test_reading_what_is_not_there(settings: Settings, owners: list[Owner]) -> None:
    await owners[0].open()
    with pytest.raises(RecordsMissing, match="expected records 7 to 9, got a log of 0 to 0"):
        [found async for found in read_tail(settings, settings.topic(TOPIC), 0, 7, 9)]
    assert [found async for found in read_tail(settings, settings.topic(TOPIC), 0, 1, 0)] == []


async def _until(read: Callable[[], Awaitable[int]], expected: int) -> None:
    """Poll until ``await read()`` gives at least the expected number, for ten seconds at most."""
    deadline = time.monotonic() + 10
    while (found := await read()) < expected:
        assert time.monotonic() < deadline, f"expected {expected}, got {found}"
        await asyncio.sleep(0.02)
