"""Heavy reads take turns: half of the connections at most, two of one user; everybody else is answered meanwhile."""

from __future__ import annotations

import ast
import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

import api
from api.support.heavy import Heavy
from api.support.problems import Problem
from events.core.positions import encode_vector
from infra.base.postgres import Connection
from infra.base.settings import Settings
from infra.ops.generate import outcomes
from tests.client import OPERATIONS, Person, Refusal, World
from tests.running import until


def settings(**more: Any) -> Settings:
    return Settings(heavy_reads=3, heavy_reads_user=2, **more)


async def test_nobody_has_more_than_a_few_turns() -> None:
    heavy = Heavy(settings(heavy_seconds=0.0))
    async with heavy.turn("ada"), heavy.turn("ada"):
        with pytest.raises(Problem, match="expected at most 2 reads") as refused:
            await heavy.turn("ada").__aenter__()
        assert (refused.value.code, refused.value.retry_after) == ("rate_limited", 1)
        async with heavy.turn("bob"):
            with pytest.raises(Problem, match="expected at most 3 reads") as refused:
                await heavy.turn("bob").__aenter__()
            assert (refused.value.code, refused.value.retry_after) == ("overloaded", 1)
        async with heavy.turn("eve"):
            pass
    async with heavy.turn("ada"), heavy.turn("ada"), heavy.turn("bob"):
        pass


async def test_a_further_one_waits_for_its_turn() -> None:
    heavy, order = Heavy(settings(heavy_seconds=60.0)), list[str]()

    async def read(user: str) -> None:
        async with heavy.turn(user):
            order.append(user)

    async with AsyncExitStack() as stack:
        for user in ("ada", "ada", "bob"):
            await stack.enter_async_context(heavy.turn(user))
        waiting = [asyncio.create_task(read(user)) for user in ("ada", "ada", "ada", "eve")]
        await asyncio.sleep(0)
        assert order == []
        waiting[1].cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    # Who waits behind their own reads begins to wait for a turn of all only when one of those has ended.
    assert order == ["eve", "ada", "ada"]
    async with heavy.turn("ada"), heavy.turn("ada"), heavy.turn("eve"):
        pass


def test_which_reads_are_heavy() -> None:
    heavy = {name for name, operation in OPERATIONS.items() if operation.heavy}
    assert heavy == {
        "sync.get",
        "changes.pull",
        "messages.search",
        "console.room",
        "users.query",
        "usage.query",
        "usage.list",
    }


#: Who takes connections but for operations.
WITHOUT_CALL = {
    "core/calls.py", "core/auth.py", "memberships.py",
    "support/app_users.py", "support/apps.py", "support/credential_store.py", "console/overview.py", "console/tail.py",
    "deletions.py", "grpc/relaying.py", "app_eraser.py",
}  # fmt: skip


def _pools(tree: ast.AST) -> Iterator[ast.Attribute]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == "pool":
            yield node


def test_operations_take_their_connections_from_the_call() -> None:
    """Which is what makes a heavy one wait for its turn."""
    root = Path(str(api.__path__[0]))
    found = {
        str(file.relative_to(root)) for file in root.rglob("*.py") if any(_pools(ast.parse(file.read_text("utf-8"))))
    }
    assert found <= WITHOUT_CALL


@asynccontextmanager
async def locked(installed: Settings, table: str) -> AsyncIterator[Connection]:
    """Nobody reads the table for the length of the block; gives a connection that sees who waits for it."""
    connection = await asyncpg.connect(installed.postgres)
    watching = await asyncpg.connect(installed.postgres)
    try:
        async with connection.transaction():
            await connection.execute(f'lock table "{installed.schema}"."{table}" in access exclusive mode')
            yield watching
    finally:
        await connection.close()
        await watching.close()


async def waiting(connection: Connection, installed: Settings) -> int:
    """How many connections of the installation's servers wait for a lock."""
    count: int = await connection.fetchval(
        "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and starts_with(application_name, $1)",
        f"klatsch {installed.schema} ",
    )
    return count


async def tried(person: Person, name: str, fields: dict[str, Any]) -> str:
    try:
        await person.do(name, **fields)
    except Refusal as refusal:
        return refusal.code
    return "answered"


async def test_who_reads_little_is_answered_while_many_read_much(world: World, installed: Settings) -> None:
    people = [await world.person(f"p{n}") for n in range(6)]
    bystander = await world.person("bystander")
    room = await bystander.group(*people)
    await bystander.say(room)
    moment = encode_vector(world.position)
    await bystander.do("rooms.change", room=room, name="Another")
    reads = [(person, "rooms.find", {"limit": 1, "as_of": moment}) for person in people for _ in range(2)]
    async with locked(installed, "stays") as watching:
        # As many have their turn as may, of the ten connections that there are.
        tasks = [asyncio.create_task(tried(*read)) for read in reads]

        async def full() -> bool:
            return await waiting(watching, installed) == installed.heavy_reads

        await until(full, "heavy reads wait for the table")
        for _ in range(3):
            found = await bystander.do("rooms.find")
            assert room in str(found)
            assert (await bystander.say(room))["room"] == room
            assert (await people[0].do("rooms.get", room=room))["room"]["id"] == room, "also of who reads much"
        assert await full() and not all(task.done() for task in tasks)
    codes = await asyncio.gather(*tasks)
    assert set(codes) <= {"answered", "overloaded", "rate_limited"}
    assert codes.count("answered") >= installed.heavy_reads


async def test_who_reads_much_takes_no_turn_from_others(world: World, installed: Settings) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    room = await ada.group(bob)
    moment = encode_vector(world.position)
    await ada.do("rooms.change", room=room, name="Another")
    async with locked(installed, "stays") as watching:
        tasks = [asyncio.create_task(tried(ada, "rooms.find", {"as_of": moment})) for _ in range(12)]

        async def full() -> bool:
            return await waiting(watching, installed) == installed.heavy_reads_user

        await until(full, "two reads of one user wait for the table")
        assert (await bob.do("sync.get"))["me"]["id"] == bob.id, "a heavy read of somebody else"
        assert await full()
    assert set(await asyncio.gather(*tasks)) <= {"answered", "rate_limited"}


@pytest.mark.long
def test_every_heavy_read_says_what_it_may_come_to() -> None:
    past = {name for name, operation in OPERATIONS.items() if operation.has_past}
    heavy = {name for name, operation in OPERATIONS.items() if operation.heavy}
    told = {name for name, one in OPERATIONS.items() if {"rate_limited", "overloaded"} <= set(outcomes.all_codes(one))}
    assert past | heavy <= told and "rooms.find" in past and "users.me" in told and "presence.room" not in told
