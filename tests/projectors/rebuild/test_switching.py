"""The switch of a rebuild on real Kafka and Postgres: who reads, listens or waits goes on with what serves."""

from __future__ import annotations

import asyncio

import pytest

from events.core.positions import Shard
from infra.base import postgres
from infra.base.progress import READ_MODELS, listen_to, pages_channel
from infra.base.settings import Settings
from projectors.core.source import ResumeAt
from projectors.read_models import applying
from projectors.read_models.projector import ReadModels
from projectors.rebuild import fresh, switching
from projectors.rebuild.building import UNSEEN
from projectors.rebuild.fresh import RebuildError
from projectors.rebuild.models import model
from projectors.rebuild.run import drop_old, rebuild, switch_back
from projectors.rebuild.switching import positions
from tests.given import given
from tests.projectors.rebuilding import scene, schemas, tables
from tests.projectors.scenes import created, joined, posted
from tests.running import running, until


async def test_switch_back_and_drop(settings: Settings) -> None:
    projector = ReadModels(settings)
    async with given(settings, *scene()) as writer, running(projector):
        await writer.level()
        with pytest.raises(RebuildError, match="rebuild with --keep keeps them"):
            await switch_back(settings)
        await writer.connection.execute("create table kept (x int)")
        await rebuild(settings, model("all"), jobs=1, keep=True)
        assert await schemas(writer, settings) == {"", "_ops", "_old"}
        await writer.events(posted("r", "ada", 9), joined("r", "eve"))
        await writer.level()
        after = await tables(writer.connection, settings.schema)
        assert "kept" not in after
        await switch_back(settings)
        found = await tables(writer.connection, settings.schema)
        assert found.pop("kept") == [] and found == after
        await writer.events(posted("r", "ada", 10))
        await writer.level()
        assert await writer.connection.fetchval("select seq from rooms") == 10
        assert await drop_old(settings) and not await drop_old(settings)
        assert await schemas(writer, settings) == {"", "_ops"}


async def test_prepared_statements_go_on(settings: Settings) -> None:
    """Those of the pool and of long-lived connections, also in transactions, planned on the tables of before."""
    pool = await postgres.pool(settings, size=2)
    listener = await postgres.connect(settings)
    heard: list[str] = []
    await listen_to(listener, pages_channel(settings), heard.append)
    projector = ReadModels(settings)
    query = "select * from messages m join rooms r on r.id = m.room where r.id = $1 order by m.seq"
    try:
        async with given(settings, *scene()) as writer, running(projector):
            await writer.level()
            kept = await listener.prepare(query)
            for round in range(3):
                for _ in range(7):
                    # Beyond five executions a plan may be kept for good.
                    assert len(await kept.fetch("r")) == len(await pool.fetch(query, "r")) == 8 + round
                await rebuild(settings, model("all"), jobs=1)
                await writer.events(posted("r", "ada", 9 + round))
                await writer.level()
                async with listener.transaction(isolation="repeatable_read", readonly=True):
                    assert len(await kept.fetch("r")) == 9 + round
                async with pool.acquire() as connection, connection.transaction():
                    assert len(await connection.fetch(query, "r")) == 9 + round
            assert projector.health()["error"] is None
            assert '{"all":true}' in heard
    finally:
        await listener.close()
        await pool.close()


async def test_a_snapshot_from_before_is_waited_for(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who began to read before the fresh rows were level never sees them; the projector goes on meanwhile."""
    monkeypatch.setattr(switching, "HOLD_SECONDS", 0.2)
    reached = asyncio.Event()
    watch = UNSEEN._replace(phase=lambda name: reached.set() if name == "switching" else None)
    reader = await postgres.connect(settings)
    async with given(settings, *scene()) as writer, running(ReadModels(settings)):
        await writer.level()
        async with reader.transaction(isolation="repeatable_read", readonly=True):
            before = await tables(reader, settings.schema)
            rebuilding = asyncio.create_task(rebuild(settings, model("all"), jobs=1, watch=watch))
            await reached.wait()
            for seq in (9, 10, 11):
                await writer.events(posted("r", "ada", seq))
                await writer.level()
            assert not rebuilding.done()
            assert await tables(reader, settings.schema) == before
        await rebuilding
        assert await writer.connection.fetchval("select seq from rooms") == 11
    await reader.close()


async def test_autovacuum_looks_after_what_serves(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """While tables are filled it is kept away, from months that come meanwhile too; what serves is left to it."""
    sql, analyze, looked = postgres.queries("rebuild")["vacuumed"], fresh.analyze, list[int]()

    async def filled(connection: postgres.Connection, schema: str) -> None:
        looked.append(len(await connection.fetch(sql, f'"{schema}"', True)))
        assert await connection.fetchval(f'select count(*) from "{schema}".messages') > 0  # noqa: S608 - a name of ours
        await analyze(connection, schema)

    monkeypatch.setattr(fresh, "analyze", filled)
    async with given(settings) as story:
        await story.events(*scene())
        await rebuild(settings, model("all"), jobs=1)
        assert looked == [0]
        assert not await story.connection.fetch(sql, f'"{settings.schema}"', False)


async def test_what_autovacuum_reads_is_dropped(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would read a large table for minutes; Postgres ends it for who waits longer than its deadlock_timeout."""
    monkeypatch.setattr(fresh, "_ATTEMPTS", 1)
    slow = (
        "autovacuum_vacuum_insert_threshold = 0, autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1"
    )
    async with postgres.connected(settings) as connection:
        await connection.execute("alter system set autovacuum_naptime = 1")
        await connection.execute("select pg_reload_conf()")
        try:
            await connection.execute(f'create schema "{settings.schema}_old"')
            table = f'"{settings.schema}_old".filled'
            await connection.execute(f"create table {table} with ({slow}) as select generate_series(1, 300000)")
            read = "select exists (select from pg_stat_progress_vacuum where relid = to_regclass($1))"
            await until(lambda: connection.fetchval(read, table), "autovacuum reads it", seconds=30)
            await fresh.drop(connection, f"{settings.schema}_old")
        finally:
            await connection.execute("alter system reset autovacuum_naptime")
            await connection.execute("select pg_reload_conf()")


async def test_a_turn_that_waited_for_a_switch_moves_what_serves(settings: Settings) -> None:
    """It has waited for a row of the table that had the name before; what it writes goes to the one that has it now."""
    shard, name = Shard("rooms", 0), settings.schema
    async with given(settings) as story:
        await story.events(created("r", "ada"))
        operator = story.connection
        await operator.execute(postgres.queries("projectors")["init_positions"], READ_MODELS, ["rooms"], [0])
        await operator.execute(f'create schema "{name}_next"')
        await operator.execute(f'create table "{name}_next".positions (like "{name}".positions including all)')
        await operator.execute(f'insert into "{name}_next".positions select * from "{name}".positions')  # noqa: S608
        turn = await postgres.connect(settings)
        try:
            async with operator.transaction():
                await positions(operator, name, lock=True)
                waiting = asyncio.create_task(_moved(turn, shard))
                await until(lambda: _waits(settings), "the turn waits")
                await operator.execute(f'alter schema "{name}" rename to "{name}_old"')
                await operator.execute(f'alter schema "{name}_next" rename to "{name}"')
            await waiting
            for schema, offset in ((name, 5), (f"{name}_old", 0)):
                table = f'"{schema}".positions'
                sql = f"select next_offset from {table} where consumer = $1 and topic = $2 and partition = $3"  # noqa: S608
                assert await operator.fetchval(sql, READ_MODELS, *shard) == offset, schema
        finally:
            await turn.close()


async def _moved(connection: postgres.Connection, shard: Shard) -> None:
    async with connection.transaction():
        await applying.move(connection, {shard: ResumeAt(0, None)}, {shard: ResumeAt(5, None)})


async def _waits(settings: Settings) -> bool:
    async with postgres.connected(settings) as watcher:
        return bool(await watcher.fetchval("select exists (select from pg_locks where not granted)"))
