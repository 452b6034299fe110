"""The emotion worker in its own process, on a real Kafka and a running API."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from signal import SIGKILL
from types import SimpleNamespace
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from aiokafka import TopicPartition

from api.emotions import EMOTIONS
from events.core.clock import now, uuid7
from events.core.log import OPENED_HEADER, TermFilter, term_headers
from events.core.records import DecodeError
from events.messages import MessageEmotionDetected, MessagePosted
from events.registry import REGISTRY
from infra.base import kafka
from infra.base.settings import Settings
from infra.embedded.ports import free_port
from infra.ops import operator_token
from producers.engine.router import partition_of
from projectors.workers import emotion_worker, emotions, faust_batches
from projectors.workers import health as health_
from projectors.workers.emotion_worker import ACCOUNT, ROOM, Worker
from tests.client import Person, World, visiting
from tests.parts import Parts
from tests.running import until
from tests.servers import Process, installation, process, serving

TP = pytest.importorskip("faust.types", reason="Faust has no build for this platform").TP

JOYFUL = "What a wonderful, happy day! I love it"


@pytest.fixture(scope="module")
async def world(parts: Parts) -> AsyncIterator[World]:
    async with installation(parts) as settings, serving(settings) as url, visiting(url) as world:
        world.settings = settings  # type: ignore[attr-defined]
        yield world


@pytest.fixture
def settings(world: World) -> Settings:
    """The installation of this module."""
    found: Settings = world.settings  # type: ignore[attr-defined]
    return found


@asynccontextmanager
async def worker(settings: Settings, folder: Path) -> AsyncIterator[Process]:
    """The worker's process, ready."""
    own = msgspec.structs.replace(settings, port=free_port(), api=f"http://{settings.address}")
    async with process(own, frozenset({"analytics"}), folder / "emotions.log") as running:
        await running.ready()
        yield running


@asynccontextmanager
async def at_work(settings: Settings, folder: Path, world: World) -> AsyncIterator[Process]:
    """The same, with all that was said before dealt with."""
    async with worker(settings, folder) as running:
        await _caught_up(running, world)
        yield running


async def _report(running: Process) -> dict[str, Any]:
    async with aiohttp.ClientSession() as http, http.get(f"{running.url}/readyz") as answer:
        found: dict[str, Any] = (await answer.json())["parts"]
        return found


async def _counted(running: Process) -> dict[str, float]:
    """Records by outcome, as /metrics tells."""
    async with aiohttp.ClientSession() as http, http.get(f"{running.url}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if line.startswith("klatsch_emotions_records_total"))
    return {name.split('"')[1]: float(value) for name, value in pairs}


async def _caught_up(running: Process, world: World) -> None:
    async def level() -> bool:
        parts = await _report(running)
        return bool(parts["faust"]["assigned"] == 2 and parts["progress"]["lag"] == 0)

    await until(level, "all partitions read to the end and committed", 60)


async def _with_visual(person: Person, **emotions: Any) -> Person:
    await person.do("visuals.choose", model_data={"shape": "fox"}, emotion_data=emotions)
    return person


async def _emotion(person: Person, room: str, message: str) -> str | None:
    found = await person.do("messages.get", room=room, message=message)
    emotion: str | None = found["message"]["data"].get("emotion")
    return emotion


async def _log(settings: Settings) -> list[Any]:
    """All records of the rooms' topic as Kafka has them, by partition and offset."""
    found: list[Any] = []
    topic = settings.topic("rooms")
    ends = await kafka.end_offsets(settings, topic, settings.partitions)
    consumer = kafka.consumer(settings)
    await consumer.start()
    try:
        places = [TopicPartition(topic, partition) for partition in ends]
        consumer.assign(places)
        for place in places:
            consumer.seek(place, 0)
        while any([await consumer.position(place) < ends[place.partition] for place in places]):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                found += records
    finally:
        await kafka.close(consumer)
    return sorted(found, key=lambda raw: (raw.partition, raw.offset))


async def _valid(settings: Settings) -> tuple[list[Any], int]:
    """The log's valid records, and how many are void."""
    terms = {partition: TermFilter() for partition in range(settings.partitions)}
    records = await _log(settings)
    valid = [raw for raw in records if terms[raw.partition].admits(raw.offset, raw.headers)]
    return valid, len(records) - len(valid)


async def _detections(settings: Settings) -> list[tuple[str, str, bool]]:
    """All valid detected emotions in the log: message, emotion, shown."""
    found = []
    for raw in (await _valid(settings))[0]:
        with contextlib.suppress(DecodeError):
            event = REGISTRY.decode(raw.value, "rooms", raw.partition, raw.offset).data
            if isinstance(event, MessageEmotionDetected):
                found.append((event.message, event.emotion, event.shown))
    return found


async def _term(settings: Settings, partition: int) -> int:
    """The term of the partition's present owner."""
    opened = [raw for raw in await _log(settings) if raw.partition == partition and raw.headers[0][0] == OPENED_HEADER]
    return int(opened[-1].offset)


async def _append(settings: Settings, partition: int, key: bytes, records: list[tuple[bytes, Any]]) -> None:
    """Appends records past the owner: at once, since what comes after the owner has seen the first of them is void."""
    producer = kafka.producer(settings)
    await producer.start()
    try:
        batch = producer.create_batch()
        for value, headers in records:
            assert batch.append(timestamp=None, key=key, value=value, headers=headers) is not None
        batch.close()
        await (await producer.send_batch(batch, settings.topic("rooms"), partition=partition))
    finally:
        await producer.stop()


async def test_a_joyful_message_shows_joy_where_the_visual_can(
    settings: Settings, world: World, tmp_path: Path
) -> None:
    ada = await _with_visual(await world.person("ada"), joy=True)
    bob = await _with_visual(await world.person("bob"), anger=True)
    room = await ada.group(bob)
    async with worker(settings, tmp_path) as running:
        hers, his = await ada.say(room, JOYFUL), await bob.say(room, JOYFUL)
        neutral = await ada.say(room, "the meeting is at 12:30")

        async def detected() -> bool:
            return {hers["id"], his["id"]} <= {message for message, _, _ in await _detections(settings)}

        await until(detected, "both joyful messages were looked at", 60)
        await _caught_up(running, world)
        shown = {message: (emotion, shown) for message, emotion, shown in await _detections(settings)}
        assert shown[hers["id"]] == ("joy", True) and shown[his["id"]] == ("joy", False)
        assert neutral["id"] not in shown
        await until(lambda: _is(ada, room, hers["id"], "joy"), "the read model has it")
        assert await _emotion(bob, room, his["id"]) is None
        assert await _emotion(ada, room, neutral["id"]) is None
        assert (await _counted(running))["set"] == 2
    found = await ada.do("users.find", name=ACCOUNT)
    assert [user["role"] for user in found["users"] if user["username"] == ACCOUNT] == ["service"]


async def _is(person: Person, room: str, message: str, emotion: str) -> bool:
    return await _emotion(person, room, message) == emotion


async def test_void_and_bad_records_set_nothing_and_stop_nothing(
    settings: Settings, world: World, tmp_path: Path
) -> None:
    ada = await _with_visual(await world.person("ada"), joy=True)
    room = await ada.group()
    shard = partition_of(room, settings.partitions)
    target = await ada.say(room, "a neutral text")
    async with at_work(settings, tmp_path, world) as running:
        before, voids = await _counted(running), (await _valid(settings))[1]
        await ada.say(room, "the worker has seen a record of the present owner")
        await _caught_up(running, world)
        # As an old owner would: a joyful text under the id of a message that exists, with the term of long ago.
        void = MessagePosted(message=target["id"], seq=1, token="void", type="text", content={"text": JOYFUL}, data={})
        value = REGISTRY.encode(
            void, id=uuid7(), source="test", stream=room, time=now(), actor=ada.id, command="PostMessage:void"
        )
        term = await _term(settings, shard)
        nowhere = value.replace(f'"subject":"{room}"'.encode(), b'"subject":"no room!"', 1)
        bad = [
            (value, term_headers(term - 1)),
            (nowhere, term_headers(term)),
            (nowhere, term_headers(term)),
            (b"no json", term_headers(term)),
            (b'{"specversion":"1.0"}', term_headers(term)),
            (value.replace(b'"message.posted"', b'"message.sung"', 1), term_headers(term)),
            (b"", []),
        ]
        await _append(settings, shard, b"poison", bad)
        # The owner finds foreign records, reads the log again and goes on; so does the worker.
        hers = await ada.say(room, JOYFUL)
        await until(lambda: _is(ada, room, hers["id"], "joy"), "a good record after the bad ones", 60)
        await _caught_up(running, world)
        after = await _counted(running)
    detected = [message for message, _, _ in await _detections(settings)]
    assert target["id"] not in detected and detected.count(hers["id"]) == 1
    # Two of these, and what the owner appended after them before it had seen them, if it did.
    voids = (await _valid(settings))[1] - voids
    assert voids >= 2 and after["void"] - before.get("void", 0) == voids
    assert after["unreadable"] - before.get("unreadable", 0) == 2
    assert after["unknown"] - before.get("unknown", 0) == 1
    assert after["refused"] - before.get("refused", 0) == 2
    assert after.get("failed", 0) == before.get("failed", 0)


async def test_after_a_kill_nothing_is_set_twice(settings: Settings, world: World, tmp_path: Path) -> None:
    # Without a visual nothing is shown, so only the key keeps the same emotion from being noted again.
    ada = await world.person("ada")
    room = await ada.group()

    async def noted(message: str) -> int:
        return [one for one, _, _ in await _detections(settings)].count(message)

    async with at_work(settings, tmp_path, world) as running:
        first = (await ada.say(room, JOYFUL))["id"]
        await until(lambda: noted(first), "the first is noted", 60)
        # Before Faust commits, as a rule: the record is read again.
        await running.end(SIGKILL)
    second = (await ada.say(room, JOYFUL))["id"]
    async with at_work(settings, tmp_path, world):
        await until(lambda: noted(second), "the second is noted", 60)
    assert (await noted(first), await noted(second)) == (1, 1)


async def test_what_was_said_meanwhile_is_caught_up_together(settings: Settings, world: World, tmp_path: Path) -> None:
    ada = await _with_visual(await world.person("ada"), joy=True)
    room = await ada.group()
    # More than one request to the API takes, and so many that they come in one batch.
    said = [(await ada.say(room, JOYFUL))["id"] for _ in range(EMOTIONS + 50)]
    async with at_work(settings, tmp_path, world) as running:
        counted = await _counted(running)
    detected = [message for message, _, _ in await _detections(settings)]
    assert [detected.count(message) for message in said] == [1] * len(said)
    assert counted["set"] >= len(said) and counted.get("failed", 0) == 0


async def test_all_batches_that_are_done_are_committed_together(settings: Settings) -> None:
    consumer: Any = emotions._app(settings, Worker("http://nowhere", str)).consumer
    # Its thread is not started, and has a loop already.
    consumer._thread.thread_loop.close()
    tp, offset = TP(settings.topic("rooms"), 0), 50
    consumer._committed_offset[tp] = consumer._read_offset[tp] = offset
    for last in (99, 149, 150, 199):
        if last - offset > 1:
            await consumer._add_gap(tp, offset + 1, last)
        assert consumer._new_offset(tp) is None, "what is not acknowledged is not committed"
        offset = last
    consumer._acked[tp] += [99, 149, 150]
    assert consumer._new_offset(tp) == 151
    consumer._committed_offset[tp] = 151
    assert consumer._new_offset(tp) is None
    consumer._acked[tp].append(199)
    assert consumer._new_offset(tp) == 200


@pytest.mark.parametrize("fetches", [[range(1), range(1, 6)], [range(1), range(1, 2), range(2, 6)], [range(6)]])
async def test_a_partition_that_began_with_one_record_is_committed(settings: Settings, fetches: list[range]) -> None:
    consumer: Any = emotions._app(settings, Worker("http://nowhere", str)).consumer
    consumer._thread.thread_loop.close()
    tp = TP(settings.topic("rooms"), 0)
    for fetch in fetches:
        for batch in faust_batches.batches([SimpleNamespace(offset=offset) for offset in fetch]):
            last, read = batch[-1].offset, consumer._read_offset[tp]
            # As Faust's consumer does it for each message (_drain_messages).
            if last - (read or 0) > 1 and read:
                await consumer._add_gap(tp, read + 1, last)
            consumer._read_offset[tp] = last
            consumer._acked[tp].append(last)
        consumer._committed_offset[tp] = consumer._new_offset(tp) or consumer._committed_offset[tp]
    assert consumer._committed_offset[tp] == 6


def test_a_worker_that_stands_still_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    tp = TP("rooms", 0)
    consumer = SimpleNamespace(assignment=lambda: {tp}, _committed_offset={tp: 5}, highwater=lambda _: 9)
    app: Any = SimpleNamespace(started=True, crashed=False, consumer=consumer)
    worker = Worker("http://nowhere", str)
    worker._token = "one"
    health = health_.Health(app, worker, {"rooms"}, 1, gauge=health_.EMOTIONS_LAG)
    health._look()
    assert health.report()[0]
    health._moved -= health_.STALLED_SECONDS
    health._look()
    well, body = health.report()
    assert not well and "no progress for 60 s with 4 records to read" in body["parts"]["progress"]["state"]
    consumer._committed_offset[tp] = 6
    health._look()
    assert health.report()[0]


def test_nobody_is_told_of_a_lag_before_it_is_known() -> None:
    tp, ends = TP("rooms", 0), dict[Any, int | None]()
    consumer = SimpleNamespace(assignment=lambda: {tp}, _committed_offset={tp: 5}, highwater=lambda one: ends.get(one))
    app: Any = SimpleNamespace(started=True, crashed=False, consumer=consumer)
    health = health_.Health(app, Worker("http://nowhere", str), {"rooms"}, 1, gauge=health_.EMOTIONS_LAG)

    def lag() -> Any:
        health._look()
        return health.report()[1]["parts"]["progress"]["lag"]

    assert lag() is None
    moved = health._moved
    # A consumer that never learns where its partition ends gets on as little as one that never commits.
    assert (lag(), health._moved) == (None, moved)
    ends[tp] = 9
    assert lag() == 4
    consumer._committed_offset[tp] = 9
    assert lag() == 0
    assert health._moved > moved


class Fake:
    """A Faust app of one partition, and a clock, as the watch sees them."""

    def __init__(self) -> None:
        self.tp, self.now, self.end, self.mine = TP("rooms", 0), 0.0, dict[Any, int | None](), set[Any]()
        consumer = SimpleNamespace(
            assignment=lambda: self.mine, _committed_offset={self.tp: 5}, highwater=lambda one: self.end.get(one)
        )
        self.app: Any = SimpleNamespace(
            started=False, crashed=False, consumer=consumer, rebalancing=False, rebalancing_count=0
        )
        self.worker = Worker("http://nowhere", str)
        self.health = health_.Health(self.app, self.worker, {"rooms"}, 1, lambda: self.now, gauge=health_.EMOTIONS_LAG)

    def passes(self, seconds: float) -> None:
        """So many seconds, with a look each."""
        for _ in range(int(seconds)):
            self.now += 1
            self.health.check()

    def begin(self) -> None:
        """The account is there, and Faust asks for its partitions."""
        self.worker._token = "token"
        self.app.started, self.app.rebalancing, self.app.rebalancing_count = True, True, 1


def test_a_first_start_waits_for_the_api_as_long_as_it_takes() -> None:
    fake = Fake()
    fake.passes(2 * health_.STUCK_SECONDS)
    fake.begin()
    fake.passes(health_.SETTLE_SECONDS)
    assert not fake.health.settled


def test_who_never_gets_partitions_is_stuck_long_before_who_does_not_commit() -> None:
    fake = Fake()
    fake.begin()
    with pytest.raises(health_.Stuck, match=r"has 0 of 1 partitions after 1 rebalances, one of which goes on"):
        fake.passes(health_.SETTLE_SECONDS + 1)
    # Faust has started, and never joined.
    fake = Fake()
    fake.begin()
    fake.app.rebalancing, fake.app.rebalancing_count = False, 0
    with pytest.raises(health_.Stuck, match="has 0 of 1 partitions after 0 rebalances"):
        fake.passes(health_.SETTLE_SECONDS + 1)
    # It has them, and they are paused: no fetch has said where one ends.
    fake = Fake()
    fake.begin()
    fake.app.rebalancing, fake.mine = False, {fake.tp}
    with pytest.raises(health_.Stuck, match="has 1 of 1 partitions"):
        fake.passes(health_.SETTLE_SECONDS + 1)


def test_who_has_settled_gets_time_for_each_rebalance_and_each_request() -> None:
    fake = Fake()
    fake.begin()
    fake.passes(health_.SETTLE_SECONDS)
    fake.app.rebalancing, fake.mine, fake.end = False, {fake.tp}, {fake.tp: 5}
    fake.passes(2 * health_.STUCK_SECONDS)
    fake.app.rebalancing, fake.app.rebalancing_count = True, 2
    fake.passes(health_.SETTLE_SECONDS)
    # One of more workers than partitions has none, and nothing to do.
    fake.app.rebalancing, fake.mine = False, set()
    fake.passes(2 * health_.STUCK_SECONDS)
    fake.mine, fake.end = {fake.tp}, {fake.tp: 9}
    with pytest.raises(health_.Stuck, match="stood for 400 s with 4 records to read"):
        fake.passes(health_.STUCK_SECONDS + 2)


def test_who_waits_for_room_is_not_stuck_and_says_so() -> None:
    fake = Fake()
    fake.worker.waits = ROOM
    assert fake.health.report()[1]["parts"]["account"] == {"ok": False, "state": "waits for room on the disk"}
    fake.begin()
    fake.app.rebalancing, fake.mine, fake.end = False, {fake.tp}, {fake.tp: 9}
    fake.passes(2 * health_.STUCK_SECONDS)
    ok, body = fake.health.report()
    assert not ok and body["parts"]["progress"]["state"] == "waits for room on the disk"


async def test_a_full_disk_is_waited_for_and_named(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(emotion_worker, "PATIENCE", 0.0)
    room = asyncio.Event()

    async def services(request: web.Request) -> web.Response:
        if room.is_set():
            return web.json_response({"token": "the account's"}, status=201)
        return web.json_response({"detail": "64 MB free"}, status=507, headers={"Retry-After": "0.01"})

    app = web.Application()
    app.add_routes([web.post("/v1/services", services)])
    async with TestServer(app) as server:
        worker = Worker(str(server.make_url("")), lambda: "operator")
        await worker.start()
        asking = asyncio.create_task(worker.account())
        try:
            await until(lambda: waits(worker), "the worker waits")
            room.set()
            assert await asking == "the account's"
        finally:
            asking.cancel()
            await worker.stop()
    assert worker.waits == ""
    told = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert len(told) == 2 and "507" in told[0] and "64 MB free" in told[0] and "again" in told[1]


async def waits(worker: Worker) -> bool:
    return worker.waits == ROOM


async def test_old_messages_are_left_alone(settings: Settings, world: World, tmp_path: Path) -> None:
    ada = await _with_visual(await world.person("ada"), joy=True)
    room = await ada.group()
    old = {
        "command": "PostMessage", "actor": ada.id, "time": "2004-11-15T12:18:00.000Z", "key": "old", "id": uuid7(),
        "fields": {"room": room, "token": "old", "type": "text", "content": {"text": JOYFUL}},
    }  # fmt: skip
    answer = await world.call("import.orders", {"orders": [old]}, token=operator_token.token(settings))
    assert answer["results"][0]["result"] == "done"
    async with at_work(settings, tmp_path, world):
        new = await ada.say(room, JOYFUL)
        await until(lambda: _is(ada, room, new["id"], "joy"), "the new one is set", 60)
    assert await _emotion(ada, room, str(old["id"])) is None
    assert old["id"] not in [message for message, _, _ in await _detections(settings)]
