"""An installation of an older version: its read models are folded again, what is not in the log is kept.
Tests ``infra/base/installation.py`` and ``infra/base/postgres.py``."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import asyncpg
import pytest

from events.messages import Message, message_key
from events.rooms import Room, room_key
from infra.base import postgres, rows
from infra.base.installation import prepare
from infra.base.postgres import SCHEMA_VERSION, SQL, Connection, SchemaMismatch
from infra.base.settings import Settings
from projectors.read_models.projector import ReadModels
from tests.given import given
from tests.projectors.scenes import created, joined, posted, registered
from tests.running import running
from tests.servers import ALL, serving

#: What version 1 had, as far as it matters: some live tables with other columns, and the operations' tables.
VERSION_1 = """
create schema "{schema}_ops";
create table "{schema}_ops".installation (version integer not null, log text,
                                          installed timestamptz not null default now());
create table "{schema}_ops".credentials (id text collate "C" primary key, hash text not null,
                                         created timestamptz not null default now());
create table "{schema}_ops".feed_checkpoints (feed_partition integer primary key, feed_offset bigint not null,
                                              feed_term bigint not null, sources jsonb not null);
insert into "{schema}_ops".installation (version) values (1);
insert into "{schema}_ops".credentials (id, hash) values ('c1', 'secret');
create schema "{schema}";
create table "{schema}".rooms (id text collate "C" primary key, visibility text not null);
create table "{schema}".messages (id text collate "C" primary key, room text not null, seq bigint not null);
create unique index messages_seq on "{schema}".messages (room, seq);
create table "{schema}".positions (consumer text not null, topic text collate "C" not null, partition integer not null,
                                   next_offset bigint not null, term bigint, primary key (consumer, topic, partition));
insert into "{schema}".rooms values ('r', 'public');
insert into "{schema}".positions values ('read_models', 'rooms', 0, 3, 0), ('read_models', 'rooms', 1, 3, 0);
"""


async def made_old(settings: Settings) -> None:
    """The installation as version 1 left it."""
    await postgres.drop(settings)
    connection = await asyncpg.connect(settings.postgres)
    try:
        await connection.execute(VERSION_1.format(schema=settings.schema))
    finally:
        await connection.close()


async def test_read_models_are_folded_anew_and_the_rest_is_kept(settings: Settings) -> None:
    facts = [created("r", "ada"), joined("r", "ada"), *(posted("r", "ada", n) for n in range(1, 8))]
    async with given(settings, *facts) as writer:
        await made_old(settings)
        await asyncio.gather(*(prepare(settings) for _ in range(3)))
        assert await writer.connection.fetchval("select version from installation") == SCHEMA_VERSION
        assert await writer.connection.fetchval("select hash from credentials where id = 'c1'") == "secret"
        assert await writer.connection.fetchval("select count(*) from rooms") == 0
        await writer.then({})
        found = await rows.load(writer.connection, [room_key("r"), message_key("r-m7")])
        room, message = found[room_key("r")], found[message_key("r-m7")]
        assert isinstance(room, Room) and (room.seq, room.type, room.state) == (7, "private", "active")
        assert isinstance(message, Message) and message.seq == 7
        # Nothing is made again when there is nothing to do.
        await prepare(settings)
        assert await writer.connection.fetchval("select count(*) from messages") == 7


async def test_lost_read_models_are_made_anew(settings: Settings) -> None:
    connection = await asyncpg.connect(settings.postgres)
    try:
        before = await tables(connection, settings)
        await connection.execute(f'drop schema "{settings.schema}" cascade')
        await postgres.install(settings)
        assert before and await tables(connection, settings) == before
    finally:
        await connection.close()


async def tables(connection: Connection, settings: Settings) -> list[str]:
    """The names of the live schema's tables."""
    sql = "select tablename from pg_tables where schemaname = $1 order by 1"
    return [row["tablename"] for row in await connection.fetch(sql, settings.schema)]


async def test_a_server_starts_on_it(settings: Settings) -> None:
    async with given(settings, registered("ada"), created("r", "ada"), joined("r", "ada")) as writer:
        await made_old(settings)
        async with serving(settings, ALL):
            await writer.level()
            assert await writer.connection.fetchval("select members from rooms where id = 'r'") == 1


async def test_not_while_processes_are_at_work(settings: Settings) -> None:
    async with given(settings, created("r", "ada")) as writer, running(ReadModels(settings)):
        await writer.level()
        await writer.connection.execute("update installation set version = 1")
        with pytest.raises(SchemaMismatch, match=r"expected no process of version 1 .* stop them all"):
            await prepare(settings)
        assert await writer.connection.fetchval("select count(*) from rooms") == 1


async def test_not_while_a_projector_of_version_1_is_at_work(settings: Settings) -> None:
    await made_old(settings)
    old = await asyncpg.connect(settings.postgres)
    try:
        key = postgres.lock_key(f"{settings.schema}/read_models/rooms/1")
        await old.execute("select pg_advisory_lock($1)", key)
        with pytest.raises(SchemaMismatch, match="expected no process of version 1"):
            await postgres.install(settings)
        assert await old.fetchval(f'select count(*) from "{settings.schema}".rooms') == 1  # noqa: S608 - the test's own name
    finally:
        await old.close()
    await postgres.install(settings)


async def test_a_newer_version_is_refused(settings: Settings) -> None:
    connection = await postgres.connect(settings)
    await connection.execute("update installation set version = $1", SCHEMA_VERSION + 1)
    await connection.close()
    with pytest.raises(SchemaMismatch, match=f"expected version {SCHEMA_VERSION} or older, found {SCHEMA_VERSION + 1}"):
        await prepare(settings)


async def test_an_upgraded_schema_is_the_same_as_a_new_one(settings: Settings) -> None:
    def columns(found: list[asyncpg.Record]) -> list[tuple[str, ...]]:
        return [tuple(row) for row in found]

    sql = (
        "select table_schema = $1 as live, table_name, column_name, data_type, is_nullable, collation_name,"
        " column_default from information_schema.columns where table_schema in ($1, $1 || '_ops') order by 1, 2, 3"
    )
    connection = await asyncpg.connect(settings.postgres)
    try:
        new = columns(await connection.fetch(sql, settings.schema))
        await made_old(settings)
        await postgres.install(settings)
        assert columns(await connection.fetch(sql, settings.schema)) == new
    finally:
        await connection.close()


def test_changes_of_the_schema_have_numbers_up_to_its_version() -> None:
    numbers = [int(match[1]) for file in Path(SQL).iterdir() if (match := re.match(r"([0-9]{4})_", file.name))]
    assert numbers and len(set(numbers)) == len(numbers) and min(numbers) > 1 and max(numbers) <= SCHEMA_VERSION
