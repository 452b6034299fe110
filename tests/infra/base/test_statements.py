"""Statements as one and columns as text: what Postgres makes of them is what the arrays and the parts would give."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.base import postgres
from infra.base.statements import Statement, joined, packed, run
from tests.parts import Parts
from tests.servers import installation

ROWS = (
    "insert into odd select * from unnest($1::text[], $2::bigint[], $3::boolean[], $4::json[], $5::timestamptz[])"
    " as r(name, number, yes, data, at)"
)
#: With the characters that stand between values, and what Postgres takes for the end of something.
TEXTS = st.text(st.sampled_from("a\x1f\x1e\n\\\"',{}nul Ω"), max_size=4)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**31), 2**31) | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)
VALUES = st.tuples(
    TEXTS | st.none(),
    st.integers(-(2**63), 2**63 - 1) | st.none(),
    st.booleans() | st.none(),
    st.dictionaries(TEXTS, JSON, max_size=2) | st.none(),
    st.sampled_from(["2026-11-21T08:15:30.120Z", "1970-01-01T00:00:00.000Z", None]),
)


@pytest.fixture(scope="module")
async def connection(parts: Parts) -> AsyncIterator[postgres.Connection]:
    async with installation(parts) as found:
        connection = await postgres.connect(found)
        await connection.execute(
            "create table odd (name text, number bigint, yes boolean, data json, at timestamptz);"
            "create table other (name text)"
        )
        yield connection
        await connection.close()


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(VALUES, min_size=1, max_size=4))
async def test_packed_columns_come_out_as_they_went_in(
    connection: postgres.Connection, rows: list[tuple[Any, ...]]
) -> None:
    await connection.execute("truncate odd")
    await run(connection, [packed(ROWS, [list(column) for column in zip(*rows, strict=True)])])
    found = await connection.fetch("select * from odd")
    assert sorted(map(_sorted, found)) == sorted(map(_sorted, rows))


def _sorted(row: Any) -> bytes:
    return msgspec.json.encode(list(row), order="deterministic")


def test_only_odd_values_take_the_long_way() -> None:
    def long(*column: str | None) -> bool:
        return packed("select unnest($1::text[])", [column]).sql == "select unnest($1::text[])"

    assert not long("a", None, "", "b\n") and not long(None)
    assert long("a\x1fb") and long("\x1e", None) and long("")


async def test_statements_run_as_one_or_not_at_all(connection: postgres.Connection) -> None:
    await connection.execute("truncate odd")
    first = Statement("insert into odd (name, number) values ($1, $2)", ["one", 1])
    second = Statement("insert into other (name) select unnest($1::text[])", [["two", "three"]])
    third = Statement("-- with a comment\ninsert into odd (name, number) values ($1, $2)", ["four", 4])
    await run(connection, [first, second, third])
    await run(connection, [])
    assert [tuple(row) for row in await connection.fetch("select name, number from odd order by number")] == [
        ("one", 1), ("four", 4),
    ]  # fmt: skip
    assert await connection.fetchval("select count(*) from other") == 2
    bad = Statement("insert into other (name) values (($1::text::int)::text)", ["five"])
    with pytest.raises(asyncpg.DataError):
        await run(connection, [first, bad])
    assert await connection.fetchval("select count(*) from odd") == 2


def test_parameters_are_counted_on() -> None:
    assert joined((("a $1 $2", 2), ("b $1", 1), ("c $2 $1", 2))) == (
        "with part_0 as (\na $1 $2\n),\npart_1 as (\nb $3\n)\nc $5 $4"
    )
    assert joined((("a $1", 1),)) == "a $1"
