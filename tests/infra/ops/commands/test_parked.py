"""``klatsch parked``: what waits and why, retrying after a fix, and skipping for good."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from rich.console import Console

from events.core.positions import Position
from events.core.records import Changes, Record, State
from events.messages import MessagePosted
from events.registry import REGISTRY
from infra.base import postgres
from infra.base.settings import Settings
from infra.ops.commands import parked, retrying, skipping
from infra.ops.commands.errors import CannotDo
from projectors.core.parking import skipped_events
from projectors.read_models.projector import ReadModels
from tests.infra.ops.operating import SCENE, Heard, Writer, history, klatsch
from tests.projectors.scenes import created, joined, posted
from tests.running import running


def _break(monkeypatch: pytest.MonkeyPatch, *bad: str) -> None:
    """Makes the fold of messages with these texts fail, as a bad deployment would."""
    row = REGISTRY.events["message.posted"]

    def fold(record: Record[MessagePosted], state: State) -> Changes:
        if record.data.content["text"] in bad:
            raise RuntimeError(f"cannot take {record.data.content['text']}")
        return row.fold(record, state)

    monkeypatch.setitem(REGISTRY.events, "message.posted", row._replace(fold=fold))


async def _level(writer: Writer) -> None:
    async with running(ReadModels(writer.settings)):
        await writer.level()


async def _seqs(writer: Writer) -> dict[str, int]:
    return {row["id"]: row["seq"] for row in await writer.connection.fetch("select id, seq from rooms")}


async def test_what_waits_is_listed_and_shown(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    _break(monkeypatch, "bad")
    async with history(settings, *SCENE) as writer:
        bad, behind = await writer.events(posted("stars", "ada", 3, "bad"), posted("stars", "bob", 4, "behind"))
        (nul,) = await writer.events(posted("moons", "bob", 2, "nul \x00"))
        await _level(writer)
        heard = Heard()
        await parked.listing(settings, json=True, say=heard.append)
        rows = {row["stream"]: row for row in map(msgspec.json.decode, heard)}
        assert rows["stars"]["waiting"] == 2 and rows["stars"]["offset"] == bad.offset
        assert rows["moons"]["waiting"] == 1 and "cannot take bad" in rows["stars"]["error"]
        for what in ("stars", str(bad)):
            heard.clear()
            await parked.show(settings, what, json=False, say=heard.append)
            assert heard[0] == f"{bad}  message.posted of stars" and "1 wait behind it" in heard
            assert 'room stars: {"id":"stars"' in heard.text and '"seq":2' in heard.text
            assert f"  {behind} message.posted: behind" in heard.text and '"text": "bad"' in heard.text
        heard.clear()
        await parked.show(settings, str(nul), json=True, say=heard.append)
        assert msgspec.json.decode(heard.text)["value"]["data"]["content"]["text"] == "nul \x00"
        with pytest.raises(CannotDo, match="expected a parked stream or the position of a parked event, got suns"):
            await parked.show(settings, "suns", json=False, say=heard.append)


async def test_a_bad_deployment_is_drained_with_one_command(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    rooms = [f"room-{number}" for number in range(60)]
    facts = [fact for room in rooms for fact in (created(room, "ada"), joined(room, "ada"))]
    async with history(settings, *SCENE, *facts) as writer:
        with monkeypatch.context() as broken:
            _break(broken, "hello", "worse")
            for seq in (1, 2, 3):
                await writer.events(*(posted(room, "ada", seq) for room in rooms))
            await writer.events(posted("stars", "ada", 3, "worse"))
            await _level(writer)
        _break(monkeypatch, "worse")
        with Console(record=True, width=200) as console:
            assert not await retrying.retry(settings, None, jobs=4, console=console)
        said = console.export_text()
        assert "180 events of 61 streams applied; 60 streams are free" in said
        assert "1 streams still wait, with 1 events" in said and "stars: FoldError" in said
        seqs = await _seqs(writer)
        assert {seqs[room] for room in rooms} == {3} and seqs["stars"] == 2
        with pytest.raises(CannotDo, match="expected a stream with parked events, got room-1"):
            await retrying.retry(settings, "room-1")


async def test_streams_are_retried_while_the_projector_goes_on(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    rooms = [f"room-{number}" for number in range(20)]
    facts = [fact for room in rooms for fact in (created(room, "ada"), joined(room, "ada"))]
    async with history(settings, *SCENE, *facts) as writer, running(ReadModels(settings)):
        with monkeypatch.context() as broken:
            _break(broken, "hello")
            await writer.events(*(posted(room, "ada", 1) for room in rooms))
            await writer.level()
        retrying_all = asyncio.create_task(retrying.retry(settings, None, jobs=4))
        for seq in range(2, 8):
            await writer.events(*(posted(room, "ada", seq, "fine") for room in rooms))
        await retrying_all
        await writer.level()
        # What came between the look at a stream and its turn waits behind nothing by now.
        assert await retrying.retry(settings, None)
        seqs = await _seqs(writer)
        assert {seqs[room] for room in rooms} == {7}
        rows = await writer.connection.fetch(
            "select room, array_agg(seq order by version) seqs from messages group by 1"
        )
        assert all(list(row["seqs"]) == sorted(row["seqs"]) for row in rows)


async def test_a_skipped_event_is_left_out_for_good(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    _break(monkeypatch, "bad")
    async with history(settings, *SCENE) as writer:
        bad, *_ = await writer.events(posted("stars", "ada", 3, "bad"), posted("stars", "bob", 4, "behind"))
        await _level(writer)
        heard = Heard()
        with pytest.raises(CannotDo, match="--reason: expected the reason for"):
            await skipping.skip(settings, bad, " ", "", say=heard.append)
        with pytest.raises(CannotDo, match="expected the position of a parked event, got rooms/0/9999"):
            await skipping.skip(settings, Position("rooms", 0, 9999), "because", "", say=heard.append)
        assert heard == [] and (await _seqs(writer))["stars"] == 2
        await skipping.skip(settings, bad, "made by a test", "grace", say=heard.append)
        assert heard[-1] == "1 events behind it applied; the stream is free"
        assert (await _seqs(writer))["stars"] == 4
        heard.clear()
        await skipping.listing(settings, json=True, say=heard.append)
        row = msgspec.json.decode(heard.text)
        assert (row["offset"], row["reason"], row["operator"]) == (bad.offset, "made by a test", "grace")
        assert await skipped_events(writer.connection, "read_models") == {(bad.shard, bad.offset)}
        before = await _messages(writer)
        await _anew(writer)
        # The fold is still broken, and still nothing is parked.
        assert await _messages(writer) == before and len(before) == 4
        assert await writer.connection.fetchval("select count(*) from parked") == 0


async def _messages(writer: Writer) -> list[tuple[str, int, int]]:
    rows = await writer.connection.fetch("select id, seq, version from messages order by id")
    return [(row["id"], row["seq"], row["version"]) for row in rows]


async def _anew(writer: Writer) -> None:
    """Folds the log into new, empty tables."""
    await writer.connection.execute(f'drop schema "{writer.settings.schema}" cascade')
    script = (postgres.SQL / "schema_live.sql").read_text(encoding="utf-8")
    await writer.connection.execute(f'create schema "{writer.settings.schema}"')
    await writer.connection.execute(script)
    await _level(writer)


async def test_the_command_line(settings: Settings) -> None:
    async with history(settings, *SCENE) as writer:
        assert await klatsch(settings, "parked") == "Nothing is parked.\n"
        assert "Nothing is parked." in await klatsch(settings, "parked", "retry", "--all")
        assert "expected options after" in await klatsch(settings, "parked", "--json", "list", expected=1)
        (nul,) = await writer.events(posted("moons", "bob", 2, "nul \x00"))
        await writer.events(posted("moons", "bob", 3, "behind"))
        await _level(writer)
        assert f"  {nul} message.posted: " in await klatsch(settings, "parked", "list")
        assert "1 streams still wait" in await klatsch(settings, "parked", "retry", "--all", expected=1)
        assert "expected a stream's id or --all, got neither" in await klatsch(settings, "parked", "retry", expected=1)
        said = await klatsch(settings, "parked", "skip", nul_text := str(nul), "--reason", "not storable", "--by", "me")
        assert "the stream is free" in said
        assert "by me: not storable" in await klatsch(settings, "parked", "skipped")
        again = await klatsch(settings, "parked", "skip", nul_text, "--reason", "x", expected=1)
        assert "expected the position of a parked event" in again
