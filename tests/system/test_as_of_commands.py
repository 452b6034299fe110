"""``as_of`` of the moment after any command == what the rows were then, and what the log folds to.

What people do at random, tests/system/test_as_of.py reads back; here nothing can be left out: a command or an event
type that is not acted fails by its name. Tests ``projectors/as_of/``.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any, NamedTuple

from events.core.positions import Shard, Vector
from events.core.records import Entity, Key, Record, is_of
from events.messages import Message, MessagePosted
from events.registry import REGISTRY
from infra.base import event_types, kafka, rows
from infra.base.progress import Progress
from infra.base.settings import Settings
from producers import registry
from producers.engine.router import partition_of
from projectors.as_of.rooms import ANNOUNCED
from projectors.erasure.sweeping import pending, sweep
from projectors.read_models.projector import ReadModels
from projectors.rebuild.models import MODELS
from projectors.rebuild.run import rebuild
from projectors.verify.run import verify
from tests.given import Fact, Given, given
from tests.projectors.rebuilding import tables
from tests.running import PATIENCE, running
from tests.system import log
from tests.system.deciding import Act, World, worlds
from tests.system.log import Entities
from tests.system.test_as_of import entities_agree

#: Further moments of each world, at random.
MOMENTS = 1


class Seen(NamedTuple):
    """A moment, and what the rows were."""

    vector: Vector
    rows: dict[Key, Entity]


async def append(writer: Given, acts: list[Act]) -> None:
    """Each in a batch, as the owner of its shard does."""
    for act in acts:
        shard = Shard(act.topic, partition_of(act.stream, writer.settings.partitions))
        values = [
            writer.value(Fact(act.stream, one.data, one.actor, one.command, one.time, app=one.app))
            for one in act.records
        ]
        await writer.raw(shard, *((act.stream.encode(), value) for value in values))


def vector_of(writer: Given) -> Vector:
    """Where all shards stand."""
    shards = (Shard(topic, n) for topic in kafka.EVENT_TOPICS for n in range(writer.settings.partitions))
    return {shard: writer.ends.get(shard, 0) for shard in shards}


async def present(connection: Any) -> dict[Key, Entity]:
    """All rows, as entities."""
    found: dict[Key, Entity] = {}
    for kind, table in rows.TABLES.items():
        for row in await connection.fetch(f"select {rows.columns(kind)} from {table}"):  # noqa: S608
            entity = rows.from_row(REGISTRY.entities[kind], row)
            found[entity.key] = entity
    return found


async def told(writer: Given, progress: Progress, world: World, random: Random) -> list[Seen]:
    """Writes all that happens in a world; what the rows are after its command, and at some other moments."""
    places = {world.after - 1, world.after, *(random.randint(0, len(world.acts)) for _ in range(MOMENTS))}
    seen, last = list[Seen](), 0
    for place in sorted(places):
        await append(writer, world.acts[last:place])
        await progress.reach(writer.ends, PATIENCE)
        seen.append(Seen(vector_of(writer), await present(writer.connection)))
        last = place
    await append(writer, world.acts[last:])
    return seen


def of_world(world: World, found: list[Record]) -> list[Record]:
    streams = world.streams
    return [record for record in found if record.stream in streams]


def below(found: list[Record], vector: Vector) -> Entities:
    return log.folded([one for one in found if one.offset < vector[Shard(one.topic, one.partition)]])


def all_of_it_is_acted(found: list[Record]) -> None:
    commands, types = {one.command.partition(":")[0] for one in found}, {one.type for one in found}
    missing = sorted(registry.COMMANDS_BY_NAME.keys() - commands)
    assert not missing, (
        f"commands that are not acted: {missing}; give each an example in tests/producers/test_commands.py"
    )
    missing = sorted(REGISTRY.events.keys() - types)
    assert not missing, f"event types that are not acted: {missing}; add each to FURTHER in tests/system/deciding.py"


def rows_of_the_registry_are_true(found: list[Record], state: Entities) -> None:
    """What reads of the past rely on, of all events and not of samples only."""
    for record in found:
        kinds = event_types.kinds(REGISTRY.events[record.type])
        for key in REGISTRY.keys(record):
            assert key[0] in kinds, f"{record.type}: expected a sample that names all that it may, got none of {key[0]}"
            if key[0] == "member":
                assert key[-1] in (record.actor, getattr(record.data, "user", "")), record
    posted = {one.data.message for one in found if is_of(one, MessagePosted)}
    for message in state.of(Message):
        assert (message.id in posted) == (message.type not in ANNOUNCED), message


async def _forget(ids: Sequence[str]) -> None:
    """What the vault would be told."""


async def test_the_past_is_what_was_read_then(settings: Settings) -> None:
    random, acted, seen = Random(0), worlds(0), list[list[Seen]]()
    async with given(settings) as writer:
        progress = Progress(settings)
        async with running(ReadModels(settings)):
            await progress.start()
            try:
                for world in acted:
                    seen.append(await told(writer, progress, world, random))
                await progress.reach(writer.ends, PATIENCE)
            finally:
                await progress.stop()
        found, _ = await log.records(settings)
        all_of_it_is_acted(found)
        rows_of_the_registry_are_true(found, log.folded(found))
        for world, moments in zip(acted, seen, strict=True):
            records = of_world(world, found)
            now = log.folded(records)
            for moment in moments:
                then = below(records, moment.vector)
                there = {key: one for key, one in then.items() if one is not None}
                assert there == {key: moment.rows.get(key) for key in there}, world.name
                await entities_agree(writer.connection, moment.vector, then, now)
        # Nothing is compared while rows of an erased application are there.
        for app in await pending(writer.connection):
            await sweep(settings, app, _forget)
        assert (await verify(settings, MODELS["all"], jobs=1)).equal
        before = await tables(writer.connection, settings.schema)
        await rebuild(settings, MODELS["all"], jobs=1)
        after = await tables(writer.connection, settings.schema)
        # How many rows went is known to the tables from which they did.
        assert {**after, "erasures": None} == {**before, "erasures": None}


def test_worlds_go_on_after_their_commands() -> None:
    """So that the past is compared, and not the present with itself."""
    assert sum(len(world.acts) > world.after for world in worlds(0)) > len(registry.COMMANDS_BY_NAME) * 0.9
