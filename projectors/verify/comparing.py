"""Comparing the tables of two schemas in SQL, within one snapshot: digests first, then row by row where they differ."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from functools import cache
from typing import Any, Literal, NamedTuple

import msgspec

from events.core.free_json import same
from events.registry import REGISTRY
from infra.base import months
from infra.base.postgres import Connection, queries
from infra.base.rows import TABLES, column_types
from projectors.read_models.changes import COLUMNS
from projectors.rebuild.copying import layout
from projectors.rebuild.fresh import LONG
from projectors.verify.findings import Compared

#: Rows that a cursor brings at once.
_FETCH = 200


class Spec(NamedTuple):
    """A table as it is compared."""

    name: str
    keys: tuple[str, ...]
    columns: tuple[str, ...]
    #: Columns of a type that has no hash, or no equality: their texts are compared.
    as_text: frozenset[str]
    #: Those of them that are shown as values of JSON.
    json: frozenset[str]
    #: The column that names the stream; that of a revision is its message's. Empty where all rows are of one stream.
    stream: str
    topic: str


#: Column of the stream, and topic, of the entities' tables.
STREAMS = {
    "users": ("id", "users"), "sessions": ("user", "users"), "relationships": ("user", "users"),
    "visuals": ("owner", "users"), "handles": ("id", "handles"), "apps": ("id", "apps"), "plans": ("id", "apps"),
    "teams": ("app", "apps"),
    "rooms": ("id", "rooms"), "members": ("room", "rooms"),
    "stays": ("room", "rooms"), "invitations": ("room", "rooms"), "messages": ("room", "rooms"),
    "revisions": ("message", "rooms"), "pins": ("room", "rooms"), "channels": ("", "rooms"),
    "channel_users": ("", "rooms"), "channel_counters": ("stream", "rooms"), "listenings": ("user", "users"),
}  # fmt: skip


@cache
def spec(table: str) -> Spec:
    """How a table is compared. Raises KeyError for one that is not."""
    if table == "spans":
        columns = ("room", "month", "first", "last", "since", "until", "low", "high")
        return Spec(table, columns[:2], columns, frozenset(), frozenset(), "room", "rooms")
    if table == "changes":
        return Spec(table, ("topic", "partition", "offset"), COLUMNS, frozenset({"data"}), frozenset(), "stream", "")
    if table == "erased_events":
        return Spec(table, ("app", "topic"), ("app", "topic", "events"), frozenset(), frozenset(), "app", "apps")
    kind = next(kind for kind, name in TABLES.items() if name == table)
    entity = REGISTRY.entities[kind]
    json = frozenset(name for name, type_ in column_types(entity).items() if type_ == "json")
    return Spec(table, entity.key_fields, layout(kind).columns, json | {"words"}, json, *STREAMS[table])


class Sides(NamedTuple):
    """What is compared: the schema of the log's fold, and that of the rows."""

    expected: str
    actual: str
    #: Months whose tables were put aside and taken away: their messages are expected nowhere.
    gone: tuple[str, ...] = ()


async def sides(connection: Connection, expected: str, actual: str) -> Sides:
    """The two schemas, and which months are gone from the rows."""
    rows = await connection.fetch(queries("months")["states"])
    return Sides(expected, actual, tuple(row["month"] for row in rows if row["state"] == "gone"))


async def source(connection: Connection, schema: str, table: str, gone: Iterable[str] = ()) -> str:
    """What to select from: of messages, months that were put aside are theirs too, but not those that are ``gone``."""
    parts = [f'"{schema}"."{table}"']
    if table == "messages":
        states = await connection.fetch(queries("rebuild")["month_states"], f'"{schema}"')
        parts += [f'"{schema}"."{months.table_of(row["month"])}"' for row in states if not row["attached"]]
        # A month's bounds are hexadecimal digits.
        left_out = [f"not (id >= '{first}' and id < '{end}')" for first, end in map(months.bounds, gone)]
        columns, where = _list(spec(table).columns), f" where {' and '.join(left_out)}" if left_out else ""
        # S608 here and below: names of ours; every value is a parameter.
        return "(" + " union all ".join(f"select {columns} from {part}{where}" for part in parts) + ")"  # noqa: S608
    return parts[0]


def _list(columns: Iterable[str]) -> str:
    """Columns by name."""
    return ", ".join(f'"{column}"' for column in columns)


def _values(table: Spec, side: str) -> str:
    """Columns as values that can be compared."""
    return ", ".join(f'{side}."{name}"' + ("::text" if name in table.as_text else "") for name in table.columns)


async def compare(connection: Connection, both: Sides, table: str) -> list[Compared]:
    """The digests of a table in both schemas; of ``changes`` by shard."""
    expected = await _digests(connection, both.expected, table, both.gone)
    actual = await _digests(connection, both.actual, table, both.gone)
    names = sorted(expected.keys() | actual.keys()) or [table]
    nothing = (0, "0")
    return [
        Compared(
            table=name,
            expected=expected.get(name, nothing)[0], expected_digest=expected.get(name, nothing)[1],
            actual=actual.get(name, nothing)[0], actual_digest=actual.get(name, nothing)[1],
        )
        for name in names
    ]  # fmt: skip


async def _digests(connection: Connection, schema: str, table: str, gone: Iterable[str]) -> dict[str, tuple[int, str]]:
    found = spec(table)
    name = "'changes of ' || t.topic || '/' || t.partition" if table == "changes" else f"'{table}'"
    rows = await connection.fetch(
        f"select {name} as name, count(*) as rows,"  # noqa: S608
        f" coalesce(sum(hash_record_extended(row({_values(found, 't')}), 0)), 0)::text as digest"
        f" from {await source(connection, schema, table, gone)} t group by 1",
        timeout=LONG,
    )
    return {row["name"]: (row["rows"], row["digest"]) for row in rows}


Kind = Literal["missing", "too many", "differs"]


async def differing(connection: Connection, both: Sides, table: str) -> AsyncIterator[tuple[Any, ...]]:
    """The keys of rows that differ. In a transaction."""
    found = spec(table)
    keys = ", ".join(f'coalesce(e."{key}", a."{key}")' for key in found.keys)
    query = (
        f"select {keys} from {await source(connection, both.expected, table, both.gone)} e"  # noqa: S608
        f" full join {await source(connection, both.actual, table, both.gone)} a using ({_list(found.keys)})"
        f" where ({_values(found, 'e')}) is distinct from ({_values(found, 'a')}) order by {keys}"
    )
    async for row in connection.cursor(query, prefetch=_FETCH, timeout=LONG):
        yield tuple(row)


async def row_of(connection: Connection, schema: str, table: str, key: tuple[Any, ...]) -> dict[str, Any] | None:
    """One row, as values that can be compared; None when there is none."""
    found = spec(table)
    where = " and ".join(f't."{name}" = ${i}' for i, name in enumerate(found.keys, 1))
    row = await connection.fetchrow(
        f"select {_values(found, 't')} from {await source(connection, schema, table)} t where {where}",  # noqa: S608
        *key,
    )
    return None if row is None else dict(zip(found.columns, row, strict=True))


def pair(table: Spec, name: str, expected: Any, actual: Any) -> tuple[Any, Any]:
    """What a column should hold and what it holds, as people read them: values of JSON unless only texts differ."""
    if name not in table.json:
        return expected, actual
    one, other = (None if text is None else msgspec.json.decode(text) for text in (expected, actual))
    return (expected, actual) if same(one, other) else (one, other)
