"""Rows of an erased application go, and come back by nothing; those of others stay as they are. Tests
``projectors/erasure/sweeping.py``, ``projectors/erasure/rules.py``, ``projectors/core/passing.py`` and
``projectors/rebuild/cleared.py``."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from events.apps import outlives
from events.core.positions import Position
from events.registry import REGISTRY
from infra.base import months, postgres
from infra.base.postgres import SQL, queries
from infra.base.settings import Settings
from projectors.erasure import sweeping
from projectors.erasure.rules import RULES, By, Goes, found_by
from projectors.erasure.sweeping import pending, sweep
from projectors.read_models.projector import ReadModels
from projectors.read_models.redrive import pass_over, redrive
from projectors.rebuild.building import UNSEEN, alone, build, finish, prepare
from projectors.rebuild.fresh import RebuildError, beside
from projectors.rebuild.models import model
from projectors.rebuild.run import rebuild, switch_back
from projectors.usage import recount
from projectors.verify.run import verify
from tests.given import Given, given
from tests.projectors.erasure.applications import by_topic, completed, counted, erased, life, of, said
from tests.projectors.hearing import feed, producing, until_heard
from tests.projectors.rebuilding import tables
from tests.projectors.scenes import not_understood
from tests.running import running, until, variables

ONE, OTHER = "019bb000-one", "019cc000-other"
#: Tables that still name the application; of the changes, those of the application itself.
LEFT = {"apps", "changes", "erased_events", "erasures"}
ROOT = Path(__file__).resolve().parents[3]


class Vault:
    """What was to be forgotten."""

    def __init__(self) -> None:
        self.forgotten: list[str] = []

    async def forget(self, ids: Sequence[str]) -> None:
        self.forgotten += ids


async def erase(settings: Settings, writer: Given, vault: Vault | None = None) -> dict[str, int]:
    """The application is erased, its rows go, and the log says so, as the API does it."""
    await writer.events(erased(ONE))
    await writer.then({})
    rows = await sweep(settings, ONE, (vault or Vault()).forget)
    await writer.events(completed(ONE, rows))
    await writer.then({})
    assert await pending(writer.connection) == []
    return rows


async def equal(settings: Settings) -> None:
    found = await verify(settings, model("all"), jobs=1)
    assert found.equal and found.log.sound, found


def test_every_table_has_a_rule_or_a_reason() -> None:
    """A new table needs a row in RULES (projectors/erasure/rules.py): how its rows of an application are found."""
    made = set()
    for name in ("schema_live.sql", "schema_ops.sql"):
        made |= set(re.findall(r"^create table (\w+) \(", (SQL / name).read_text(), re.MULTILINE))
    assert made == RULES.keys()


async def test_rules_name_columns_with_an_index(settings: Settings) -> None:
    """Or a large table would be read from end to end for each piece."""
    async with postgres.connected(settings) as connection:
        for by in (By.ROOM, By.USER, By.APP):
            for table, column in found_by(by):
                first = await connection.fetch(
                    "select a.attname from pg_index i join pg_attribute a on a.attrelid = i.indrelid"
                    " and a.attnum = i.indkey[0] where i.indrelid = to_regclass($1)",
                    table,
                )
                assert by is By.APP or column in {row["attname"] for row in first}, f"{table}.{column}"
                assert await connection.fetchval(
                    "select true from pg_attribute where attrelid = to_regclass($1) and attname = $2", table, column
                ), f"{table}.{column}"
    own = {table for table, rule in RULES.items() if isinstance(rule, Goes) and rule.by is By.OWN}
    text = await asyncio.to_thread(Path(sweeping.__file__).read_text)
    assert all(f'"{table}"' in text for table in own), own


async def test_what_outlives_an_application_is_the_same_in_sql(settings: Settings) -> None:
    condition = re.search(r"and not \((topic = 'apps' .*)\)\n", queries("app_erasure")["changes"])
    assert condition is not None
    async with postgres.connected(settings) as connection:
        for row in REGISTRY.events.values():
            for topic in (*row.topics, "rooms"):
                query = f"select {condition[1]} from (values ($1::text, $2::text)) as c(topic, type)"  # noqa: S608
                found = await connection.fetchval(query, topic, row.name)
                assert found == outlives(topic, row.name), (topic, row.name)


async def test_rows_go_and_those_of_others_stay(settings: Settings) -> None:
    facts = [fact for pair in zip(life(ONE), life(OTHER), strict=True) for fact in pair]
    async with given(settings, *facts) as writer:
        await writer.then({})
        await recount.rebuild(settings)
        connection, vault = writer.connection, Vault()
        await connection.execute(
            "insert into credentials (id, hash) select credential, 'x' from users union all"
            " select key.value->>'secret', 'x' from apps, json_each(keys::json) as key"
        )
        before, mine = await of(connection, settings.schema, OTHER), await of(connection, settings.schema, ONE)
        # Of what an application can have, this one has something: or nothing here is said of that table.
        live = {table for table, rule in RULES.items() if isinstance(rule, Goes)}
        assert live - mine.keys() == {"listenings", "channel_users", "parked", "skipped"}
        rows = await erase(settings, writer, vault)
        assert {row["id"] for row in await connection.fetch("select id from credentials")} == {
            f"key-{OTHER}", *(f"cred-{OTHER}-{name}" for name in ("ada", "bob", "cy"))
        }  # fmt: skip
        assert await of(connection, settings.schema, OTHER) == before
        left = await of(connection, settings.schema, ONE)
        assert left.keys() == LEFT
        assert {row["topic"] for row in left["changes"]} == {"apps"} and len(left["changes"]) == 3
        [app] = left["apps"]
        assert (app["name"], app["state"], app["keys"], app["api_keys"]) == (ONE.title(), "erased", {}, [])
        assert app["cleared"] is not None
        gone = {table: len(mine[table]) - len(left.get(table, ())) for table in mine}
        expected = {table: count for table, count in gone.items() if count}
        expected["changes"] = len(mine["changes"]) - 1
        # A row of a revision names its message, which names the room.
        assert rows == dict(sorted(expected.items()))
        assert set(vault.forgotten) == {f"key-{ONE}", *(f"cred-{ONE}-{name}" for name in ("ada", "bob", "cy"))}
        assert await counted(connection, ONE) == by_topic(life(ONE))
        await equal(settings)
        for name in ("all", "rooms", "users", "changes"):
            await rebuild(settings, model(name), jobs=2 if name == "all" else 1)
            assert await of(connection, settings.schema, OTHER) == before, name
            assert (await of(connection, settings.schema, ONE)).keys() == LEFT, name
            assert await counted(connection, ONE) == by_topic(life(ONE)), name
        assert await pending(connection) == []
        await equal(settings)


async def test_events_that_come_late_make_no_rows(settings: Settings) -> None:
    """Between the end and the removal, and after it; also in rooms that begin then."""
    async with given(settings, *life(ONE), *life(OTHER)) as writer:
        await writer.events(erased(ONE))
        await writer.then({})
        late = [said(ONE, f"{ONE}-r", 7), *life(ONE)[-12:-11]]
        await writer.events(*late)
        await writer.then({})
        assert await counted(writer.connection, ONE) == by_topic(late)
        rows = await sweep(settings, ONE, Vault().forget)
        await writer.events(*(more := [said(ONE, f"{ONE}-r", 8), said(ONE, f"{ONE}-new", 1)]))
        await writer.events(completed(ONE, rows), said(ONE, f"{ONE}-r", 9), said(OTHER, f"{OTHER}-r", 7))
        await writer.then({})
        assert (await of(writer.connection, settings.schema, ONE)).keys() == LEFT
        everything = by_topic([*life(ONE), *late, *more, said(ONE, f"{ONE}-r", 9)])
        assert await counted(writer.connection, ONE) == everything
        await equal(settings)
        await rebuild(settings, model("all"), jobs=1)
        assert await counted(writer.connection, ONE) == everything
        await equal(settings)


async def test_a_kill_in_the_middle_is_gone_on_from(settings: Settings) -> None:
    async with given(settings, *life(ONE, 60), *life(OTHER)) as writer:
        await writer.events(erased(ONE))
        await writer.then({})
        await writer.connection.execute("insert into credentials (id, hash) values ($1, 'x')", f"key-{ONE}")
        before = await of(writer.connection, settings.schema, OTHER)
        mine = {table: len(rows) for table, rows in (await of(writer.connection, settings.schema, ONE)).items()}
        script = (
            "import asyncio\nfrom infra.base.settings import load\nfrom projectors.erasure import sweeping\n"
            "sweeping.ROWS = 5\n"
            "async def forget(ids): await asyncio.sleep(0)\n"
            f"asyncio.run(sweeping.sweep(load(), {ONE!r}, forget))\n"
        )
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", script, cwd=ROOT, env=variables(settings), stderr=asyncio.subprocess.PIPE
        )

        async def half() -> bool:
            left: int = await writer.connection.fetchval("select count(*) from messages where room = $1", f"{ONE}-r")
            assert process.returncode is None or left == 0, await process.stderr.read() if process.stderr else b""
            return left < 50

        await until(half, "some messages are gone")
        process.kill()
        await process.wait()
        assert await pending(writer.connection) == [ONE]
        rows = await until(lambda: _swept(settings), "the lock of the dead process is free")
        assert (await of(writer.connection, settings.schema, ONE)).keys() == LEFT
        assert await of(writer.connection, settings.schema, OTHER) == before
        # Also those that went before the kill are counted, each once.
        assert {table: rows[table] for table in ("messages", "members", "users", "changes", "credentials")} == {
            "credentials": 1,
            "messages": mine["messages"], "members": mine["members"], "users": 3, "changes": mine["changes"] - 2
        }  # fmt: skip
        await writer.events(completed(ONE, rows))
        await writer.then({})
        await equal(settings)


async def _swept(settings: Settings) -> dict[str, int] | None:
    try:
        return await sweep(settings, ONE, Vault().forget)
    except RebuildError:
        return None


async def test_turns_under_way_are_waited_for(settings: Settings) -> None:
    """A projector that works all the time puts nothing there after the removal has begun."""
    async with given(settings, *life(ONE), *life(OTHER)) as writer, running(ReadModels(settings)):
        await writer.level()

        async def go_on() -> None:
            for seq in range(7, 60):
                await writer.events(said(ONE, f"{ONE}-r", seq), said(OTHER, f"{OTHER}-r", seq))

        work = asyncio.create_task(go_on())
        other = Given(settings, writer.connection)
        await other.events(erased(ONE))
        await until(lambda: pending(writer.connection), "it is erased")
        rows = await sweep(settings, ONE, Vault().forget)
        await work
        await writer.level()
        assert (await of(writer.connection, settings.schema, ONE)).keys() == LEFT
        await other.events(completed(ONE, rows))
        await other.level()
        await other.stop()
        assert await writer.connection.fetchval("select count(*) from messages where room = $1", f"{OTHER}-r") == 59
        await equal(settings)


async def test_a_rebuild_during_which_one_is_erased(settings: Settings) -> None:
    """What was folded by then has its rows, and they go after the switch; meanwhile nothing is removed or verified."""
    async with given(settings, *life(ONE), *life(OTHER)) as writer:
        await writer.then({})
        before = await of(writer.connection, settings.schema, OTHER)
        schema, all_ = beside(settings, "next"), model("all")
        async with alone(settings) as connection:
            await prepare(connection, settings, schema, all_, False)
            await build(settings, schema, dict(writer.ends), UNSEEN, 1)
            await writer.events(erased(ONE), said(ONE, f"{ONE}-r", 7))
            await writer.then({})
            with pytest.raises(RebuildError, match="another rebuild, verification, healing or erasure is at work"):
                await sweep(settings, ONE, Vault().forget)
        with pytest.raises(RebuildError, match=f"rows are being removed, found {ONE}"):
            await verify(settings, all_, jobs=1)
        # It goes on with what was folded, as nothing was removed since.
        await rebuild(settings, all_, jobs=1, keep=True)
        assert await pending(writer.connection) == [ONE]
        rows = await sweep(settings, ONE, Vault().forget)
        await writer.events(completed(ONE, rows))
        await writer.then({})
        assert (await of(writer.connection, settings.schema, ONE)).keys() == LEFT
        assert await of(writer.connection, settings.schema, OTHER) == before
        assert await counted(writer.connection, ONE) == by_topic([*life(ONE), said(ONE, f"{ONE}-r", 7)])
        # Rows that were kept for a way back have gone with it.
        with pytest.raises(RebuildError, match="expected the old tables"):
            await switch_back(settings)
        await equal(settings)


async def test_a_rebuild_that_was_cut_before_begins_anew(settings: Settings) -> None:
    async with given(settings, *life(ONE), *life(OTHER)) as writer:
        await writer.then({})
        schema, all_ = beside(settings, "next"), model("all")
        async with alone(settings) as connection:
            await prepare(connection, settings, schema, all_, False)
            await build(settings, schema, dict(writer.ends), UNSEEN, 1)
            await finish(connection, settings, schema, all_, UNSEEN, 1)
        await erase(settings, writer)
        assert await writer.connection.fetchval("select to_regnamespace($1)", schema) is None
        await rebuild(settings, all_, jobs=1)
        assert (await of(writer.connection, settings.schema, ONE)).keys() == LEFT
        await equal(settings)


async def test_a_way_back_has_no_rows_of_an_application_erased_before(settings: Settings) -> None:
    async with given(settings, *life(ONE), *life(OTHER)) as writer:
        await erase(settings, writer)
        await rebuild(settings, model("all"), jobs=1, keep=True)
        await writer.events(said(ONE, f"{ONE}-r", 7), said(OTHER, f"{OTHER}-r", 7))
        await writer.then({})
        await switch_back(settings)
        assert (await of(writer.connection, settings.schema, ONE)).keys() == LEFT
        assert await counted(writer.connection, ONE) == by_topic([*life(ONE), said(ONE, f"{ONE}-r", 7)])
        await equal(settings)


async def test_a_new_postgres_folds_them_and_removes_them_again(settings: Settings) -> None:
    async with given(settings, *life(ONE), *life(OTHER)) as writer:
        await erase(settings, writer)
        right = await tables(writer.connection, settings.schema)
        await writer.connection.execute(f'drop schema "{settings.schema}" cascade')
        await postgres.install(settings)
        await writer.then({})
        if await pending(writer.connection):
            await sweep(settings, ONE, Vault().forget)
        found = await tables(writer.connection, settings.schema)
        for one in (right, found):
            one.pop("erasures")
        assert found == right
        await equal(settings)


async def test_what_waited_for_a_fix_goes_too(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parked events, those that cannot even be read, and what operators have passed over; another's stay."""
    async with given(settings, *life(ONE), *life(OTHER)) as writer:
        await writer.then({})
        with monkeypatch.context() as patch:
            not_understood(patch, "message.posted")
            await writer.events(
                said(ONE, f"{ONE}-r", 7), said(ONE, f"{ONE}-r", 8), said(ONE, f"{ONE}-s", 1),
                said(OTHER, f"{OTHER}-r", 7),
            )  # fmt: skip
            torn = writer.value(said(ONE, f"{ONE}-s", 2)).replace(b'"seq"', b'"sea"')
            await writer.raw(writer.shard("rooms", f"{ONE}-s"), (f"{ONE}-s".encode(), torn))
            await writer.then({})
        [first] = await writer.connection.fetch(
            'select topic, partition, "offset" from parked where stream = $1 order by "offset" limit 1', f"{ONE}-s"
        )
        await pass_over(writer.connection, Position(*first), "It is broken.", "operator")
        parked = await writer.connection.fetchval("select count(*) from parked")
        assert parked == 4
        rows = await erase(settings, writer)
        assert (rows["parked"], rows["skipped"]) == (3, 1)
        assert (await of(writer.connection, settings.schema, ONE)).keys() == LEFT
        everything = [*life(ONE), said(ONE, "r", 7), said(ONE, "r", 8), said(ONE, "s", 1), said(ONE, "s", 2)]
        assert await counted(writer.connection, ONE) == by_topic(everything)
        # One more of those that cannot be read stops nothing; the other application's are applied after the fix.
        await writer.raw(writer.shard("rooms", f"{ONE}-s"), (f"{ONE}-s".encode(), torn))
        await writer.then({})
        assert await redrive(writer.connection, settings, f"{OTHER}-r") == (1, 0)
        assert await writer.connection.fetchval("select count(*) from parked") == 0
        everything.append(said(ONE, "s", 3))
        assert await counted(writer.connection, ONE) == by_topic(everything)
        await rebuild(settings, model("all"), jobs=1)
        assert await counted(writer.connection, ONE) == by_topic(everything)
        found = await verify(settings, model("all"), jobs=1)
        # The log has them, and says so.
        assert found.equal and found.log.tally.unreadable_count == 2 and not found.log.refused, found


async def test_nobody_is_told_of_what_comes_late(settings: Settings) -> None:
    async with given(settings, *life(ONE), *life(OTHER)) as writer, running(ReadModels(settings)):
        await writer.events(erased(ONE))
        await writer.level()
        async with producing(settings) as producer, running(feed(settings, producer)):
            await writer.events(said(ONE, f"{ONE}-r", 7, "late"), said(OTHER, f"{OTHER}-r", 7, "last"))
            heard = await until_heard(settings, f"{OTHER}-ada", "last")
    assert {one.user for one in heard} == {f"{OTHER}-{name}" for name in ("ada", "bob", "cy")}


async def test_months_that_were_put_aside_are_swept(settings: Settings) -> None:
    async with given(settings, *life(ONE), *life(OTHER)) as writer:
        await writer.then({})
        month = months.month_of("019aa000-0000-7000-8000-000000000000")
        await months.detach(writer.connection, settings, month)
        rows = await erase(settings, writer)
        assert rows["messages"] == 6
        table = months.table_of(month)
        left = await writer.connection.fetch(f"select distinct room from {table}")  # noqa: S608
        assert {row["room"] for row in left} == {f"{OTHER}-r"}
        await equal(settings)


async def test_pieces_are_bounded(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """However much there is, a transaction removes so many rows at most."""
    monkeypatch.setattr(sweeping, "ROWS", 3)
    monkeypatch.setattr(sweeping, "ROOTS", 1)
    monkeypatch.setattr(sweeping, "OFFSETS", 4)
    async with given(settings, *life(ONE, 10), *life(OTHER)) as writer:
        await writer.then({})
        before = await of(writer.connection, settings.schema, OTHER)
        rows = await erase(settings, writer)
        assert rows["messages"] == 10 and rows["users"] == 3 and rows["rooms"] == 2
        assert await of(writer.connection, settings.schema, OTHER) == before
        await equal(settings)
