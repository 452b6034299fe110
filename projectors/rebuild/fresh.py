"""The schemas beside the live one: made with primary keys only, indexed, dropped. Their comments say what they are."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Literal, get_args

import asyncpg
import msgspec

from events.core.errors import KlatschError
from infra.base import months, postgres
from infra.base.postgres import SCHEMA_VERSION, Connection, queries
from infra.base.progress import READ_MODELS
from infra.base.settings import Settings
from projectors.core import parking

ROOT = Path(__file__).resolve().parent.parent.parent
#: What decides what rows a log makes: a schema begun by another version of it is begun again.
_DECISIVE = (
    "events/**/*.py",
    "infra/base/rows.py",
    "infra/base/months.py",
    "projectors/core/passing.py",
    "projectors/read_models/invalidations.py",
    "schemas/sql/schema_live.sql",
)

#: Memory of one index build.
_INDEX_MEMORY = "256MB"
#: Seconds for one statement that reads or writes a whole table.
LONG = 24 * 3600.0
#: Seconds that a statement waits for a lock before it is tried again, so that nobody waits behind it for longer. More
#: than Postgres' deadlock_timeout (1 s): after that it ends an autovacuum that is in the way.
LOCK_SECONDS = 2.0
_ATTEMPTS = 60


class RebuildError(KlatschError):
    """The read models cannot be rebuilt or switched; the text says why and what to do. Nothing was changed."""


class Marker(msgspec.Struct, frozen=True, kw_only=True):
    """The comment of a schema that a rebuild made."""

    version: int
    code: str
    model: str
    #: How many events had been passed over for good: one more, and what was folded may hold it.
    skipped: int
    #: Applications whose events were passed over from the beginning: those whose rows were gone by then.
    erased: tuple[str, ...] = ()
    state: Literal["folding", "indexed", "old"]


Beside = Literal["next", "old", "verify", "leaving"]
#: All of them.
BESIDE: tuple[Beside, ...] = get_args(Beside)


def beside(settings: Settings, name: Beside) -> str:
    """The schema of that role: ``klatsch_next``."""
    return f"{settings.schema}_{name}"


async def connect(settings: Settings, schema: str, **more: str) -> Connection:
    """A connection whose unqualified names are those of ``schema`` and of what is never rebuilt."""
    options = {
        "search_path": f'"{schema}", "{settings.schema}_ops"',
        "plan_cache_mode": "force_custom_plan",
        # Rows and positions are one transaction, and the switch is flushed: what a crash takes is folded again.
        "synchronous_commit": "off",
        "application_name": f"klatsch {schema.removeprefix(settings.schema).strip('_') or 'operate'}",
        **more,
    }
    return await postgres.connect(settings, **options)


@contextmanager
def room(schema: str) -> Iterator[None]:
    """Says what to do when Postgres has no more room within the block."""
    try:
        yield
    except asyncpg.DiskFullError as error:
        raise RebuildError(
            f"schema {schema}: Postgres has no room left: {error}. The rows are folded beside those that serve, which "
            f"are as they were, and need as much room again. Make some and start again, it goes on from here; or give "
            f'it back: drop schema "{schema}" cascade'
        ) from error


@cache
def code() -> str:
    """A fingerprint of what decides what rows a log makes."""
    digest = blake2b(digest_size=12)
    for pattern in _DECISIVE:
        for file in sorted(ROOT.glob(pattern)):
            digest.update(file.read_bytes())
    return digest.hexdigest()


@cache
def statements() -> tuple[list[str], list[str]]:
    """Those of ``schema_live.sql``: what makes tables, and what makes secondary indexes."""
    text = (postgres.SQL / "schema_live.sql").read_text(encoding="utf-8")
    # Comments end with their line, and no string of the script holds a semicolon or two dashes.
    parts = [part.strip() for part in re.sub(r"--.*", "", text).split(";") if part.strip()]
    indexes = [part for part in parts if part.startswith(("create index", "create unique index"))]
    return [part for part in parts if part not in indexes], indexes


async def marker(connection: Connection, schema: str) -> Marker | None:
    """What the schema is; None when it is not there, or was not made by a rebuild."""
    text = await connection.fetchval(queries("rebuild")["marker"], f'"{schema}"')
    try:
        return None if text is None else msgspec.json.decode(text, type=Marker)
    except msgspec.DecodeError:
        return None


async def wanted(
    connection: Connection, model: str, state: Literal["folding", "indexed", "old"], erased: Iterable[str] = ()
) -> Marker:
    """The marker of a schema that is made now; ``erased``: applications of which it has no rows."""
    skipped = len(await parking.skipped_events(connection, READ_MODELS))
    return Marker(version=SCHEMA_VERSION, code=code(), model=model, skipped=skipped, erased=tuple(erased), state=state)


async def mark(connection: Connection, schema: str, found: Marker) -> None:
    """Notes what the schema is."""
    await connection.execute(f"comment on schema \"{schema}\" is '{msgspec.json.encode(found).decode()}'")


async def unskipped(connection: Connection, schema: str) -> None:
    """Raises RebuildError when an event was passed over for good after the schema was begun, which may hold it."""
    found = await marker(connection, schema)
    skipped = len(await parking.skipped_events(connection, READ_MODELS))
    if found is None or found.skipped != skipped:
        raise RebuildError(
            f"schema {schema}: expected {found and found.skipped} skipped events as at its beginning, found {skipped}. "
            "Nothing was changed; start again, a rebuild begins anew"
        )


async def make(connection: Connection, schema: str, found: Marker) -> None:
    """An empty schema with its tables, without secondary indexes."""
    async with connection.transaction():
        await connection.execute(f'create schema "{schema}"')
        for statement in statements()[0]:
            await connection.execute(statement)
        await connection.execute(queries("app_erasure")["assume_done"], list(found.erased))
        await mark(connection, schema, found)
        await leave_alone(connection, schema)


async def leave_alone(connection: Connection, schema: str) -> None:
    """Keeps autovacuum from tables that are being filled: it would read again and again what is only added to."""
    for row in await connection.fetch(queries("rebuild")["vacuumed"], f'"{schema}"', True):
        await connection.execute(f'alter table "{schema}"."{row["relname"]}" set (autovacuum_enabled = false)')


async def look_after(connection: Connection, schema: str) -> None:
    """Gives the tables to autovacuum, before they serve."""
    for row in await connection.fetch(queries("rebuild")["vacuumed"], f'"{schema}"', False):
        await connection.execute(f'alter table "{schema}"."{row["relname"]}" reset (autovacuum_enabled)')


async def drop(connection: Connection, schema: str) -> None:
    """Removes the schema. Waits for its readers, in short steps."""
    await patiently(connection, f'drop schema if exists "{schema}" cascade')


async def patiently(connection: Connection, statement: str) -> None:
    """Executes a statement that needs a table for itself; tries again when it does not get it. Raises RebuildError."""
    for _ in range(_ATTEMPTS):
        try:
            async with connection.transaction():
                await connection.execute(f"set local lock_timeout = '{LOCK_SECONDS}s'")
                await connection.execute(statement, timeout=LONG)
            return
        except asyncpg.LockNotAvailableError:
            await asyncio.sleep(0.2)
    raise RebuildError(f"expected {statement!r} within {_ATTEMPTS} attempts; somebody holds its tables all the time")


async def index(settings: Settings, schema: str, jobs: int) -> None:
    """Makes the secondary indexes, ``jobs`` at a time, and the planner's statistics."""
    connection = await connect(settings, schema)
    try:
        states = await connection.fetch(queries("rebuild")["month_states"], f'"{schema}"')
        apart = [months.table_of(row["month"]) for row in states if not row["attached"]]
    finally:
        await connection.close()
    waiting = [_again(statement) for statement in statements()[1]]
    statements_of_messages = [one for one in waiting if " on messages " in one]
    for table in apart:
        # A month that was put aside is no part of the whole: its indexes are its own.
        waiting += [
            re.sub(r"exists messages(\w+) on messages ", rf"exists {table}\1 on {table} ", one)
            for one in statements_of_messages
        ]
    # The large ones first.
    waiting.sort(key=lambda one: " on messages" in one or " on changes" in one, reverse=True)
    await asyncio.gather(*(_index(settings, schema, waiting) for _ in range(jobs)))


def _again(statement: str) -> str:
    return statement.replace("index ", "index if not exists ", 1)


async def _index(settings: Settings, schema: str, waiting: list[str]) -> None:
    connection = await connect(
        settings, schema, maintenance_work_mem=_INDEX_MEMORY, max_parallel_maintenance_workers="0"
    )
    try:
        while waiting:
            with room(schema):
                await connection.execute(waiting.pop(0), timeout=LONG)
    finally:
        await connection.close()


async def analyze(connection: Connection, schema: str) -> None:
    """The planner's statistics of all tables of the schema."""
    names = await connection.fetch(
        "select relname from pg_class where relnamespace = to_regnamespace($1) and relkind in ('r', 'p')"
        " and not relispartition",
        f'"{schema}"',
    )
    for row in names:
        await connection.execute(f'analyze "{schema}"."{row["relname"]}"', timeout=LONG)
