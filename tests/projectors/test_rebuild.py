"""Rebuild on real Kafka and Postgres: the projector's rows, whatever the log holds and whatever interrupts."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from events.core.positions import Shard
from events.core.records import Key, Record
from events.messages import MessagePosted
from events.registry import REGISTRY
from infra.base import months
from infra.base.settings import Settings
from projectors.read_models.messages import MADE
from projectors.read_models.projector import ReadModels
from projectors.rebuild import cache, folding, reading
from projectors.rebuild.building import alone, prepare
from projectors.rebuild.follower import RebuildFollower
from projectors.rebuild.fresh import RebuildError, beside, code
from projectors.rebuild.models import MODELS, model
from projectors.rebuild.run import rebuild
from tests.given import Fact, given
from tests.projectors.rebuilding import rebuilt, scene, schemas, tables
from tests.projectors.scenes import created, joined, not_understood, posted
from tests.running import running, until

TABLES = model("all").tables


@pytest.fixture
def fast_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log without bad events must never need the slow way."""

    async def never(*arguments: Any) -> None:
        raise AssertionError("the projector's way was taken")

    monkeypatch.setattr(folding.Folder, "_apply", never)


@pytest.mark.parametrize("jobs", [1, 3])
@pytest.mark.usefixtures("fast_only")
async def test_the_rows_are_those_of_the_projector(settings: Settings, jobs: int) -> None:
    async with given(settings, *scene()) as writer:
        await writer.then({})
        await rebuilt(writer, settings, jobs=jobs)
        assert await schemas(writer, settings) == {"", "_ops"}


@pytest.mark.parametrize("name", sorted(MODELS))
@pytest.mark.usefixtures("fast_only")
async def test_a_model_by_itself(settings: Settings, name: str) -> None:
    async with given(settings, *scene()) as writer:
        await writer.then({})
        right = await tables(writer.connection, settings.schema)
        for table in TABLES:
            await writer.connection.execute(f"delete from {table}")  # noqa: S608
        await rebuild(settings, model(name), jobs=1)
        found = await tables(writer.connection, settings.schema)
        for table in TABLES:
            assert found[table] == (right[table] if table in model(name).tables else []), table
        assert await schemas(writer, settings) == {"", "_ops"}
        # Months and indexes came along.
        await writer.events(posted("r", "ada", 9))
        await writer.then({})


async def test_an_unknown_model_is_refused() -> None:
    with pytest.raises(
        RebuildError, match="expected a model of all, users, handles, apps, rooms, channels, changes, got 'mesages'"
    ):
        model("mesages")


@pytest.mark.usefixtures("fast_only")
@pytest.mark.parametrize("size", [1, 2000], ids=["all", "mostly messages"])
async def test_what_was_let_go_is_loaded_again(settings: Settings, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(folding, "PIECE_EVENTS", 1)
    monkeypatch.setattr(cache, "CACHE_BYTES", size)
    monkeypatch.setattr(reading, "BATCH", 1)
    async with given(settings) as writer:
        for fact in scene():
            await writer.events(fact)
        await writer.then({})
        await rebuilt(writer, settings)


async def test_bad_events_are_parked_as_the_projector_parks_them(settings: Settings) -> None:
    async with given(settings, *scene(), created("s", "ada"), joined("s", "ada")) as writer:
        shard: Shard = writer.shard("rooms", "r")
        await writer.events(posted("s", "ada", 1, "nul \x00"), posted("s", "ada", 2))
        await writer.raw(
            shard, (b"q", b"no json"), (b"r", writer.value(posted("r", "ada", 1)).replace(b"posted", b"eaten"))
        )
        await writer.events(posted("r", "ada", 9), created("q", "ada"))
        await writer.then({})
        assert await writer.connection.fetchval("select count(*) from parked") == 4
        await rebuilt(writer, settings)


async def test_a_message_that_stands_there_twice(settings: Settings) -> None:
    twice = posted("r", "ada", 9)
    async with given(settings, *scene(), twice) as writer:
        await writer.events(twice._replace(event=twice.event))
        await writer.then({})
        await rebuilt(writer, settings)


@pytest.mark.usefixtures("fast_only")
async def test_void_records_are_not_folded(settings: Settings) -> None:
    async with given(settings, created("r", "ada"), joined("r", "ada")) as old, given(settings) as new:
        log = await old.log(old.shard("rooms", "r"))
        await new.events(posted("r", "ada", 1, "true"))
        with pytest.raises(Exception, match="another owner has written"):
            await log.append([(b"r", old.value(posted("r", "ada", 1, "void")))])
        await (await new.log(new.shard("rooms", "r"))).open()
        await new.events(posted("r", "ada", 2, "also true"))
        await new.then({})
        before = await tables(new.connection, settings.schema)
        report = await rebuild(settings, model("all"), jobs=1)
        assert await tables(new.connection, settings.schema) == before
        assert {shard: list(terms.values()) for shard, terms in report.log.void.items()} == {
            str(old.shard("rooms", "r")): [1]
        }
        assert report.log.events == len(before["changes"])


@pytest.mark.parametrize("restart", [False, True])
async def test_an_attempt_goes_on_where_it_was_cut(settings: Settings, restart: bool) -> None:
    facts = scene()
    async with given(settings, *facts) as writer:
        async with alone(settings) as connection:
            await prepare(connection, settings, beside(settings, "next"), model("all"), False)
        async with RebuildFollower(settings, beside(settings, "next")) as follower:
            # In the middle of a batch, as a kill between two pieces leaves it.
            await follower.reach(
                {shard: offset - 2 for shard, offset in (await follower.ends(list(writer.ends))).items()}
            )
        await writer.then({})
        before = await tables(writer.connection, settings.schema)
        report = await rebuild(settings, model("all"), jobs=1, restart=restart)
        assert await tables(writer.connection, settings.schema) == before
        assert (report.log.events == len(facts)) is restart


async def test_what_older_code_has_begun_is_begun_again(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    async with given(settings, *scene()) as writer:
        await writer.then({})
        next_ = beside(settings, "next")
        async with alone(settings) as connection:
            await prepare(connection, settings, next_, model("all"), False)
            marker = (await connection.fetchval("select obj_description(to_regnamespace($1))", next_)).replace(
                code(), "old"
            )
            await connection.execute(f"comment on schema {next_} is '{marker}'; delete from {next_}.positions")  # noqa: S608
        await rebuilt(writer, settings)


async def test_two_at_once(settings: Settings) -> None:
    async with given(settings, *scene()) as writer:
        await writer.then({})
        async with alone(settings):
            with pytest.raises(
                RebuildError, match="another rebuild, verification, healing or erasure is at work: Postgres' process"
            ):
                await rebuild(settings, model("all"), jobs=1)
        await rebuilt(writer, settings)


async def test_no_room_is_left(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*arguments: Any) -> None:
        raise asyncpg.DiskFullError("could not extend file")

    async with given(settings, *scene()) as writer:
        await writer.then({})
        with monkeypatch.context() as patch:
            patch.setattr(folding, "copy", full)
            with pytest.raises(RebuildError, match=r"no room left: could not extend file.*start again, it goes on"):
                await rebuild(settings, model("all"), jobs=1)
        await rebuilt(writer, settings)


async def test_a_log_that_is_shorter_is_refused(settings: Settings) -> None:
    """A log that was restored from an older copy, with an attempt from before."""
    async with given(settings, *scene()) as writer:
        await writer.then({})
        next_ = beside(settings, "next")
        async with alone(settings) as connection:
            await prepare(connection, settings, next_, model("all"), False)
            await connection.execute(f"update {next_}.positions set next_offset = 1000 where topic = 'rooms'")  # noqa: S608
        with pytest.raises(RebuildError, match=r"rooms/0: expected at least 1000 records, .*start with --restart"):
            await rebuild(settings, model("all"), jobs=1)
        await rebuilt(writer, settings, restart=True)


async def test_archived_months_stay_aside(settings: Settings) -> None:
    old = "0193f000-0000-7000-8000-000000000001"
    month = months.month_of(old)
    said = MessagePosted(message=old, seq=9, token="x", type="text", content={"text": "long ago"}, data={})
    async with given(settings, *scene(), Fact("r", said, "ada")) as writer:
        await writer.then({})
        await months.detach(writer.connection, settings, month)
        before = await writer.connection.fetch(f"select * from {months.table_of(month)}")  # noqa: S608
        assert len(before) == 1
        await rebuilt(writer, settings)
        assert await writer.connection.fetch(f"select * from {months.table_of(month)}") == before  # noqa: S608
        assert [row.state for row in await months.listing(writer.connection) if row.name == month] == ["archived"]
        await months.attach(writer.connection, settings, month)
        assert await writer.connection.fetchval("select count(*) from messages where id = $1", old) == 1


async def test_a_month_put_aside_meanwhile(settings: Settings) -> None:
    old = "0193f000-0000-7000-8000-000000000001"
    month = months.month_of(old)
    said = MessagePosted(message=old, seq=9, token="x", type="text", content={"text": "long ago"}, data={})
    async with given(settings, *scene(), Fact("r", said, "ada")) as writer:
        await writer.then({})
        async with alone(settings) as connection:
            await prepare(connection, settings, beside(settings, "next"), model("all"), False)
        async with RebuildFollower(settings, beside(settings, "next")) as follower:
            await follower.reach(await follower.ends(list(await follower.places())))
        await months.detach(writer.connection, settings, month)
        await rebuilt(writer, settings)
        assert await writer.connection.fetchval("select count(*) from messages where id = $1", old) == 0


async def test_rows_that_are_worse_do_not_serve(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    async with given(settings, *scene()) as writer:
        await writer.then({})
        before = await tables(writer.connection, settings.schema)
        not_understood(monkeypatch, "message.edited")
        with pytest.raises(RebuildError, match=r"found 1 streams; the first is r at rooms/.*no longer understood"):
            await rebuild(settings, model("all"), jobs=1)
        assert await tables(writer.connection, settings.schema) == before


async def test_a_schema_that_is_gone_is_made_again(settings: Settings) -> None:
    projector = ReadModels(settings)
    async with given(settings, *scene()) as writer, running(projector):
        await writer.level()
        before = await tables(writer.connection, settings.schema)
        await writer.connection.execute(f"drop schema {settings.schema} cascade")

        async def failed() -> bool:
            return not projector.health()["healthy"]

        await writer.events(posted("r", "ada", 9))
        await until(failed, "the projector says that it cannot work")
        await rebuild(settings, model("all"), jobs=1)
        assert len((await tables(writer.connection, settings.schema))["changes"]) == len(before["changes"]) + 1
        await writer.events(posted("r", "ada", 10))
        await writer.level()
        assert await writer.connection.fetchval("select seq from rooms") == 10


def test_what_is_made_is_made_whatever_there_was() -> None:
    """The keys that a rebuild does not look up before: no fold may read them."""

    class Watched(dict[Key, Any]):
        def __missing__(self, key: Key) -> None:
            assert key[0] != kind, key
            return None

    for name, kind in MADE.items():
        row = REGISTRY.events[name]
        record = Record(
            topic="rooms", partition=0, offset=7, id="x.0", type=name, stream="r", time="2026-11-21T08:00:00.000Z",
            actor="ada", command="x", app="default", data=row.sample,
        )  # fmt: skip
        state = Watched()
        for key in row.keys(record):
            if key[0] == "room":
                state.update(REGISTRY.fold(_of_room(record), {key: None}))
            if key[0] == "member":
                state[key] = None
        row.fold(record, state)
        assert any(key[0] == kind for key in row.keys(record)), name


def _of_room(record: Record) -> Record:
    row = REGISTRY.events["room.created"]
    return Record(
        topic="rooms", partition=0, offset=1, id="r.0", type=row.name, stream="r", time=record.time, actor="ada",
        command="r", app="default", data=row.sample,
    )  # fmt: skip
