"""What a shard does not decide, and says so: too far ahead, too much at once, a parked stream, a fault of ours.
Tests ``producers/engine/shard.py``."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
import pytest

from events.core.clock import now
from events.core.records import Changes, Event, Record, State
from events.messages import MessagePosted
from events.registry import REGISTRY
from infra.base import postgres
from infra.base.settings import Settings
from producers import registry
from producers.batch.command_batch import Internal
from producers.commands import CommandEnvelope, CommandType, Unavailable
from producers.messages import PostMessage
from projectors.read_models.projector import ReadModels
from projectors.read_models.redrive import redrive
from tests.producers.shards import owning, posted, settled
from tests.running import running, until

Append = Callable[..., Awaitable[int]]
Records = Sequence[tuple[bytes, bytes]]


async def answer(saying: Awaitable[MessagePosted]) -> MessagePosted | str:
    """What was posted, or the code of why it was not decided."""
    try:
        return await saying
    except Unavailable as unavailable:
        return unavailable.code


async def test_too_far_ahead_of_the_read_models_is_lagging(settings: Settings) -> None:
    small = msgspec.structs.replace(settings, shard_lag=20)
    async with owning(small) as shard:
        await shard.room()
        answers = [await answer(shard.say(f"t{n}")) for n in range(40)]
        said = sum(isinstance(one, MessagePosted) for one in answers)
        assert 15 < said < 25 and set(answers[said:]) == {"lagging"}
        async with owning(small, "new:1") as opening:
            assert await answer(opening.say("new")) == "lagging" and not opening.owner.open
            async with running(ReadModels(settings)):
                await settled(opening)
                assert (await opening.say("new")).seq == said + 1
        assert len(await posted(settings)) == said + 1


async def test_a_full_queue_is_overloaded(settings: Settings) -> None:
    async with owning(msgspec.structs.replace(settings, shard_queue=5)) as shard:
        await shard.room()
        gate = asyncio.Event()

        async def instead(append: Append, records: Records) -> int:
            await gate.wait()
            return await append(records)

        shard.log.instead = instead
        sending = [asyncio.create_task(shard.say(f"t{n}")) for n in range(20)]

        # One is being appended, or five: those that came after them found the queue full.
        done, _ = await asyncio.wait(sending, timeout=0.3)
        assert {await answer(task) for task in done} == {"overloaded"} and len(done) in (14, 15)
        gate.set()
        answers = [await answer(task) for task in sending]
        told = {one.token: one.seq for one in answers if isinstance(one, MessagePosted)}
        assert await posted(settings) == told and len(told) == 20 - len(done)


async def test_a_parked_stream_refuses_and_others_go_on(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    async with owning(settings) as shard:
        await shard.room("bad")
        await shard.room("good")
        await shard.say("1", room="bad")
        with monkeypatch.context() as broken:
            _break_fold(broken, "1")
            async with running(ReadModels(settings)):

                async def parked() -> bool:
                    return "bad" in shard.progress.parked

                await until(parked, "the stream is parked")
                assert await answer(shard.say("2", room="bad")) == "parked"
                assert (await shard.say("2", room="good")).seq == 1
                async with owning(settings, "new:1") as new:
                    assert await answer(new.say("2", room="bad")) == "parked"
                    assert (await new.say("3", room="good")).seq == 2
        connection = await postgres.connect(settings)
        try:
            assert await redrive(connection, settings, "bad") == (1, 0)
        finally:
            await connection.close()

        async def free() -> bool:
            return "bad" not in shard.progress.parked

        await until(free, "the stream is no longer parked")
        async with running(ReadModels(settings)):
            assert (await shard.say("2", room="bad")).seq == 2
            shard.owner._cache.clear()
            await shard.projected()
        assert await posted(settings, "bad") == {"1": 1, "2": 2}


def _break_fold(monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    row = REGISTRY.events["message.posted"]

    def fold(record: Record, state: State) -> Changes:
        assert isinstance(record.data, MessagePosted)
        if record.data.token == token and record.stream == "bad":
            raise RuntimeError("the test says so")
        return row.fold(record, state)

    monkeypatch.setitem(REGISTRY.events, "message.posted", row._replace(fold=fold))


@pytest.mark.parametrize("where", ["decide", "fold"])
async def test_a_command_that_meets_a_fault_fails_alone(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    async with owning(settings) as shard:
        await shard.room("bad")
        await shard.room("good")
        if where == "fold":
            _break_fold(monkeypatch, "t1")
        else:
            _break_decide(monkeypatch, "t1")
        opens = shard.log.opens
        answers = await asyncio.gather(
            *(shard.say(f"t{n}", room=room) for n in range(3) for room in ("bad", "good")), return_exceptions=True
        )
        assert [type(answer) for answer in answers].count(Internal) == 1 and isinstance(answers[2], Internal)
        assert shard.log.opens == opens
        assert await posted(settings, "bad") == {"t0": 1, "t2": 2}
        assert await posted(settings, "good") == {"t0": 1, "t1": 2, "t2": 3}


def _break_decide(monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    row = registry.of(PostMessage(room="r", token="t", content={}))

    def decide(envelope: CommandEnvelope[PostMessage], state: State) -> list[Event]:
        if envelope.command.token == token and envelope.command.room == "bad":
            raise RuntimeError("the test says so")
        return row.decide(envelope, state)

    rows: dict[Any, CommandType] = registry._BY_STRUCT
    monkeypatch.setitem(rows, PostMessage, row._replace(decide=decide))


async def test_a_stream_with_an_event_of_a_newer_version_refuses_and_others_go_on(settings: Settings) -> None:
    async with owning(settings) as shard:
        await shard.room("bad")
        await shard.room("good")
        said = await shard.say("1", room="bad")
        value = REGISTRY.encode(
            said, id="n", source="klatsch/new", stream="bad", time=now(), actor="ada", command="PostMessage:n"
        )
        await shard.log.append([(b"bad", value.replace(b"message.posted:2", b"message.posted:3"))])
        async with owning(settings, "new:1") as new:
            # What the new owner cannot read it decides nothing on.
            assert await answer(new.say("2", room="bad")) == "parked"
            assert (await new.say("2", room="good")).seq == 1


async def test_a_command_nobody_waits_for_any_more_is_not_decided(settings: Settings) -> None:
    async with owning(settings) as shard:
        await shard.room()
        shard.owner._settings = msgspec.structs.replace(settings, command_seconds=0.3)
        gate = asyncio.Event()

        async def instead(append: Append, records: Records) -> int:
            await gate.wait()
            return await append(records)

        shard.log.instead = instead
        first = asyncio.create_task(shard.say("first"))
        second: asyncio.Task[Any] | None = None
        while second is None:
            await asyncio.sleep(0)
            if shard.log.appends == 2:
                second = asyncio.create_task(shard.say("second"))
        assert [await answer(first), await answer(second)] == ["unknown", "unknown"]
        shard.owner._settings = settings
        gate.set()
        # The first was on its way and stands in the log; the second never got there.
        assert (await shard.say("third")).seq == 2
        assert await posted(settings) == {"first": 1, "third": 2}
