"""A rebuild from its beginning to the switch; whatever ends it before leaves the live schema as it was."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import NamedTuple

import msgspec

from events.core.positions import Shard
from infra.base import postgres
from infra.base.postgres import Connection, lock_key, queries
from infra.base.progress import READ_MODELS
from infra.base.settings import Settings
from projectors.read_models.projector import event_shards
from projectors.rebuild import fresh
from projectors.rebuild.follower import RebuildFollower
from projectors.rebuild.fresh import RebuildError
from projectors.rebuild.models import Model
from projectors.rebuild.reading import Tally
from projectors.rebuild.worker import folded

log = logging.getLogger(__name__)


class Watch(NamedTuple):
    """Who looks on: each is called as the work goes on."""

    #: Names what begins: folding, indexes, catching up, switching.
    phase: Callable[[str], None]
    #: Where each shard begins, and where it is to end.
    begin: Callable[[dict[Shard, int], dict[Shard, int]], None]
    #: A shard's next offset.
    at: Callable[[Shard, int], None]


UNSEEN = Watch(lambda name: None, lambda begin, end: None, lambda shard, offset: None)


@asynccontextmanager
async def alone(settings: Settings) -> AsyncIterator[Connection]:
    """A connection on the live schema; nobody else rebuilds, verifies or erases meanwhile. Raises RebuildError."""
    connection = await fresh.connect(settings, settings.schema, synchronous_commit="on")
    try:
        key = lock_key(f"{settings.schema}/operate")
        if not await connection.fetchval(queries("rebuild")["alone"], key):
            row = await connection.fetchrow(queries("rebuild")["working"], key)
            who = "" if row is None else f": Postgres' process {row['pid']} since {row['backend_start']}"
            raise RebuildError(
                f"schema {settings.schema}: another rebuild, verification, healing or erasure is at "
                f"work{who}; wait for its end"
            )
        await postgres.share(connection, settings)
        yield connection
    finally:
        await connection.close()


async def exists(connection: Connection, schema: str) -> bool:
    """Whether the schema is there, with its tables."""
    return bool(await connection.fetchval(queries("rebuild")["exists"], f'"{schema}".positions'))


async def prepare(
    connection: Connection, settings: Settings, schema: str, model: Model, restart: bool, erased: Iterable[str] = ()
) -> None:
    """The schema to fold into: one that was begun before by the same code, else an empty one.

    ``erased``: applications whose events are passed over.
    """
    found = await fresh.marker(connection, schema)
    wanted = await fresh.wanted(connection, model.name, "folding", erased)
    if restart or found not in (wanted, msgspec.structs.replace(wanted, state="indexed")):
        await fresh.drop(connection, schema)
        builder = await fresh.connect(settings, schema)
        try:
            await fresh.make(builder, schema, wanted)
            shards = event_shards(settings, model.topics)
            await builder.execute(
                queries("projectors")["init_positions"], READ_MODELS,
                [shard.topic for shard in shards], [shard.partition for shard in shards],
            )  # fmt: skip
        finally:
            await builder.close()
    else:
        log.info("rebuild: goes on in schema %s", schema)


async def build(settings: Settings, schema: str, upto: Mapping[Shard, int], watch: Watch, jobs: int) -> Tally:
    """Folds the log into the schema, each shard up to its offset. Raises RebuildError, LogMismatch."""
    async with RebuildFollower(settings, schema) as follower:
        begin = {shard: place.offset for shard, place in (await follower.places()).items() if shard in upto}
        ends = await follower.ends(sorted(begin))
    if short := sorted(shard for shard, end in ends.items() if end < begin[shard]):
        raise RebuildError(
            f"{short[0]}: expected at least {begin[short[0]]} records, as schema {schema} has folded them, got "
            f"{ends[short[0]]}; if the log was restored from an older copy, start with --restart"
        )
    watch.begin(begin, dict(upto))
    watch.phase("folding")
    return await folded(settings, schema, {shard: upto[shard] for shard in begin}, watch.at, jobs)


async def finish(
    connection: Connection, settings: Settings, schema: str, model: Model, watch: Watch, jobs: int
) -> None:
    """Makes what a schema needs before it may serve."""
    watch.phase("indexes")
    await fresh.index(settings, schema, jobs)
    await fresh.analyze(connection, schema)
    await fresh.look_after(connection, schema)
    found = await fresh.marker(connection, schema)
    assert found is not None
    await fresh.mark(connection, schema, msgspec.structs.replace(found, state="indexed"))


def cores() -> int:
    """How many processes are worth starting."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
