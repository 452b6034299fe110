"""A bad event parks its stream and only that; after a fix the stream is redriven in order."""

from __future__ import annotations

from typing import Any

import pytest

from events.core.positions import Shard
from events.core.records import Changes, Record, State
from events.messages import MessagePosted
from events.registry import REGISTRY
from infra.base.settings import Settings
from projectors.core import metrics
from projectors.read_models.projector import ReadModels
from projectors.read_models.redrive import redrive
from tests.given import Given, given
from tests.projectors.scenes import created, joined, posted
from tests.running import running, until

SCENE = [created("r", "ada"), joined("r", "ada"), created("s", "ada"), joined("s", "ada")]


def _break(monkeypatch: pytest.MonkeyPatch, bad: str) -> None:
    """Makes the fold of messages with this text fail, as a fault of our own would."""
    row = REGISTRY.events["message.posted"]

    def fold(record: Record[MessagePosted], state: State) -> Changes:
        if record.data.content["text"] == bad:
            raise RuntimeError(f"cannot take {bad}")
        return row.fold(record, state)

    monkeypatch.setitem(REGISTRY.events, "message.posted", row._replace(fold=fold))


async def _seqs(writer: Given) -> dict[str, int]:
    return {row["id"]: row["seq"] for row in await writer.connection.fetch("select id, seq from rooms")}


async def _parked(writer: Given) -> list[Any]:
    return await writer.connection.fetch('select * from parked order by topic, partition, "offset"')


async def test_a_bad_event_parks_its_stream_only(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    _break(monkeypatch, "bad")
    async with given(settings, *SCENE, posted("r", "ada", 1), posted("r", "ada", 2, "bad")) as writer:
        await writer.events(posted("s", "ada", 1), posted("r", "ada", 3), posted("s", "ada", 2), posted("r", "ada", 4))
        await writer.then({})
        assert await _seqs(writer) == {"r": 1, "s": 2}
        parked = await _parked(writer)
        assert [row["stream"] for row in parked] == ["r", "r", "r"]
        assert "cannot take bad" in parked[0]["error"] and "behind" in parked[1]["error"]
        assert metrics.PARKED_STREAMS.labels("read_models")._value.get() == 1


async def test_redrive_applies_in_order_and_the_stream_goes_on(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with given(settings, *SCENE) as writer, running(ReadModels(settings)):
        with monkeypatch.context() as broken:
            _break(broken, "bad")
            await writer.events(posted("r", "ada", 1, "bad"), posted("r", "ada", 2))
            await writer.level()
            assert await redrive(writer.connection, settings, "r") == (0, 2)
        await writer.events(posted("r", "ada", 3))
        await writer.level()
        assert await _seqs(writer) == {"r": 0, "s": 0}
        assert await redrive(writer.connection, settings, "r") == (3, 0)
        # The running projector learns that the stream is free again.
        await writer.events(posted("r", "ada", 4))
        await writer.level()
        assert await _seqs(writer) == {"r": 4, "s": 0}
        assert await _parked(writer) == []
        rows = await writer.connection.fetch("select seq from messages order by version")
        assert [row["seq"] for row in rows] == [1, 2, 3, 4]


async def test_redrive_stops_at_the_first_that_still_fails(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    async with given(settings, *SCENE) as writer:
        with monkeypatch.context() as broken:
            _break(broken, "bad")
            await writer.events(posted("r", "ada", 1, "bad"), posted("r", "ada", 2, "worse"), posted("r", "ada", 3))
            await writer.then({})
        _break(monkeypatch, "worse")
        assert await redrive(writer.connection, settings, "r") == (1, 2)
        assert await _seqs(writer) == {"r": 1, "s": 0}
        assert "cannot take worse" in (await _parked(writer))[0]["error"]


async def test_what_postgres_cannot_hold_is_parked(settings: Settings) -> None:
    async with given(settings, *SCENE, posted("r", "ada", 1, "nul \x00"), posted("s", "ada", 1)) as writer:
        await writer.then({})
        assert await _seqs(writer) == {"r": 0, "s": 1}
        assert len(await _parked(writer)) == 1


async def test_unreadable_data_is_parked_and_an_unknown_type_is_passed_over(settings: Settings) -> None:
    def envelope(type: str, data: str) -> bytes:
        good = writer.value(posted("r", "ada", 1)).decode()
        head = good.replace('"message.posted"', f'"{type}"')
        return f'{head[: head.index(chr(34) + "data" + chr(34))]}"data":{data}}}'.encode()

    async with given(settings, *SCENE) as writer:
        shard: Shard = writer.shard("rooms", "r")
        skipped = metrics.SKIPPED.labels("read_models")._value.get()
        await writer.raw(shard, (b"r", envelope("room.exploded", '{"size": 1}')))
        await writer.events(posted("r", "ada", 1))
        await writer.raw(shard, (b"r", envelope("message.posted", '{"seq": "two"}')), (b"q", b"no json"))
        await writer.events(posted("r", "ada", 2), posted("s", "ada", 1))
        await writer.then({})
        assert metrics.SKIPPED.labels("read_models")._value.get() == skipped + 1
        assert await _seqs(writer) == {"r": 1, "s": 1}
        assert [(row["stream"], row["value"]) for row in await _parked(writer) if row["stream"] == "q"] == [
            ("q", b"no json")
        ]
        assert len([row for row in await _parked(writer) if row["stream"] == "r"]) == 2


async def test_a_missing_table_is_no_events_fault(settings: Settings) -> None:
    projector = ReadModels(settings)
    async with given(settings, *SCENE) as writer:
        await writer.connection.execute("alter table messages rename to elsewhere")
        async with running(projector):
            await writer.events(posted("r", "ada", 1))

            async def failed() -> bool:
                return "UndefinedTable" in (projector.health()["error"] or "")

            await until(failed, "the session ends with the error")
            assert await _parked(writer) == []
            await writer.connection.execute("alter table elsewhere rename to messages")
            await writer.level()
        assert await _seqs(writer) == {"r": 1, "s": 0}
