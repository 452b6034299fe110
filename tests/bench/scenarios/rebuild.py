"""How fast read models are made anew and verified, beside the bare fold and the bare COPY of the same log."""

from __future__ import annotations

from events import REGISTRY
from infra import months
from infra.settings import Settings
from projectors.read_models import event_shards
from projectors.rebuild import fresh
from projectors.rebuild.building import UNSEEN, alone, build, prepare
from projectors.rebuild.cache import Cache
from projectors.rebuild.copying import CHANGES_LAYOUT, copy, layout, parts
from projectors.rebuild.follower import Follower
from projectors.rebuild.fresh import LONG, beside
from projectors.rebuild.models import model
from projectors.rebuild.reading import Reader
from projectors.source import Entry, Place
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
    reader, found = Reader(settings), list[Entry]()
    await reader.start()
    try:
        for shard, end in (await reader.ends(event_shards(settings))).items():
            async for batch in reader.read(shard, Place(), end):
                found += batch.entries
    finally:
        await reader.stop()
    return found


async def _fold(entries: list[Entry]) -> Cache:
    state = Cache(whole=True)
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
        async with Follower(settings, schema) as follower:
            ends = await follower.ends(event_shards(settings))
        await build(settings, schema, ends, UNSEEN, 1)
        await fresh.drop(connection, schema)
