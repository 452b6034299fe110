"""``klatsch readers``: roles of Postgres that see the rows of one application, for analysts and their tools."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import asyncpg
import msgspec

from infra.base import called, postgres, readers
from infra.base.postgres import Connection, queries
from infra.base.readers import ReaderError
from infra.base.scram import verifier
from infra.base.settings import Settings

Say = Callable[[str], None]


async def create(
    settings: Settings, name: str, app: str, *, json: bool, sql: bool, say: Say, warn: Say
) -> None:  # fmt: skip
    """Makes a reader and says its DSN, or with ``sql`` the statements that would; warns of what it may do all the same.
    Raises ReaderError."""
    readers.checked(name)
    password = secrets.token_urlsafe(24)
    async with _at_work(settings) as connection:
        id = await _app(connection, app)
        [ours] = await connection.fetch(queries("readers")["ourselves"])
        if await connection.fetchval(queries("readers")["group"], name):
            raise ReaderError(f"expected a name that no role of Postgres has, got {name!r}; see 'readers list'")
        statements = await _statements(connection, settings, name, id, ours["database"], password)
        if sql:
            _say_sql(statements, say)
        elif not ours["may"]:
            raise ReaderError(_may_not(ours["name"]))
        else:
            await _run(connection, statements, ours["name"])
            if await connection.fetch(queries("readers")["open_to_all"]):
                warn(
                    f"{name} may take locks for which this installation waits, as any role may unless a superuser of "
                    "Postgres takes it from all: let one run what 'readers create --sql' begins with"
                )
    _say_address(settings, name, id, password, json=json, sql=sql, say=say)


def _say_sql(statements: list[str], say: Say) -> None:
    say("-- To be run by a superuser of Postgres, or one who owns the schemas and may create roles.")
    for statement in ("begin", *statements, "commit"):
        say(f"{statement};")


def _say_address(settings: Settings, name: str, app: str, password: str, *, json: bool, sql: bool, say: Say) -> None:
    dsn = readers.address(settings.postgres, name, password)
    if sql:
        say(f"-- {name} connects with: {dsn}")
    elif json:
        say(msgspec.json.encode({"reader": name, "app": app, "password": password, "dsn": dsn}).decode())
    else:
        say(f"{name} reads what is of {app}:\n{dsn}")
        say("The password is shown only now.")


async def listing(settings: Settings, *, json: bool, say: Say) -> None:
    """Says all readers with their applications."""
    async with _at_work(settings) as connection:
        rows = await connection.fetch(queries("readers")["all"])
    if json:
        found = [
            {"reader": row["role"], "app": row["app"], "created": row["created"], "there": row["there"]} for row in rows
        ]
        say(msgspec.json.format(msgspec.json.encode({"readers": found})).decode())
        return
    for row in rows:
        gone = "" if row["there"] else "  (Postgres has no such role any more)"
        say(f"{row['role']:<24}  {row['app']:<36}  {row['name']}{gone}")


async def drop(settings: Settings, name: str, *, say: Say) -> None:
    """Takes a reader away: who is connected sees nothing from now on. Raises ReaderError."""
    async with _at_work(settings) as connection:
        if await connection.fetchval(queries("readers")["forget"], name) is None:
            raise ReaderError(f"expected a reader, found none called {name!r}; see 'readers list'")
        there = await connection.fetchval(queries("readers")["group"], name)
        if there:
            [ours] = await connection.fetch(queries("readers")["ourselves"])
            await _run(connection, readers.ending(settings, name), ours["name"])
            await connection.fetchval(queries("readers")["end_sessions"], name)
    # Whatever keeps the role itself: it logs in no more, and sees nothing.
    left = await _left(settings, name) if there else None
    say(f"{name} is gone." if left is None else f"{name} logs in no more and sees nothing; its role stays: {left}")


async def _left(settings: Settings, name: str) -> str | None:
    """Takes the role away; why it stays, None: it does not."""
    async with postgres.connected(settings) as connection:
        try:
            await connection.execute(f'drop role "{readers.checked(name)}"')
        except asyncpg.DependentObjectsStillExistError as error:
            # What it has made in another database of the server.
            return " ".join(str(error).split())
    return None


@asynccontextmanager
async def _at_work(settings: Settings) -> AsyncIterator[Connection]:
    """A transaction in which nobody else makes readers, or tables that they see. Raises ReaderError."""
    async with postgres.connected(settings) as connection, connection.transaction():
        if not await connection.fetchval(queries("readers")["installed"]):
            raise ReaderError(f"expected an installation in schema {settings.schema}, found none; see 'install'")
        await connection.execute(queries("readers")["lock"], postgres.readers_lock(settings))
        yield connection


async def _app(connection: Connection, text: str) -> str:
    """The id of the application with this id, or else this name. Raises ReaderError for none, or several."""
    try:
        found = await called.app_id(connection, text)
    except called.Ambiguous as error:
        raise ReaderError(str(error)) from error
    if found is None:
        raise ReaderError(
            f"expected the id or name of an application, found none called {text!r}; see './klatsch apps list'"
        )
    return found


async def _statements(
    connection: Connection, settings: Settings, name: str, app: str, database: str, password: str
) -> list[str]:
    """All that makes the reader, and before the first one their group."""
    group = readers.group(settings)
    there = await connection.fetchval(queries("readers")["group"], group)
    functions = [row["function"] for row in await connection.fetch(queries("readers")["open_to_all"])]
    others = [row["name"] for row in await connection.fetch(queries("readers")["others"])]
    return [
        *([] if there else [f'create role "{group}" nologin']),
        *readers.closing(functions, database, others),
        *await postgres.reader_grants(connection, settings, settings.schema),
        *readers.making(settings, name, app, database, verifier(password)),
    ]


async def _run(connection: Connection, statements: list[str], ourselves: str) -> None:
    try:
        for statement in statements:
            await connection.execute(statement)
    except asyncpg.InsufficientPrivilegeError as error:
        raise ReaderError(f"{_may_not(ourselves)}: {error}") from error


def _may_not(ourselves: str) -> str:
    return (
        f"expected that Postgres lets {ourselves} make and take away roles, as by 'alter role {ourselves} createrole'. "
        "Nothing was changed; 'readers create --sql' prints what somebody who may can run instead"
    )
