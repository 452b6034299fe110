"""Postgres: the pool with its codecs, the schema's installation, and the named queries of ``schemas/sql``."""

from __future__ import annotations

import asyncio
import re
from functools import cache
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from infra.settings import Settings

SQL = Path(__file__).resolve().parent.parent / "schemas" / "sql"

#: Version of ``schemas/sql/schema_live.sql`` and ``schema_ops.sql`` that this code runs on.
SCHEMA_VERSION = 1

_NAME = re.compile(r"^[a-z_][a-z0-9_]{0,40}$")
_BLOCK = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


class SchemaMismatch(RuntimeError):
    """The database holds a schema that this code does not know; the text says expected, actual and what to do."""


@cache
def queries(name: str) -> dict[str, str]:
    """The named blocks of ``schemas/sql/<name>.sql``: ``-- name: x`` on a line, then comment lines, then SQL."""
    text = (SQL / f"{name}.sql").read_text(encoding="utf-8")
    parts = _BLOCK.split(text)
    found: dict[str, str] = {}
    for title, body in zip(parts[1::2], parts[2::2], strict=True):
        if title in found:
            raise ValueError(f"{name}.sql: query {title} stands there twice")
        found[title] = body.strip()
    return found


def _time(text: str) -> str:
    """Postgres' text form of a timestamptz in UTC (``2026-11-21 08:15:30.12+00``) as events.clock.Time."""
    fraction = text[20:-3] if len(text) > 22 else ""
    return f"{text[:10]}T{text[11:19]}.{fraction[:3]:0<3}Z"


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


async def prepare(connection: Any) -> None:
    """Codecs of every connection: times as RFC 3339 text, jsonb as Python values."""
    await connection.set_type_codec("timestamptz", schema="pg_catalog", encoder=str, decoder=_time, format="text")
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=_json, decoder=msgspec.json.decode, format="text"
    )


def server_settings(settings: Settings, **more: str) -> dict[str, str]:
    """Session settings: where unqualified names are looked up, and UTC."""
    return {"search_path": f'"{settings.schema}", "{settings.schema}_ops"', "timezone": "UTC", **more}


async def pool(settings: Settings, *, size: int = 10) -> Any:
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


async def _keep(connection: Any) -> None:
    """Leaves a connection as it is when it goes back to the pool."""


async def connect(settings: Settings, **more: str) -> Any:
    """One long-lived connection with the codecs, for a projector or a listener; ``more`` are session settings."""
    connection = await asyncpg.connect(
        settings.postgres, command_timeout=60, server_settings=server_settings(settings, **more)
    )
    await prepare(connection)
    return connection


async def install(settings: Settings) -> None:
    """Creates the schemas where they are missing, and checks their version. Safe to run by several at once.

    Raises SchemaMismatch, or ValueError for a schema name that is not a plain lower-case identifier.
    """
    if not _NAME.match(settings.schema):
        raise ValueError(f"KLATSCH_SCHEMA: expected a name of a-z, 0-9 and _, got {settings.schema!r}")
    live, ops = await asyncio.to_thread(
        lambda: tuple((SQL / f"schema_{name}.sql").read_text(encoding="utf-8") for name in ("live", "ops"))
    )
    connection = await asyncpg.connect(settings.postgres)
    try:
        async with connection.transaction():
            await connection.execute("select pg_advisory_xact_lock(hashtext($1))", f"klatsch {settings.schema}")
            if await connection.fetchval("select to_regclass($1)", f"{settings.schema}_ops.installation") is None:
                await _create(connection, f"{settings.schema}_ops", ops)
                await _create(connection, settings.schema, live)
                await connection.execute("insert into installation (version) values ($1)", SCHEMA_VERSION)
            await connection.execute(f'set local search_path to "{settings.schema}_ops"')
            version = await connection.fetchval("select version from installation")
            if version != SCHEMA_VERSION:
                raise SchemaMismatch(
                    f"schema {settings.schema}: expected version {SCHEMA_VERSION}, found {version};"
                    " run the Klatsch release that made it, or start on another KLATSCH_SCHEMA"
                )
    finally:
        await connection.close()


async def _create(connection: Any, schema: str, script: str) -> None:
    await connection.execute(f'create schema if not exists "{schema}"')
    path = f'"{schema}", "{schema}_ops"' if not schema.endswith("_ops") else f'"{schema}"'
    await connection.execute(f"set local search_path to {path}")
    await connection.execute(script)


async def drop(settings: Settings) -> None:
    """Removes the schemas with all that they hold."""
    connection = await asyncpg.connect(settings.postgres)
    try:
        await connection.execute(f'drop schema if exists "{settings.schema}" cascade')
        await connection.execute(f'drop schema if exists "{settings.schema}_ops" cascade')
    finally:
        await connection.close()
