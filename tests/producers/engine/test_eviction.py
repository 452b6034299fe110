"""A shard whose cache holds next to nothing: every entity goes and comes back, and decisions stay right.
Tests ``producers/batch/cache.py`` and ``producers/engine/shard.py``."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from events.core.records import Record
from events.members import member_key
from events.rooms import Room, RoomArchived, room_key
from infra.base import postgres
from infra.base.progress import Invalidation, Progress
from infra.base.settings import Settings
from producers.batch.cache import StateCache
from producers.engine import shard
from producers.engine.router import Producers
from producers.members import AddMember
from producers.rooms import ChangeRoom
from projectors.read_models.projector import ReadModels
from tests.events.given import TIME
from tests.producers.shards import ROOM, SHARD, owning, posted
from tests.running import running


class Tiny(StateCache):
    """Keeps one entity that the read models have."""

    def __init__(self, clean: int = 1) -> None:
        super().__init__(1)


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shard, "StateCache", Tiny)


async def test_what_a_turn_needs_may_go_while_it_is_loaded(settings: Settings) -> None:
    async with running(ReadModels(settings)), owning(settings) as one:
        rooms = [f"room-{n}" for n in range(6)]
        for room in rooms:
            await one.room(room, "bob")

        async def talk(room: str, actor: str) -> None:
            for n in range(25):
                await one.say(f"{actor}-{n}", room=room, actor=actor)

        await asyncio.gather(*(talk(room, actor) for room in rooms for actor in ("ada", "bob")))
        for room in rooms:
            assert len(await posted(settings, room)) == 50
        assert one.log.opens == 1, "the shard had to open again"


async def test_what_was_folded_at_opening_stays_until_it_is_open(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tail is folded over entities as of its start; the read models may pass by meanwhile."""
    async with owning(settings) as one:
        await one.room(ROOM)
        await one.do(AddMember(room=ROOM, user="bob"), actor="bob")
        for n in range(20):
            await one.room(f"other-{n}")
        await one.do(AddMember(room=ROOM, user="eve"), actor="eve")
    fold, parts = shard.ShardOwner._fold, 0

    async def one_by_one(self: shard.ShardOwner, connection: postgres.Connection, records: Sequence[Record]) -> None:
        nonlocal parts
        for record in records:
            await fold(self, connection, [record])
            # As far as this owner knows, the read models have all that the log holds.
            self.projected(self._writer.next_offset)
            parts += 1

    monkeypatch.setattr(shard.ShardOwner, "_fold", one_by_one)
    async with owning(settings) as one:
        outcome = await one.do(ChangeRoom(room=ROOM, name="Renamed"))
        room = outcome.state[room_key(ROOM)]
        assert parts > 40 and isinstance(room, Room) and room.members == 3
        assert outcome.state[member_key(ROOM, "ada")] is not None


async def test_a_mended_row_is_what_is_decided_on(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that are changed outside of a turn are told of, and what was loaded of them is loaded again."""
    monkeypatch.setattr(shard, "StateCache", StateCache)
    async with running(ReadModels(settings)), owning(settings) as one:
        await one.room(ROOM)
        await one.projected()
        connection = await postgres.connect(settings)
        try:
            await connection.execute("update rooms set name = 'Mended' where id = $1", ROOM)
        finally:
            await connection.close()
        outcome = await one.do(ChangeRoom(room=ROOM, name="Room"), actor="ada")
        assert not outcome.records, "what was loaded before is still there"
        one.owner.forget()
        outcome = await one.do(ChangeRoom(room=ROOM, name="Room"), actor="ada")
        assert [record.type for record in outcome.records] == ["room.renamed"]


async def test_every_shard_of_a_process_forgets_when_rows_are_mended(settings: Settings) -> None:
    progress = Progress(settings)
    async with owning(settings) as one, await postgres.pool(settings, size=1) as pool:
        producers = Producers(settings, pool, progress)
        producers._shards[SHARD] = one.owner
        await one.room(ROOM)
        before = one.owner._cache.forgotten
        progress._touch(Invalidation(changed=[ROOM]))
        assert one.owner._cache.forgotten == before, "a turn of the projector mends nothing"
        progress._touch(Invalidation(all=True))
        assert one.owner._cache.forgotten == before + 1


def recorded() -> Record:
    return Record(
        topic="rooms", partition=0, offset=7, id="i.0", type="room.archived", stream="ours", time=TIME.format(0),
        actor="ada", command="c", app="default", data=RoomArchived(),
    )  # fmt: skip


def test_what_is_forgotten_is_what_the_read_models_have() -> None:
    cache = StateCache()
    ours, theirs, record = room_key("ours"), room_key("theirs"), recorded()
    cache.add({ours: None, theirs: None})
    cache.commit({ours: None}, [record])
    cache.forget()
    assert (cache.missing([ours, theirs]), cache.forgotten) == ([theirs], 1)
    cache.projected(record.offset + 1)
    cache.forget()
    assert cache.missing([ours, theirs]) == [ours, theirs]
