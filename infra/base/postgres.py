"""Postgres: the pool with its codecs, the schema's installation, and the named queries of ``schemas/sql``."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from events.core.errors import KlatschError
from infra.base.connection import Connection as Connection
from infra.base.connection import Pool as Pool
from infra.base.connection import Row as Row
from infra.base.placeholders import filled
from infra.base.readers import grants, group
from infra.base.settings import Settings

log = logging.getLogger(__name__)

SQL = Path(__file__).resolve().parents[2] / "schemas" / "sql"

#: Version of ``schemas/sql/schema_live.sql`` and ``schema_ops.sql`` that this code runs on. A new version takes a file
#: ``NNNN_what.sql`` for what it changes in ``schema_ops.sql``, where it changes something; the rest is folded again.
SCHEMA_VERSION = 20

_NAME = re.compile(r"^[a-z_][a-z0-9_]{0,40}$")
_MIGRATION = re.compile(r"^([0-9]{4})_[a-z0-9_]+\.sql$")
_BLOCK = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


class SchemaMismatch(KlatschError):
    """The database holds a schema that this code does not know; the text says expected, actual and what to do."""


@cache
def queries(name: str) -> dict[str, str]:
    """The named blocks of ``schemas/sql/<name>.sql``: ``-- name: x`` on a line, then comment lines, then SQL.

    What they leave to the registry is filled in (infra/base/placeholders.py).
    """
    text = (SQL / f"{name}.sql").read_text(encoding="utf-8")
    parts = _BLOCK.split(text)
    found: dict[str, str] = {}
    for title, body in zip(parts[1::2], parts[2::2], strict=True):
        if title in found:
            raise ValueError(f"{name}.sql: query {title} stands there twice")
        found[title] = filled(body.strip())
    return found


def _time(text: str) -> str:
    """Postgres' text form of a timestamptz in UTC (``2026-11-21 08:15:30.12+00``) as events.core.clock.Time."""
    fraction = text[20:-3] if len(text) > 22 else ""
    return f"{text[:10]}T{text[11:19]}.{fraction[:3]:0<3}Z"


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


async def prepare(connection: Connection) -> None:
    """Codecs of every connection: times as RFC 3339 text, JSON as Python values."""
    await connection.set_type_codec("timestamptz", schema="pg_catalog", encoder=str, decoder=_time, format="text")
    for name in ("json", "jsonb"):
        await connection.set_type_codec(
            name, schema="pg_catalog", encoder=_json, decoder=msgspec.json.decode, format="text"
        )


def server_settings(settings: Settings, **more: str) -> dict[str, str]:
    """Session settings: where unqualified names are looked up, and UTC."""
    return {
        "search_path": f'"{settings.schema}", "{settings.schema}_ops"',
        "timezone": "UTC",
        "application_name": process_name(settings, settings.address),
        **more,
    }


def process_name(settings: Settings, address: str) -> str:
    """What a process calls itself, so that others find its address; Postgres keeps 63 bytes of it."""
    return f"klatsch {settings.schema} {address}"


async def pool(settings: Settings, *, size: int = 10) -> Pool:
    """An asyncpg pool on the live schema. Close it after use."""
    return await asyncpg.create_pool(
        settings.postgres,
        min_size=1,
        max_size=size,
        command_timeout=30,
        init=prepare,
        # Nobody changes a session's settings, and the default's RESET ALL is a round trip for each use.
        reset=_keep,
        server_settings=server_settings(settings),
    )


async def _keep(connection: Connection) -> None:
    """Leaves a connection as it is when it goes back to the pool."""


async def connect(settings: Settings, **more: str) -> asyncpg.Connection:
    """One long-lived connection with the codecs, for a projector or a listener; ``more`` are session settings."""
    connection = await asyncpg.connect(
        settings.postgres, command_timeout=60, server_settings=server_settings(settings, **more)
    )
    await prepare(connection)
    return connection


@asynccontextmanager
async def connected(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    """The same for the length of the block."""
    connection = await connect(settings)
    try:
        yield connection
    finally:
        await connection.close()


async def install(settings: Settings) -> None:
    """Creates the schemas where they are missing, and brings older ones up. Safe to run by several at once.

    A live schema that is lost, or of an older version, is rebuilt, empty: the projector folds it from the log's
    beginning. What is not in the log (``schema_ops.sql``) is kept and changed forward.

    Raises SchemaMismatch for a newer version, or while processes of the older one run; ValueError for a schema name
    that is not a plain lower-case identifier.
    """
    if not _NAME.match(settings.schema):
        raise ValueError(f"KLATSCH_SCHEMA: expected a name of a-z, 0-9 and _, got {settings.schema!r}")
    scripts = await asyncio.to_thread(_scripts)
    connection = await asyncpg.connect(settings.postgres)
    try:
        async with connection.transaction():
            await connection.execute("select pg_advisory_xact_lock(hashtext($1))", f"klatsch {settings.schema}")
            if await connection.fetchval("select to_regclass($1)", f"{settings.schema}_ops.installation") is None:
                await _run(connection, settings, "_ops", scripts["ops"])
                await _live(connection, settings, scripts)
                await connection.execute("insert into installation (version) values ($1)", SCHEMA_VERSION)
            await _path(connection, settings, "_ops")
            version = await connection.fetchval("select version from installation")
            if version > SCHEMA_VERSION:
                raise SchemaMismatch(
                    f"schema {settings.schema}: expected version {SCHEMA_VERSION} or older, found {version};"
                    " run the Klatsch release that made it, or start on another KLATSCH_SCHEMA"
                )
            if version < SCHEMA_VERSION:
                await _upgrade(connection, settings, version, scripts)
            elif await connection.fetchval("select to_regclass($1)", f"{settings.schema}.positions") is None:
                log.warning("schema %s: its read models are lost, and folded anew from the log", settings.schema)
                await _live(connection, settings, scripts)
    finally:
        await connection.close()


def _scripts() -> dict[str, str]:
    """``live``, ``ops``, and the changes of the latter by their numbers: ``0002``."""
    found = {name: (SQL / f"schema_{name}.sql").read_text(encoding="utf-8") for name in ("live", "ops")}
    for file in sorted(SQL.iterdir()):
        if match := _MIGRATION.match(file.name):
            found[match[1]] = file.read_text(encoding="utf-8")
    return found


async def _upgrade(connection: Connection, settings: Settings, version: int, scripts: dict[str, str]) -> None:
    """From an older version, in one transaction."""
    if not await _nobody_works(connection, settings):
        raise SchemaMismatch(
            f"schema {settings.schema}: expected no process of version {version} while it is brought to version"
            f" {SCHEMA_VERSION}, found some at work; stop them all, then start again"
        )
    log.warning("schema %s: from version %d to %d; its read models are folded anew from the log",
                settings.schema, version, SCHEMA_VERSION)  # fmt: skip
    for number in range(version + 1, SCHEMA_VERSION + 1):
        if script := scripts.get(f"{number:04}"):
            await _run(connection, settings, "_ops", script)
    await connection.execute(f'drop schema if exists "{settings.schema}" cascade')
    await _live(connection, settings, scripts)
    await _path(connection, settings, "_ops")
    await connection.execute("update installation set version = $1", SCHEMA_VERSION)


def lock_key(name: str) -> int:
    """A name as Postgres' signed 64-bit lock key."""
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), signed=True)


def shared_key(settings: Settings) -> int:
    """Key of the advisory lock that everybody shares who works on the read models, and an upgrade needs alone."""
    return lock_key(f"{settings.schema}/at work")


async def share(connection: Connection, settings: Settings) -> None:
    """Keeps the schema at this version while the connection stands. Raises SchemaMismatch when it has another."""
    await connection.execute("select pg_advisory_lock_shared($1)", shared_key(settings))
    version = await connection.fetchval("select version from installation")
    if version != SCHEMA_VERSION:
        raise SchemaMismatch(
            f"schema {settings.schema}: expected version {SCHEMA_VERSION}, found {version}; start anew"
        )


async def _nobody_works(connection: Connection, settings: Settings) -> bool:
    """Whether no process works on the read models, and none does until the end of the transaction."""
    names: list[str] = []
    if await connection.fetchval("select to_regclass($1)", f"{settings.schema}.positions") is not None:
        # Projectors of version 1 hold a lock for each shard, and nothing else.
        await _path(connection, settings, "")
        rows = await connection.fetch("select consumer, topic, partition from positions")
        names += [f"{row['consumer']}/{row['topic']}/{row['partition']}" for row in rows]
    keys = [shared_key(settings), *(lock_key(f"{settings.schema}/{name}") for name in names)]
    free = await connection.fetchval(
        "select bool_and(pg_try_advisory_xact_lock(key)) from unnest($1::bigint[]) k(key)", keys
    )
    return bool(free)


async def _live(connection: Connection, settings: Settings, scripts: dict[str, str]) -> None:
    """Empty read models, which the readers that are there may read."""
    await _run(connection, settings, "", scripts["live"])
    await show_to_readers(connection, settings, settings.schema)


def readers_lock(settings: Settings) -> str:
    """Name of the advisory lock of those who make readers, or tables that they see."""
    return f"klatsch {settings.schema} readers"


async def reader_grants(connection: Connection, settings: Settings, schema: str) -> list[str]:
    """What lets readers ask the tables of ``schema``."""
    rows = await connection.fetch(queries("readers")["readable"], f'"{schema}"')
    return grants(settings, schema, [(row["table"], row["columns"]) for row in rows])


async def show_to_readers(connection: Connection, settings: Settings, schema: str) -> None:
    """Lets readers ask tables that were made anew; in a transaction. Nothing, while the installation has no readers."""
    await connection.execute(queries("readers")["lock"], readers_lock(settings))
    if await connection.fetchval(queries("readers")["group"], group(settings)):
        for statement in await reader_grants(connection, settings, schema):
            await connection.execute(statement)


async def _run(connection: Connection, settings: Settings, suffix: str, script: str) -> None:
    await connection.execute(f'create schema if not exists "{settings.schema}{suffix}"')
    await _path(connection, settings, suffix)
    await connection.execute(script)


async def _path(connection: Connection, settings: Settings, suffix: str) -> None:
    names = [f'"{settings.schema}_ops"'] if suffix else [f'"{settings.schema}"', f'"{settings.schema}_ops"']
    await connection.execute(f"set local search_path to {', '.join(names)}")


async def drop(settings: Settings) -> None:
    """Removes the schemas with all that they hold."""
    connection = await asyncpg.connect(settings.postgres)
    try:
        await connection.execute(f'drop schema if exists "{settings.schema}" cascade')
        await connection.execute(f'drop schema if exists "{settings.schema}_ops" cascade')
    finally:
        await connection.close()
