"""How fast read models are rebuilt and verified, beside the bare fold and the bare COPY of the same log."""

from __future__ import annotations

from events.registry import REGISTRY
from infra.base import months
from infra.base.settings import Settings
from projectors.core.source import Entry, ResumeAt
from projectors.read_models.projector import event_shards
from projectors.rebuild import fresh
from projectors.rebuild.building import UNSEEN, alone, build, prepare
from projectors.rebuild.cache import RebuildCache
from projectors.rebuild.copying import CHANGES_LAYOUT, copy, layout, parts
from projectors.rebuild.follower import RebuildFollower
from projectors.rebuild.fresh import LONG, beside
from projectors.rebuild.models import model
from projectors.rebuild.reading import ShardReader
from tests.bench.figures import Figure
from tests.bench.filled import filled
from tests.bench.refolding import Work, refold
from tests.bench.scenarios import Options
from tests.bench.sheet import Sheet
from tests.bench.system import System

NAME = "rebuild"
ABOUT = (
    "a log of messages, edits, reads and joins: reading it, the bare fold, the fold and the bare COPY, folding and "
    "storing, rebuild (with indexes, statistics and the switch), verify (with the comparison)"
)
SYSTEMS = ("ours",)
ONCE = True


async def run(system: System, options: Options) -> list[Figure]:
    """Events a second on the clock, and by CPU seconds of our processes and Postgres' (Kafka's are not in it)."""
    sheet = Sheet(NAME, system.name)
    async with filled(system, options) as (own, _):
        settings, entries = own.settings, await _entries(own.settings)
        pieces: dict[str, Work] = {
            "reading": lambda: _entries(settings),
            "fold": lambda: _fold(entries),
            "fold and COPY": lambda: _copied(settings, entries),
            "folding and storing": lambda: _stored(settings),
        }
        await refold(own, sheet, options, pieces)
    return sheet.figures


async def _entries(settings: Settings) -> list[Entry]:
    """The log, decoded."""
    reader, found = ShardReader(settings), list[Entry]()
    await reader.start()
    try:
        for shard, end in (await reader.ends(event_shards(settings))).items():
            async for batch in reader.read(shard, ResumeAt(), end):
                found += batch.entries
    finally:
        await reader.stop()
    return found


async def _fold(entries: list[Entry]) -> RebuildCache:
    state = RebuildCache(whole=True)
    for entry in entries:
        assert entry.record is not None
        state.update(REGISTRY.fold(entry.record, state))
    return state


async def _copied(settings: Settings, entries: list[Entry]) -> None:
    """Folds too: its time is in this one."""
    made = [entity for entity in (await _fold(entries)).values() if entity is not None and entity.kind == "message"]
    records = [entry.record for entry in entries if entry.record is not None]
    schema = beside(settings, "leaving")
    connection = await fresh.connect(settings, schema)
    try:
        await fresh.make(connection, schema, await fresh.wanted(connection, "all", "folding"))
        await months.ensure(connection, schema, {months.month_of(entity.key[1]) for entity in made})
        await copy(connection, CHANGES_LAYOUT, parts(CHANGES_LAYOUT, records), LONG)
        await copy(connection, layout("message"), parts(layout("message"), made), LONG)
        await fresh.drop(connection, schema)
    finally:
        await connection.close()


async def _stored(settings: Settings) -> None:
    schema = beside(settings, "leaving")
    async with alone(settings) as connection:
        await prepare(connection, settings, schema, model("all"), True)
        async with RebuildFollower(settings, schema) as follower:
            ends = await follower.ends(event_shards(settings))
        await build(settings, schema, ends, UNSEEN, 1)
        await fresh.drop(connection, schema)
