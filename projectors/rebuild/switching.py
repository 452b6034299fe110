"""The switch: in one short transaction the fresh schema takes the name of the one that serves.

No reader may see rows of both, or those of the fresh one as they were before it was level. So the projector is kept
waiting, the fresh schema is brought to exactly its vector, everybody who reads what was before that moment is waited
for, and only then the names change. Whoever reads next plans again, on the tables that have the names now.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import asyncpg

from events.core.errors import KlatschError
from events.core.positions import Shard, encode_vector
from infra.base import months, postgres
from infra.base.postgres import Connection, queries
from infra.base.progress import READ_MODELS, pages_channel, positions_channel
from infra.base.settings import Settings
from projectors.rebuild import fresh
from projectors.rebuild.cleared import swept
from projectors.rebuild.follower import RebuildFollower
from projectors.rebuild.fresh import RebuildError, beside
from projectors.rebuild.models import Model

log = logging.getLogger(__name__)

#: Seconds for which a switch keeps the projector waiting at most, and how often it is tried.
HOLD_SECONDS, ATTEMPTS = 3.0, 20
#: Seconds between two attempts.
_PAUSE_SECONDS = 0.5
#: Records by which the fresh rows may be behind those that serve when the projector is stopped: some 10 ms of folding.
NEAR = 500
#: Rounds of catching up until the log is taken to grow faster than it can be folded.
_ROUNDS = 200


class Unsettled(KlatschError):
    """Somebody reads what was before; try again."""


async def positions(connection: Connection, schema: str, lock: bool = False) -> dict[Shard, int]:
    """The vector of a schema; with ``lock`` no turn begins before the transaction ends."""
    await connection.execute(f'set local search_path to "{schema}"')
    rows = await connection.fetch(queries("projectors")["read_positions"], READ_MODELS)
    shards = [(row["topic"], row["partition"]) for row in rows]
    if lock and shards:
        topics, partitions = map(list, zip(*shards, strict=True))
        rows = await connection.fetch(queries("projectors")["lock_positions"], READ_MODELS, topics, partitions)
    return {Shard(row["topic"], row["partition"]): row["next_offset"] for row in rows}


async def near(connection: Connection, settings: Settings, follower: RebuildFollower, shards: list[Shard]) -> None:
    """Catches up until the fresh rows are near those that serve. Raises RebuildError when they do not come near."""
    for _ in range(_ROUNDS):
        async with connection.transaction():
            live = await positions(connection, settings.schema)
        have = await follower.places()
        behind = {shard: live[shard] for shard in shards if live.get(shard, 0) > have[shard].offset}
        if sum(offset - have[shard].offset for shard, offset in behind.items()) <= NEAR:
            return
        await follower.reach(behind)
    raise RebuildError(
        f"expected to come near the rows that serve within {_ROUNDS} rounds; the log grows faster than this machine "
        "folds it. Nothing was changed; start again when there is less load, it goes on from here"
    )


@asynccontextmanager
async def held(
    connection: Connection, settings: Settings, follower: RebuildFollower, shards: list[Shard], *, exact: bool
) -> AsyncIterator[Mapping[Shard, int]]:
    """A transaction in which no turn of the projector is under way and the fresh rows are level; the vector.

    Where a projector has stopped long ago, fresh rows are ahead of what it made; with ``exact`` that is a RebuildError.
    Raises LockNotAvailableError when the projector does not pause in time.
    """
    async with connection.transaction():
        await connection.execute(f"set local lock_timeout = '{fresh.LOCK_SECONDS}s'")
        live = await positions(connection, settings.schema, lock=True)
        have = {shard: place.offset for shard, place in (await follower.places()).items()}
        level = {shard: max(live.get(shard, 0), have[shard]) for shard in shards}
        if exact and (ahead := [shard for shard in shards if level[shard] != live.get(shard, 0)]):
            raise RebuildError(
                f"schema {follower.schema}: expected {ahead[0]} at {live.get(ahead[0], 0)} at most, as the live rows, "
                f"got {have[ahead[0]]}: these were made anew meanwhile. Start with --restart"
            )
        await follower.reach(level)
        yield level


async def settled(settings: Settings, ours: list[int], seconds: float) -> None:
    """Waits until nobody reads what was before now. Raises Unsettled."""
    watcher = await fresh.connect(settings, settings.schema)
    try:
        sql = queries("rebuild")
        since = await watcher.fetchval(sql["clock"])
        mine = [*ours, watcher.get_server_pid()]
        deadline = asyncio.get_running_loop().time() + seconds
        while rows := await watcher.fetch(sql["older_snapshots"], mine, since):
            if asyncio.get_running_loop().time() > deadline:
                names = ", ".join(
                    f"{row['application_name'] or 'process'} {row['pid']} since {row['xact_start']}" for row in rows
                )
                raise Unsettled(f"transactions that began before still read: {names}")
            await asyncio.sleep(0.005)
    finally:
        watcher.terminate()


async def switch(connection: Connection, settings: Settings, follower: RebuildFollower, model: Model) -> float:
    """Puts the follower's schema, or a model's tables of it, in the place of what serves; for how long turns waited.

    ``connection`` is one on the live schema. Raises RebuildError, and nothing was changed.
    """
    shards = sorted(await follower.places())
    last: Exception | None = None
    for _ in range(ATTEMPTS):
        await near(connection, settings, follower, shards)
        started = asyncio.get_running_loop().time()
        try:
            async with held(connection, settings, follower, shards, exact=model.name != "all") as level:
                await _admissible(connection, settings, follower.schema)
                ours = [connection.get_server_pid(), follower.connection.get_server_pid()]
                await settled(settings, ours, HOLD_SECONDS)
                if model.name == "all":
                    await _rename(connection, settings, follower.schema)
                else:
                    await _exchange(connection, settings, follower.schema, model)
                await _announce(connection, settings, level)
            return asyncio.get_running_loop().time() - started
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError, Unsettled) as error:
            last = error
            log.info("rebuild: the switch is tried again: %s", error)
        await asyncio.sleep(_PAUSE_SECONDS)
    raise RebuildError(
        f"expected a moment without old readers, found none in {ATTEMPTS} attempts: {last}. Nothing was changed; end "
        "them (pg_dump, a forgotten psql) and start again, it goes on from here"
    )


async def _admissible(connection: Connection, settings: Settings, schema: str) -> None:
    """Refuses rows that are worse than those that serve: streams that stop where they did not."""
    await connection.execute(f'set local search_path to "{schema}", "{settings.schema}_ops"')
    await fresh.unskipped(connection, schema)
    sql = queries("rebuild")["parked_anew"].replace("{live}", f'"{settings.schema}"')
    if rows := await connection.fetch(sql, READ_MODELS):
        first = rows[0]
        raise RebuildError(
            f"expected no event to be refused that the live rows have taken, found {len(rows)} streams; the first is "
            f"{first['stream']} at {first['topic']}/{first['partition']}/{first['offset']}: {first['error']}. "
            "Nothing was changed"
        )


async def _rename(connection: Connection, settings: Settings, schema: str) -> None:
    """The whole schema: no table is locked, so nobody waits."""
    live, leaving, old = settings.schema, beside(settings, "leaving"), beside(settings, "old")
    await _months(connection, settings, schema)
    await postgres.show_to_readers(connection, settings, schema)
    # Those of others go with them, as nobody looks for rows there: they are dropped when an application's rows go.
    mark = await fresh.wanted(connection, "all", "old", await swept(connection, live))
    await connection.execute(f'alter schema "{live}" rename to "{leaving}"')
    await connection.execute(f'alter schema "{schema}" rename to "{live}"')
    await connection.execute(f'alter schema "{leaving}" rename to "{old}"')
    await connection.execute(f'comment on schema "{live}" is null')
    await fresh.mark(connection, old, mark)


async def _exchange(connection: Connection, settings: Settings, schema: str, model: Model) -> None:
    """Some tables: each is locked for a moment, and its readers wait."""
    live, leaving = settings.schema, beside(settings, "leaving")
    await _months(connection, settings, schema)
    await postgres.show_to_readers(connection, settings, schema)
    await connection.execute(f'create schema "{leaving}"')
    # What is left of it after a kill is nothing to go on with.
    await connection.execute(f'comment on schema "{schema}" is null')
    for source, target in ((live, leaving), (schema, live)):
        for table in await _tables(connection, source, model):
            await connection.execute(f'alter table "{source}"."{table}" set schema "{target}"')
    sql = queries("rebuild")
    names = {"{live}": f'"{live}"', "{fresh}": f'"{schema}"'}
    for name in ("unchanged_parked",) if model.name == "changes" else ("forget_parked", "take_parked"):
        text = sql[name]
        for sign, value in names.items():
            text = text.replace(sign, value)
        await connection.execute(text, READ_MODELS, list(model.topics))


async def _tables(connection: Connection, schema: str, model: Model) -> list[str]:
    """The model's tables in a schema, the partitions of messages among them."""
    found = list(model.tables)
    if "messages" in found:
        states = await connection.fetch(queries("rebuild")["month_states"], f'"{schema}"')
        found += [months.table_of(row["month"]) for row in states]
    return found


async def _months(connection: Connection, settings: Settings, schema: str) -> None:
    """Gives the fresh schema the months of the live one, and puts those aside that were put aside.

    No turn and no change of months is under way.
    """
    await connection.execute(f'set local search_path to "{schema}", "{settings.schema}_ops"')
    sql = queries("rebuild")["month_states"]
    live = {row["month"] for row in await connection.fetch(sql, f'"{settings.schema}"')}
    await months.ensure(connection, schema, live | months.ahead())
    states = {row["month"]: row["attached"] for row in await connection.fetch(sql, f'"{schema}"')}
    aside = await months.archived(connection, states)
    for month, attached in states.items():
        if attached and month in aside:
            await connection.execute(f"alter table messages detach partition {months.table_of(month)}")
        elif not attached and month not in aside:
            table, (first, end) = months.table_of(month), months.bounds(month)
            await connection.execute(
                f"alter table messages attach partition {table} for values from ('{first}') to ('{end}')"
            )


async def _announce(connection: Connection, settings: Settings, level: Mapping[Shard, int]) -> None:
    """Tells, with the commit, where the rows are: whoever holds pages of before asks again."""
    sql = queries("projectors")["notify"]
    await connection.execute(sql, pages_channel(settings), ['{"all":true}'])
    parts = encode_vector(level).split(",")
    await connection.execute(
        sql, positions_channel(settings), [",".join(parts[i : i + 100]) for i in range(0, len(parts), 100)]
    )
