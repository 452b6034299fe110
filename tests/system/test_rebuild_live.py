"""Rebuilds and verifications beside a server that works: nobody notices, whatever becomes of them.
Tests ``projectors/rebuild/`` and ``projectors/verify/``."""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from infra.base import postgres
from infra.base.settings import Settings
from tests.client import Person, World, visiting
from tests.parts import Parts
from tests.running import until, variables
from tests.servers import ALL, Process, installation, process
from tests.system.steady import Steady

#: Rebuilds in a row under load, and kills of one; both take part of a second each.
REBUILDS, KILLS = int(os.environ.get("KLATSCH_TEST_REBUILDS", "4")), 6
#: Seconds that one command of an operator may take.
COMMAND_SECONDS = 60.0


class Ended(NamedTuple):
    """A command that has ended."""

    code: int
    output: str


async def _start(settings: Settings, *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "infra.ops.cli", *arguments,
        env=variables(settings), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip


async def command(settings: Settings, *arguments: str) -> Ended:
    """A command of the operator, in a process of its own."""
    running = await _start(settings, *arguments)
    try:
        async with asyncio.timeout(COMMAND_SECONDS):
            output, _ = await running.communicate()
    finally:
        if running.returncode is None:
            running.kill()
            await running.wait()
    assert running.returncode is not None
    return Ended(running.returncode, output.decode())


@asynccontextmanager
async def _people(server: Process, count: int) -> AsyncIterator[tuple[World, list[Person], str]]:
    async with visiting(server.url) as world:
        people = list(await asyncio.gather(*(world.person(f"p{n}") for n in range(count))))
        # Without announcements every number is that of a message that somebody sent.
        room = await people[0].group(*people[1:], settings={"announcements": False})
        yield world, people, room


@pytest.fixture
async def settings(parts: Parts) -> AsyncIterator[Settings]:
    async with installation(parts) as found:
        yield found


@pytest.fixture
async def server(settings: Settings, tmp_path: Path) -> AsyncIterator[Process]:
    """A server of all roles in a process of its own."""
    async with process(settings, ALL, tmp_path / "server.log") as found:
        await found.ready()
        yield found


async def _verified(settings: Settings) -> dict[str, Any]:
    """What ``verify`` says; fails when something is wrong."""
    ended = await command(settings, "verify", "--json", "--jobs", "1")
    assert ended.code == 0, ended.output
    found: dict[str, Any] = msgspec.json.decode(ended.output)
    return found


async def test_rebuilds_in_a_row_under_load(server: Process) -> None:
    async with _people(server, 8) as (world, people, room):
        load = Steady(world, people, room)
        async with load.running():
            for number in range(REBUILDS):
                before, began = len(load.sent), time.monotonic()
                ended = await command(server.settings, "rebuild", "--jobs", str(1 + number % 2))
                assert ended.code == 0 and "projectors waited" in ended.output, ended.output
                assert len(load.sent) > before, f"nobody could send for {time.monotonic() - began:.1f} s"
        await load.check(people[0])
        found = await _verified(server.settings)
        assert found["log"]["tally"]["events"] > len(load.sent)


async def test_a_rebuild_that_is_killed_changes_nothing(server: Process) -> None:
    dice = random.Random(5)
    async with _people(server, 4) as (world, people, room), postgres.connected(server.settings) as connection:
        load = Steady(world, people, room)
        async with load.running():
            live = await _served(connection, server.settings)
            for number in range(KILLS):
                running = await _start(server.settings, "rebuild", "--jobs", "2")
                if number == 0:
                    # As soon as it has begun: one at least is killed unfinished, however fast the machine.
                    await until(partial(_fresh, connection, server.settings), "a fresh schema")
                else:
                    await asyncio.sleep(dice.uniform(0.4, 1.6))
                if running.returncode is None:
                    running.kill()
                await running.communicate()
                # Killed after the switch, while it tidies up, it has done all: the fresh schema has the name.
                before, live = live, await _served(connection, server.settings)
                next_ = await _fresh(connection, server.settings)
                assert running.returncode == 0 or live == before or next_ is None
                assert number > 0 or live == before, "the rebuild was not killed: it had ended before"
            ended = await command(server.settings, "rebuild")
            assert ended.code == 0, ended.output
            assert await _served(connection, server.settings) != live
        await load.check(people[0])
        await _verified(server.settings)
        left = await connection.fetch(
            "select nspname from pg_namespace where starts_with(nspname, $1)", server.settings.schema
        )
        assert {row["nspname"] for row in left} == {server.settings.schema, f"{server.settings.schema}_ops"}


async def _served(connection: postgres.Connection, settings: Settings) -> int:
    """Which schema has the name."""
    found: int = await connection.fetchval("select to_regnamespace($1)::oid", settings.schema)
    return found


async def _fresh(connection: postgres.Connection, settings: Settings) -> int | None:
    """Which schema a rebuild fills."""
    found: int | None = await connection.fetchval("select to_regnamespace($1)::oid", f"{settings.schema}_next")
    return found


async def test_a_lost_schema_is_made_again_while_the_server_runs(server: Process) -> None:
    async with _people(server, 4) as (_, people, room):
        sent = [await people[0].say(room, f"text {number}") for number in range(5)]
        async with postgres.connected(server.settings) as connection:
            await connection.execute(f'drop schema "{server.settings.schema}" cascade')
        # Retryable: what it says is that a part is away.
        assert await people[0].refused("messages.read", room=room) == "unavailable"
        ended = await command(server.settings, "rebuild")
        assert ended.code == 0, ended.output
        page = await people[0].do("messages.read", room=room, limit=20)
        assert [message["id"] for message in page["messages"]] == [message["id"] for message in sent]
        after = await people[1].say(room, "after")
        page = await people[2].do("messages.read", room=room, limit=1)
        assert page["messages"][0]["id"] == after["id"]
        await _verified(server.settings)


async def test_a_corrupted_row_is_named_and_healed(server: Process) -> None:
    async with _people(server, 4) as (_, people, room):
        message = await people[0].say(room, "true")
        # A read with the position of the send: the row is there.
        await people[1].do("messages.read", room=room)
        async with postgres.connected(server.settings) as connection:
            forged = {"text": "forged"}
            await connection.execute("update messages set content = $2 where id = $1", message["id"], forged)
        ended = await command(server.settings, "verify")
        assert ended.code == 1
        assert f"messages (id {message['id']}): differs; event rooms/" in ended.output, ended.output
        assert 'expected {"text":"true"}, got {"text":"forged"}' in ended.output
        ended = await command(server.settings, "verify", "--heal")
        assert ended.code == 0 and "the rows equal the log now: 1 rewritten" in ended.output, ended.output
        page = await people[1].do("messages.read", room=room, limit=1)
        assert page["messages"][0]["content"] == {"text": "true"}
        await _verified(server.settings)


async def test_what_a_command_refuses(settings: Settings) -> None:
    for arguments, said in (
        (
            ("rebuild", "--model", "mesages"),
            "expected a model of all, users, handles, apps, rooms, channels, changes, got 'mesages'",
        ),
        (("rebuild", "--switch-back"), "found none; rebuild with --keep keeps them"),
        (("rebuild", "--switch-back", "--drop-old"), "expected --switch-back or --drop-old by itself"),
        (("rebuild", "--model", "rooms", "--keep"), "--keep: expected --model all, got rooms"),
    ):
        ended = await command(settings, *arguments)
        assert ended.code == 1 and said in " ".join(ended.output.split()), ended
