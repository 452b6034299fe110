"""Entities as rows: whatever an entity holds comes back as it was."""

from __future__ import annotations

from collections.abc import AsyncIterator
from secrets import token_hex
from typing import Any, get_args, get_origin, get_type_hints

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from events.core.clock import Time
from events.core.free_json import contains
from events.core.records import Entity
from events.core.text import fold
from events.registry import REGISTRY
from events.rooms import Room
from events.users import User
from infra.base import postgres, rows
from infra.ops.generate.shapes import sample_of
from tests.parts import Parts
from tests.servers import installation

#: All that Postgres stores: no U+0000, no lone surrogates; the API lets nothing else in.
TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=12)
TIMES = st.datetimes().map(lambda moment: moment.isoformat(timespec="milliseconds")[:23].ljust(23, "0") + "Z")
SCALARS = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | TEXT
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=5)


def values(annotation: Any) -> st.SearchStrategy[Any]:
    """Whatever a field may hold."""
    if annotation == Time:
        return TIMES
    if annotation is int:
        return st.integers(0, 2**53)
    if annotation is bool:
        return st.booleans()
    if annotation is str:
        return TEXT
    if get_origin(annotation) is dict:
        return st.dictionaries(TEXT, TEXT if get_args(annotation)[1] is str else JSON, max_size=3)
    if str(get_origin(annotation)) == "typing.Literal":
        return st.sampled_from(get_args(annotation))
    return st.one_of(*(st.none() if part is type(None) else values(part) for part in get_args(annotation)))


def entities(kind: type[Entity]) -> st.SearchStrategy[Any]:
    hints = get_type_hints(kind, include_extras=True)
    return st.builds(kind, **{name: values(hints[name]) for name in kind.__struct_fields__})


@pytest.fixture(scope="module")
async def connection(parts: Parts) -> AsyncIterator[postgres.Connection]:
    """To an installation in which each example leaves its rows; keys are drawn so that they meet now and then."""
    async with installation(parts) as found:
        connection = await postgres.connect(found)
        yield connection
        await connection.close()


@pytest.mark.parametrize("kind", REGISTRY.entities.values(), ids=lambda kind: kind.kind)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_entities_come_back_as_they_were(
    connection: postgres.Connection, kind: type[Entity], data: st.DataObject
) -> None:
    found = data.draw(st.lists(entities(kind), min_size=1, max_size=4, unique_by=lambda entity: entity.key))
    keys = [entity.key for entity in found]
    transaction = connection.transaction()
    await transaction.start()
    try:
        await rows.store(connection, dict(zip(keys, found, strict=True)))
        assert await rows.load(connection, keys) == dict(zip(keys, found, strict=True))
        changed = msgspec.structs.replace(found[0], version=found[0].version + 1)
        await rows.store(connection, {keys[0]: changed})
        assert (await rows.load(connection, keys))[keys[0]] == changed
        table = rows.TABLES[kind.kind]
        read = await connection.fetch(f"select * from {table} where version = $1", changed.version)  # noqa: S608
        assert changed in [rows.from_row(kind, row) for row in read]
        await rows.store(connection, dict.fromkeys(keys))
        assert await rows.load(connection, keys) == dict.fromkeys(keys)
    finally:
        await transaction.rollback()


async def test_what_is_not_there_is_none(connection: postgres.Connection) -> None:
    keys = [("user", "nobody"), ("member", "nowhere", "nobody"), ("stay", "nowhere", "nobody", "7")]
    assert await rows.load(connection, keys) == dict.fromkeys(keys)
    assert await rows.load(connection, []) == {}


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(user=entities(User), room=entities(Room))
async def test_search_columns_are_folded_names(connection: postgres.Connection, user: User, room: Room) -> None:
    transaction = connection.transaction()
    await transaction.start()
    try:
        await rows.store(connection, {user.key: user, room.key: room})
        [found] = await connection.fetch("select folded, grams from users where id = $1", user.id)
        assert found["folded"] == f"{fold(user.name)}\n{fold(user.username)}"
        # Distinct n-grams of each line, none across the lines' end.
        assert len(set(found["grams"])) == len(found["grams"]) and not any("\n" in gram for gram in found["grams"])
        assert await connection.fetchval("select folded from rooms where id = $1", room.id) == fold(room.name)
    finally:
        await transaction.rollback()


@pytest.mark.parametrize("kind", REGISTRY.entities.values(), ids=lambda kind: kind.kind)
async def test_tables_hold_what_their_entities_hold(connection: postgres.Connection, kind: type[Entity]) -> None:
    columns = await connection.fetch(
        "select column_name from information_schema.columns"
        " where table_schema = current_schema() and table_name = $1 and is_generated = 'NEVER'",
        rows.TABLES[kind.kind],
    )
    extras = {name for name, _, _ in rows.EXTRAS.get(kind.kind, ())}
    assert {row["column_name"] for row in columns} == set(kind.__struct_fields__) | extras


async def test_times_have_milliseconds_whatever_postgres_leaves_out(connection: postgres.Connection) -> None:
    for time in (
        "2026-11-21T08:00:00.000Z",
        "2026-11-21T08:00:00.120Z",
        "0001-01-01T00:00:00.001Z",
        "9999-12-31T23:59:59.999Z",
    ):
        assert await connection.fetchval("select $1::timestamptz", time) == time


#: As small as most, as large as a row that is kept in one piece, and as large as it may be, kept beside the row.
CUSTOMS: list[dict[str, Any]] = [{}, {"a": token_hex(400)}, {"a": token_hex(2550)}]


@pytest.mark.parametrize("custom", CUSTOMS, ids=lambda custom: f"{len(str(custom))}")
async def test_what_a_message_changes_of_a_room_is_in_no_index(
    connection: postgres.Connection, custom: dict[str, Any]
) -> None:
    time = "2026-11-21T08:15:30.120Z"
    room = sample_of(
        Room,
        name="Friday evening",
        type="public",
        custom=custom,
        seq=0,
        last=None,
        rank=None,
        created=time,
        updated=time,
    )
    count = "select pg_stat_get_xact_tuples_hot_updated('rooms'::regclass)"
    async with connection.transaction():
        # Of transactions before this one, which the server has not told of yet.
        before = await connection.fetchval(count)
        await rows.store(connection, {room.key: room})
        for seq in range(1, 4):
            said = msgspec.structs.replace(room, seq=seq, last=f"m{seq}", updated=f"2026-11-21T08:16:0{seq}.000Z")
            await rows.store(connection, {room.key: said})
        assert await connection.fetchval(count) == before + 3
        after = msgspec.structs.replace(room, custom={"b": custom})
        await rows.store(connection, {room.key: after})
        assert (await rows.load(connection, [room.key]))[room.key] == after


#: Few names and values, so that one is often in the other.
_FEW = st.recursive(
    st.sampled_from([None, True, False, 0, 1, 1.0, 0.5, -0.0, 2**70, 1e21, "", "a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=6,
)
_OBJECTS = st.dictionaries(st.sampled_from("ab"), _FEW, max_size=2)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(whole=_OBJECTS, part=_OBJECTS)
@example(whole={"a": [True, 0.0]}, part={"a": [1]})
@example(whole={"a": [1.0, "1"]}, part={"a": [1, 1]})
@example(whole={"a": 2**70}, part={"a": float(2**70)})
@example(whole={"a": [["b"]]}, part={"a": ["b"]})
async def test_what_contains_what_is_as_postgres_has_it(
    connection: postgres.Connection, whole: dict[str, Any], part: dict[str, Any]
) -> None:
    assert contains(whole, part) == await connection.fetchval("select $1::json::jsonb @> $2::jsonb", whole, part)
    assert contains(whole, whole)
