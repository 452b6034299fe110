"""What an operator may ask for: rebuild, switch back, drop the old schema."""

from __future__ import annotations

import time

import msgspec

from events.core.positions import Shard
from infra.base import postgres
from infra.base.settings import Settings
from projectors.rebuild import fresh
from projectors.rebuild.building import UNSEEN, Watch, alone, build, exists, finish, prepare
from projectors.rebuild.cleared import cleared, swept
from projectors.rebuild.follower import RebuildFollower
from projectors.rebuild.fresh import RebuildError, beside
from projectors.rebuild.models import MODELS, Model
from projectors.rebuild.reading import Tally
from projectors.rebuild.switching import positions, switch


class RebuildReport(msgspec.Struct, kw_only=True):
    """What a rebuild did; times in seconds."""

    model: str
    #: Records read, and what they were.
    log: Tally
    folding: float = 0.0
    indexes: float = 0.0
    #: For how long the switch kept the projector waiting.
    held: float = 0.0
    total: float = 0.0


async def rebuild(
    settings: Settings, model: Model, *, jobs: int, restart: bool = False, keep: bool = False, watch: Watch = UNSEEN
) -> RebuildReport:
    """Folds the model again beside what serves, and switches. Goes on with what an earlier attempt has folded.

    ``keep`` leaves the rows that served in the schema ``<schema>_old``. Raises RebuildError, LogMismatch, PostgresError
    and KafkaError; until the switch nothing that serves is changed.
    """
    started, schema = time.monotonic(), beside(settings, "next")
    async with alone(settings) as connection:
        serving = await exists(connection, settings.schema)
        if not serving and model.name != "all":
            raise RebuildError(f"schema {settings.schema} is not there: expected --model all, got {model.name}")
        # Of one whose rows went a moment ago the log may not say so yet.
        gone = {*await cleared(settings), *(await swept(connection, settings.schema) if serving else ())}
        await prepare(connection, settings, schema, model, restart, sorted(gone))
        upto = await _upto(connection, settings, schema, model)
        report = RebuildReport(model=model.name, log=await build(settings, schema, upto, watch, jobs))
        report.folding = time.monotonic() - started
        await finish(connection, settings, schema, model, watch, jobs)
        report.indexes = time.monotonic() - started - report.folding
        if serving:
            await fresh.drop(connection, beside(settings, "leaving"))
            if model.name == "all":
                await fresh.drop(connection, beside(settings, "old"))
            watch.phase("switching")
            async with RebuildFollower(settings, schema) as follower:
                report.held = await switch(connection, settings, follower, model)
                report.log.add(follower.tally)
            await _tidy(connection, settings, model, keep)
        else:
            await _take_place(connection, settings, schema)
    report.total = time.monotonic() - started
    return report


async def _upto(connection: postgres.Connection, settings: Settings, schema: str, model: Model) -> dict[Shard, int]:
    """Up to where to fold first: the log's end; for some tables only as far as the others are."""
    if model.name != "all":
        async with connection.transaction():
            live = await positions(connection, settings.schema)
        return {shard: offset for shard, offset in live.items() if shard.topic in model.topics}
    async with RebuildFollower(settings, schema) as follower:
        return await follower.ends(sorted(await follower.places()))


async def _tidy(connection: postgres.Connection, settings: Settings, model: Model, keep: bool) -> None:
    if model.name != "all":
        await fresh.drop(connection, beside(settings, "leaving"))
        await fresh.drop(connection, beside(settings, "next"))
    elif not keep:
        await fresh.drop(connection, beside(settings, "old"))


async def _take_place(connection: postgres.Connection, settings: Settings, schema: str) -> None:
    """Where nothing serves, the fresh schema takes the name; projectors go on from where it is."""
    async with connection.transaction():
        await postgres.show_to_readers(connection, settings, schema)
        await connection.execute(f'drop schema if exists "{settings.schema}"')
        await connection.execute(f'alter schema "{schema}" rename to "{settings.schema}"')
        await connection.execute(f'comment on schema "{settings.schema}" is null')


async def switch_back(settings: Settings, *, watch: Watch = UNSEEN) -> float:
    """Brings the rows that served before the last rebuild up to date, and lets them serve again. Raises RebuildError.

    Returns for how long turns waited, in seconds. What served until now is in ``<schema>_old`` then.
    """
    old = beside(settings, "old")
    async with alone(settings) as connection:
        found = await fresh.marker(connection, old)
        if found is None or found.state != "old":
            raise RebuildError(f"expected the old tables in schema {old}, found none; rebuild with --keep keeps them")
        if found.version != postgres.SCHEMA_VERSION:
            raise RebuildError(
                f"schema {old}: expected version {postgres.SCHEMA_VERSION}, found {found.version}; drop it"
            )
        watch.phase("catching up")
        await fresh.drop(connection, beside(settings, "leaving"))
        async with RebuildFollower(settings, old) as follower:
            return await switch(connection, settings, follower, MODELS["all"])


async def drop_old(settings: Settings) -> bool:
    """Removes the rows that served before the last rebuild; whether there were any."""
    async with alone(settings) as connection:
        there = await exists(connection, beside(settings, "old"))
        await fresh.drop(connection, beside(settings, "old"))
        return there
