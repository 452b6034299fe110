"""An event changes from v1 to v2 on a real log: old records still fold, old readers wait at what they do not know.
Tests ``events/registry.py``, ``projectors/read_models/`` and ``projectors/as_of/``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema
import msgspec
import pytest

from events.core.clock import now, uuid7
from events.core.log import TermFilter
from events.core.positions import Position, Shard
from events.core.records import Changes, Event, NewerVersion, Record, Registry, State, Upcaster
from events.registry import REGISTRY
from events.rooms import Room, RoomRenamed, changed, room_key
from infra.base import rows
from infra.base.settings import Settings
from infra.ops.generate import contracts
from infra.ops.generate.files import tree
from producers.engine.log import read_tail
from projectors.as_of import folding
from projectors.as_of import rooms as past
from projectors.core import source
from projectors.read_models import applying, messages
from projectors.read_models.projector import ReadModels
from tests.given import Fact, Given, given
from tests.projectors.scenes import created, joined, registered
from tests.running import running

NAME = "room.renamed"
V1 = REGISTRY.events[NAME]


class RoomRenamedV2(Event, frozen=True, kw_only=True):
    """The same, with a field that must be there."""

    name: str
    reason: str


def renamed(record: Record, state: State) -> Changes:
    assert isinstance(record.data, RoomRenamedV2)
    return changed(record, state, name=record.data.name, description=f"renamed: {record.data.reason}")


def lift(data: dict[str, Any]) -> dict[str, Any]:
    return {**data, "reason": "not told"}


def evolved(upcasters: tuple[Upcaster, ...] = (Upcaster(1, lift),)) -> Registry:
    """The registry of the code to come: all as it is, but ``room.renamed`` in version 2."""
    v2 = V1._replace(
        struct=RoomRenamedV2, version=V1.version + 1, upcasters=upcasters, fold=renamed, sets=(),
        sample=RoomRenamedV2(name="Difference Engine", reason="a better word"),
    )  # fmt: skip
    entries = [v2 if row.name == NAME else row for row in REGISTRY.events.values()]
    return Registry(entries, tuple(REGISTRY.entities.values()))


@pytest.fixture
def upgraded(monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """The read models are those of the code to come."""
    new = evolved()
    for module in (source, applying, messages, folding):
        monkeypatch.setattr(module, "REGISTRY", new)
    folding.decoder.cache_clear()
    yield new
    folding.decoder.cache_clear()


async def appended(writer: Given, new: Registry, event: Event) -> Position:
    """A record that code of version 2 writes."""
    id, shard = uuid7(), writer.shard("rooms", "r")
    value = new.encode(event, id=id, source="klatsch/new", stream="r", time=now(), actor="ada", command=id)
    return (await writer.raw(shard, (b"r", value)))[0]


HISTORY = [registered("ada"), created("r", "ada"), joined("r", "ada"), Fact("r", RoomRenamed(name="Old"), "ada")]


async def test_old_records_fold_in_new_code(settings: Settings, upgraded: Registry) -> None:
    async with given(settings, *HISTORY) as writer:
        async with running(ReadModels(settings)):
            await writer.level()
            first = (await rows.load(writer.connection, [room_key("r")]))[room_key("r")]
            assert isinstance(first, Room) and (first.name, first.description) == ("Old", "renamed: not told")
            end = writer.ends[writer.shard("rooms", "r")]
            await appended(writer, upgraded, RoomRenamedV2(name="New", reason="because"))
            await writer.level()
        last = (await rows.load(writer.connection, [room_key("r")]))[room_key("r")]
        assert isinstance(last, Room) and (last.name, last.description) == ("New", "renamed: because")
        stored = await writer.connection.fetch('select data from changes where type = $1 order by "offset"', NAME)
        assert [row["data"] for row in stored] == [
            {"name": "Old", "reason": "not told"}, {"name": "New", "reason": "because"}
        ]  # fmt: skip
        # And as of a moment between the two: the same fold, of the same rows.
        assert await past.room(writer.connection, "r", end, past.Kept()) == first
        assert not await writer.connection.fetch("select from parked")


async def test_an_old_reader_reads_what_it_knows(settings: Settings) -> None:
    """A field that may be missing is no new version."""
    async with given(settings, *HISTORY) as writer:
        value = writer.value(Fact("r", RoomRenamed(name="New"), "ada"))
        more = value.replace(b'"data":{', b'"data":{"reason":"because",')
        (position,) = await writer.raw(writer.shard("rooms", "r"), (b"r", more))
        await writer.then({})
        found = (await rows.load(writer.connection, [room_key("r")]))[room_key("r")]
        assert isinstance(found, Room) and (found.name, found.description, found.version) == (
            "New",
            None,
            position.offset,
        )
        assert not await writer.connection.fetch("select from parked")
        record = await one(settings, position)
        assert record.data == RoomRenamed(name="New")
        # What it hands on is whole: a reader behind it may know more.
        assert msgspec.json.decode(record.raw) == {"reason": "because", "name": "New"}
        jsonschema.validate(msgspec.json.decode(record.raw), contracts.event(V1))


async def test_an_old_reader_waits_at_a_newer_version(settings: Settings) -> None:
    new = evolved()
    async with given(settings, *HISTORY) as writer:
        position = await appended(writer, new, RoomRenamedV2(name="New", reason="because"))
        await writer.then({})
        parked = await writer.connection.fetch("select stream, error from parked")
        assert [row["stream"] for row in parked] == ["r"]
        assert f"expected {NAME} of version {V1.version} at most, got {V1.version + 1}" in parked[0]["error"]
        with pytest.raises(NewerVersion):
            await one(settings, position)
        found = (await rows.load(writer.connection, [room_key("r")]))[room_key("r")]
        assert isinstance(found, Room) and found.name == "Old"


async def one(settings: Settings, position: Position) -> Record:
    """A record of the log, as code of today reads it."""
    rule = TermFilter()
    async for raws in read_tail(settings, settings.topic(position.topic), position.partition, 0, position.offset):
        for raw in raws:
            if rule.admits(raw.offset, raw.headers) and raw.offset == position.offset:
                return REGISTRY.decode(raw.value, *Shard(position.topic, position.partition), raw.offset)
    raise AssertionError(f"expected a valid record at {position}")


async def test_what_cannot_be_lifted_waits_and_nothing_else_does(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An upcaster with a fault parks the streams that it meets; with a better one they go on."""
    broken = evolved((Upcaster(1, lambda data: {**data, "reason": data["because"]}),))
    monkeypatch.setattr(source, "REGISTRY", broken)
    async with given(settings, *HISTORY, created("other", "ada")) as writer:
        await writer.then({room_key("nowhere"): None})
        parked = await writer.connection.fetch("select stream, error from parked")
        assert [row["stream"] for row in parked] == ["r"] and "because" in parked[0]["error"]
        found = await rows.load(writer.connection, [room_key("r"), room_key("other")])
        assert {key[1]: None if one is None else one.name for key, one in found.items() if isinstance(one, Room)} == {
            "r": "r", "other": "other",
        }  # fmt: skip


def refused(new: Registry) -> list[str]:
    """What the check says of the code to come, beside the schemas and golden records that there are."""
    before = tree("schemas/events")
    after = {path: text for path, text in contracts.schemas(new).items() if "events/" in path}
    return contracts.readable(tree("schemas/golden"), new) + contracts.history(before, {**before, **after}, new)


def test_the_check_lets_a_lifted_change_pass_and_refuses_others() -> None:
    assert refused(REGISTRY) == [] and refused(evolved()) == []
    without = refused(evolved(upcasters=()))
    assert any(f"{NAME} {V1.version} -> {V1.version + 1}: data.reason: required" in line for line in without)
    assert any("can no longer be read" in line for line in without)
    like = REGISTRY.events["room.created"]
    lost = like._replace(struct=RoomRenamed, sample=RoomRenamed(name="x"), version=like.version + 1)
    entries = [lost if row.name == like.name else row for row in REGISTRY.events.values() if row.name != NAME]
    bare = [row._replace(sets=()) for row in entries]
    assert any("the field was removed" in line for line in refused(Registry(bare, ())))
