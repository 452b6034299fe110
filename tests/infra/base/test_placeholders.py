"""What SQL takes from the registry: a field that an entity gets is read and written wherever the entity is."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

import msgspec
import pytest

from events.apps import App
from events.channels import Channel
from events.core.records import Entity
from events.members import Member
from events.message_entity import Message
from events.pins import Pin
from events.plans import Plan
from events.registry import REGISTRY
from events.rooms import Room
from events.teams import Team
from events.users import User
from infra.base import postgres, rows
from infra.base.placeholders import filled
from infra.base.postgres import SQL, queries
from infra.ops.generate.shapes import sample_of
from tests.parts import Parts
from tests.servers import installation

TIME, LATER = "2026-11-21T08:15:30.120Z", "2100-01-01T00:00:00.000Z"
ROOM: Room = sample_of(Room, id="r", app="a", team="g", type="public", name="n", last="m", created=TIME, updated=TIME)
USER = User(
    id="u", app="a", username="u", name="n", role="person", state="registered", credential=None, email=None,
    email_settled=0, seen=None, visual=None, added_by=None, external=None, account="regular", team=None, avatar=None,
    bio=None, data={}, custom={}, deactivated=None, created=TIME, updated=TIME, version=1,
)  # fmt: skip
MEMBER = Member(
    room="r", user="u", role="member", state="joined", since=1, joined=TIME, read=0, read_at=TIME, notifications=True,
    willing=True, custom={}, version=1,
)  # fmt: skip
MESSAGE = Message(
    id="m", room="r", seq=1, author="u", token="t", type="text", content={}, data={}, created=TIME, updated=TIME,
    edited=None, deleted=None, revision=0, rank=None, version=1,
)  # fmt: skip
CHANNEL = Channel(
    id=1, name="n", limit=5, owner="u", state="created", created=TIME, deleted=None, version=1
)  # fmt: skip
APP = sample_of(
    App, id="a", keys={"kk_a": {"secret": "v", "since": TIME, "until": None}}, created=TIME, updated=TIME,
    tokens_before=TIME, plan="p",
)  # fmt: skip
PLAN = sample_of(
    Plan, id="p", features={"f": True}, limits={"users": 1}, created=TIME, updated=TIME
)  # fmt: skip
TEAM = Team(
    id="g", app="a", external="crew", name="n", custom={}, state="active", created=TIME, updated=TIME, version=1
)  # fmt: skip
PIN = Pin(room="r", message="m", state="pinned", by="u", pinned=TIME, version=1)

#: Queries that entities of each kind are made from: file, name, what stands before the columns' names, arguments.
READ: dict[str, list[tuple[str, str, str, tuple[Any, ...]]]] = {
    "room": [
        ("rooms", "of_member", "", ("u", LATER, "", 9, {})), ("rooms", "of_member_one", "", ("u", "r")),
        ("rooms", "public", "", ("u", LATER, "", 9, "a", "g")),
        ("rooms", "public_with", "", ("u", LATER, "", 9, {}, "a", "g")),
        ("sync", "rooms", "", ("u", "", 9)),
        ("rooms", "search", "", ([], "%n%", "n%", "u", -9, "", "", 9, "n", None, "a", "g")),
    ],
    "member": [
        ("rooms", "of_member", "m_", ("u", LATER, "", 9, None)), ("rooms", "of_member_one", "m_", ("u", "r")),
        ("sync", "rooms", "m_", ("u", "", 9)), ("rooms", "members", "", ("r", 0, "", 9, {})),
    ],
    "user": [("rooms", "members", "u_", ("r", 0, "", 9, None)), ("sync", "profiles", "", ("me", ["u"]))],
    "channel": [("channels", "page", "", (0, 9)), ("channels", "by_id", "", (1,))],
    "app": [("apps", "page", "", ("", 9)), ("apps", "by_id", "", ("a",)), ("apps", "by_key", "", ("kk_a",))],
    "plan": [("plans", "page", "", ("", 9)), ("plans", "by_id", "", ("p",)), ("plans", "of_app", "", ("a",))],
    "team": [("teams", "page", "", ("a", "", 9)), ("teams", "by_id", "", ("g",))],
    "pin": [("pins", "of_room", "p_", ("r",))],
    "message": [
        ("pins", "of_room", "", ("r",)),
        *(("messages", name, "", ("r", 1, 1, "", "z", None, None, None, None, 9)) for name in ("below", "above")),
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
async def connection(parts: Parts) -> AsyncIterator[Any]:
    async with installation(parts) as found:
        connection = await postgres.connect(found)
        yield connection
        await connection.close()


@pytest.fixture
def wider(request: pytest.FixtureRequest) -> Iterator[type[Entity]]:
    """A kind of entity with a field more, in the registry."""
    before = REGISTRY.entities[request.param]
    fields = [("made_up", str | None, None)]
    after = cast(type[Entity], msgspec.defstruct("Wider", fields, bases=(before,), frozen=True, kw_only=True))
    caches = (rows.table, rows.columns, rows.column_types, rows.prefixed, queries)
    for cached in caches:
        cached.cache_clear()
    REGISTRY.entities[request.param] = after
    yield after
    REGISTRY.entities[request.param] = before
    for cached in caches:
        cached.cache_clear()


@pytest.mark.parametrize("wider", list(READ), indirect=True)
async def test_a_new_field_is_a_change_of_the_entity_and_of_its_table(connection: Any, wider: type[Entity]) -> None:
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(f"alter table {rows.TABLES[wider.kind]} add column made_up text")
        kinds = (ROOM, USER, MEMBER, MESSAGE, PIN, CHANNEL, APP, PLAN, TEAM)
        found: dict[str, Entity] = {one.kind: one for one in kinds}
        fields = msgspec.structs.asdict(found[wider.kind]) | {"made_up": "it"}
        found[wider.kind] = wider(**fields)
        await rows.store(connection, {one.key: one for one in found.values()})
        assert await rows.load(connection, [one.key for one in found.values()]) == {
            one.key: one for one in found.values()
        }
        for file, name, prefix, arguments in READ[wider.kind]:
            (row,) = await connection.fetch(queries(file)[name], *arguments)
            assert rows.from_row(wider, row, prefix) == found[wider.kind], f"{file}.{name}"
    finally:
        await transaction.rollback()


def test_every_query_that_leaves_columns_to_an_entity_is_among_those_tried() -> None:
    tried = {(kind, file, name) for kind, listed in READ.items() for file, name, _, _ in listed}
    # The same list as `below`, by words that a message must have.
    tried |= {("message", "messages", "search"), ("message", "messages", "search_ranked")}
    there = set()
    for path in SQL.glob("*.sql"):
        name = ""
        for line in path.read_text(encoding="utf-8").splitlines():
            name = line.removeprefix("-- name: ") if line.startswith("-- name: ") else name
            there |= {(part.split("}")[0].split()[0], path.stem, name) for part in line.split("{columns ")[1:]}
    assert there == tried


def test_no_query_lists_the_columns_of_an_entity_by_hand() -> None:
    for path in SQL.glob("*.sql"):
        # Without quotes, names of tables before columns, and new names after them.
        text = re.sub(r'"|\b[a-z]+\.(?=\w)| as \w+', "", path.read_text(encoding="utf-8"))
        text = re.sub(r"\s+", " ", text)
        for kind, entity in REGISTRY.entities.items():
            listed = ", ".join(entity.__struct_fields__[-5:])
            assert listed not in text, f"{path.name}: expected {{columns {kind}}}, got {listed!r}"


def test_columns_are_those_of_a_table_under_names_of_their_own() -> None:
    assert filled("select {columns stay}") == 'select "room", "user", "since", "until", "version"'
    assert filled("select {columns stay s s_}").startswith('select s."room" as "s_room", s."user" as "s_user"')
    with pytest.raises(KeyError, match="nothing"):
        filled("select {columns nothing}")
