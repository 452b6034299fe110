"""Which tables a reader may ask, and how one is made. Tests ``infra/base/readers.py`` and ``infra/base/scram.py``."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import get_type_hints

import asyncpg
import pytest

from events.core.records import Event
from events.registry import REGISTRY
from infra.base import months, postgres, readers
from infra.base.readers import ReaderError
from infra.base.scram import verifier
from infra.base.settings import Settings
from projectors.rebuild.models import MODELS

#: Fields of events and entities that say where in the vault something is.
_POINTERS = {"credential", "secret", "dropped"}
#: What people called themselves before, also who is erased, and what operators note.
_NOTED = {"user.profile_changed", "user.email_changed", "user.email_abandoned", "app.suspended", "app.erased"}


@pytest.fixture
async def connection(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    async with postgres.connected(settings) as connection:
        yield connection


async def test_each_table_shows_what_a_policy_says_or_is_closed_to_readers(
    settings: Settings, connection: asyncpg.Connection
) -> None:
    """Add a policy to schema_live.sql, as those of other tables are; or a row to CLOSED, with the reason."""
    rows = await connection.fetch(
        "select c.relname, c.relkind::text as kind, c.relrowsecurity as guarded, c.relforcerowsecurity as forced,"
        " exists (select from pg_policy p where p.polrelid = c.oid and p.polcmd = 'r') as shown"
        " from pg_class c where c.relnamespace = to_regnamespace($1) and c.relkind not in ('i', 'I') "
        " and not c.relispartition",
        settings.schema,
    )
    found = {row["relname"]: row for row in rows}
    assert {row["kind"] for row in rows} <= {"r", "p"}, "a view shows what its owner sees: it needs security_invoker"
    wrong = [name for name, row in found.items() if (row["shown"] and row["guarded"]) == (name in readers.CLOSED)]
    assert not wrong
    assert not [name for name, row in found.items() if row["forced"]], "the projector writes by COPY"
    assert found.keys() >= readers.CLOSED.keys() | readers.WITHHELD.keys()


async def test_of_what_is_kept_besides_readers_see_their_own_row_only(
    settings: Settings, connection: asyncpg.Connection
) -> None:
    async with connection.transaction():
        await connection.execute(f'create role "{readers.group(settings)}" nologin')
        await postgres.show_to_readers(connection, settings, settings.schema)
        rows = await connection.fetch(
            "select relname from pg_class where relnamespace = to_regnamespace($1) and relkind = 'r'"
            " and has_any_column_privilege($2, oid, 'select, insert, update')",
            f"{settings.schema}_ops", readers.group(settings),
        )  # fmt: skip
        assert [row["relname"] for row in rows] == ["readers"]
        await connection.execute(f'drop owned by "{readers.group(settings)}"')
        await connection.execute(f'drop role "{readers.group(settings)}"')


async def test_a_policy_asks_tables_of_its_own_model_only(settings: Settings, connection: asyncpg.Connection) -> None:
    """A rebuild of one model drops the tables of before, and what asks them with them."""
    rows = await connection.fetch(
        "select p.polrelid::regclass::text as of, d.refobjid::regclass::text as asked from pg_policy p"
        " join pg_depend d on d.classid = 'pg_policy'::regclass and d.objid = p.oid"
        " and d.refclassid = 'pg_class'::regclass"
        " where p.polrelid in (select oid from pg_class where relnamespace = to_regnamespace($1))",
        settings.schema,
    )
    wrong = [
        (row["of"], row["asked"])
        for row in rows
        if row["asked"] not in ("readers", row["of"])
        and not any({row["of"], row["asked"]} <= {*model.tables} for name, model in MODELS.items() if name != "all")
    ]
    assert rows and not wrong


async def test_what_points_to_the_vault_is_withheld(settings: Settings, connection: asyncpg.Connection) -> None:
    """Columns of entities, and events in the change history."""
    pointing = {
        name
        for name, row in REGISTRY.events.items()
        if row.struct is not Event and _POINTERS & get_type_hints(row.struct).keys()
    }
    text = await connection.fetchval(
        "select pg_get_expr(polqual, polrelid) from pg_policy where polrelid = 'changes'::regclass"
    )
    assert set(re.findall(r"'([a-z_]+\.[a-z_]+)'", text)) == pointing | _NOTED
    for kind, entity in REGISTRY.entities.items():
        for field in _POINTERS & set(entity.__struct_fields__):
            assert field in readers.WITHHELD[f"{kind}s"], (kind, field)


async def test_tables_that_are_made_anew_are_shown_too(settings: Settings) -> None:
    name = f"{settings.schema}_reader"
    async with postgres.connected(settings) as owner:
        database = await owner.fetchval("select current_database()")
        await owner.execute(f'create role "{readers.group(settings)}" nologin')
        statements = await postgres.reader_grants(owner, settings, settings.schema)
        for statement in [*statements, *readers.making(settings, name, "default", database, verifier("pass"))]:
            await owner.execute(statement)
        try:
            reader = await asyncpg.connect(readers.address(settings.postgres, name, "pass"))
            try:
                assert await reader.fetch("select id from messages") == []
                await owner.execute(f'drop schema "{settings.schema}" cascade')
                await postgres.install(settings)
                assert await reader.fetch("select id from messages") == []
                await months.ensure(owner, settings.schema, {"2024-05"})
                assert await reader.fetch("select id from messages where id < '9'") == []
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await reader.fetch(f"table {months.table_of('2024-05')}")
            finally:
                await reader.close()
        finally:
            for role in (name, readers.group(settings)):
                await owner.execute(f'drop owned by "{role}"')
                await owner.execute(f'drop role "{role}"')


@pytest.mark.parametrize("name", ["", "Ada", "1st", "pg_ada", "public", "a b", 'a"b', "ä", "a" * 64, "a\n"])
def test_a_name_that_sql_would_not_take_is_refused(name: str) -> None:
    with pytest.raises(ReaderError, match="expected a name of 1 to 63 of a-z"):
        readers.checked(name)


def test_what_somebody_wrote_is_quoted(settings_of_nobody: Settings) -> None:
    *_, named, noted = readers.making(settings_of_nobody, "ada", "it's", 'a"b', verifier("x"))
    assert 'in database "a""b" set' in named and noted.endswith("values ('ada', 'it''s')")


@pytest.fixture
def settings_of_nobody() -> Settings:
    return Settings(schema="klatsch")


@pytest.mark.parametrize(
    ("postgres", "expected"),
    [
        ("postgresql://k:s%40t@host:5432/db", "postgresql://ada:p%2Fw@host:5432/db"),
        ("postgresql://host/db?sslmode=require&user=k&password=s", "postgresql://ada:p%2Fw@host/db?sslmode=require"),
        ("postgresql://k@[::1]:5432/db", "postgresql://ada:p%2Fw@[::1]:5432/db"),
    ],
)
def test_a_reader_connects_where_the_installation_does(postgres: str, expected: str) -> None:
    assert readers.address(postgres, "ada", "p/w") == expected


def test_a_verifier_is_that_of_the_standard() -> None:
    """The example of RFC 7677 3, with its salt and iterations, as Postgres writes them."""
    assert verifier("pencil", bytes.fromhex("5b6d99689d12358eec a04b141236fa81".replace(" ", ""))) == (
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
        "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
    )
    assert verifier("pencil") != verifier("pencil")
    for bad in ("", "passé"):
        with pytest.raises(ValueError, match="expected a password of ASCII"):
            verifier(bad)
