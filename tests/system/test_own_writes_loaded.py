"""The steps of README and tutorial, as a client takes them that names no position, on a machine that is busy.
Tests ``producers/engine/recent.py`` and ``infra/base/progress.py``."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from infra.embedded.ports import free_port
from tests.client import Hasty, Person, Refusal, World, visiting
from tests.parts import Parts
from tests.running import working
from tests.servers import installation, process

#: How often each step is taken, one right after the other.
TIMES = 50
#: Processes that keep a core busy each: twice what a small machine has.
BUSY = 4
#: People who send as fast as they are answered.
TALKERS = 2
#: Seconds that the load may last: beyond, the machine is busy enough without it.
SECONDS = 40
#: Seconds for all of it, on a machine that others keep busy too.
PATIENCE = 240
#: As `stress` would: until it is ended, or its parent is gone, or the time is up.
_SPIN = f"""
import os, time
parent, end = os.getppid(), time.monotonic() + {SECONDS}
while os.getppid() == parent and time.monotonic() < end:
    sum(range(100_000))
"""

#: A step: what it has written, and whether the read right after it had it.
Step = Callable[[Person, Person], Awaitable[list[bool]]]


@pytest.fixture
async def world(parts: Parts, tmp_path: Path) -> AsyncIterator[World]:
    """An installation whose processes are those of ``./klatsch up``: the tables are filled by another than answers."""
    async with installation(parts) as settings, AsyncExitStack() as stack:
        front, back = frozenset({"api", "push", "feed"}), frozenset({"project"})
        nodes = [
            await stack.enter_async_context(process(own, roles, tmp_path / f"{number}.log"))
            for number, (own, roles) in enumerate(
                [(settings, front), (msgspec.structs.replace(settings, port=free_port()), back)]
            )
        ]
        await asyncio.gather(*(one.ready() for one in nodes))
        visited = await stack.enter_async_context(visiting(nodes[0].url))
        yield Hasty(visited.url, visited.http)


@asynccontextmanager
async def load(world: World) -> AsyncIterator[list[int]]:
    """Busy processes and a flood of messages by others, for the length of the block, at most SECONDS.

    Yields how many messages were sent, by talker.
    """
    talkers = [await world.person(f"talker{number}") for number in range(TALKERS)]
    rooms = [await talker.group(*talkers, name="Flood") for talker in talkers]
    going, sent = [True], [0] * TALKERS

    end = asyncio.get_running_loop().time() + SECONDS

    async def talk(number: int) -> None:
        while going and asyncio.get_running_loop().time() < end:
            await talkers[number].say(rooms[number], "blah")
            sent[number] += 1

    spinning = [await asyncio.create_subprocess_exec(sys.executable, "-c", _SPIN) for _ in range(BUSY)]
    try:
        async with working(going.clear, 20, *(talk(number) for number in range(TALKERS))):
            yield sent
    finally:
        for one in spinning:
            if one.returncode is None:
                one.kill()
            await one.wait()


async def _readme(ada: Person, linus: Person) -> list[bool]:
    """A room is made and read; a message is sent and read."""
    room = await ada.group(name="Tea")
    found = [await _page(ada, room) == []]
    said = await ada.say(room, "Good morning")
    return [*found, await _page(ada, room) == [said["id"]]]


async def _tutorial(ada: Person, linus: Person) -> list[bool]:
    """Somebody registers, begins a private chat, and says something in it: it stands in the list of rooms."""
    grace = await ada.world.person("grace")
    found = [(await grace.do("users.me"))["user"]["id"] == grace.id]
    room = await grace.direct(linus)
    said = await grace.say(room, "There is a moth in relay 70")
    rooms = (await grace.do("rooms.find"))["rooms"]
    return [*found, [(one["room"]["id"], one["message"]["id"]) for one in rooms] == [(room, said["id"])]]


STEPS: list[Step] = [_readme, _tutorial]


async def _page(who: Person, room: str) -> list[str] | None:
    """Ids of the messages of a room; None where it is not found."""
    try:
        page = await who.do("messages.read", room=room)
    except Refusal as refusal:
        if refusal.code != "not_found":
            raise
        return None
    return [one["id"] for one in page["messages"]]


async def test_no_read_misses_what_its_client_has_written(world: World) -> None:
    ada, linus = await world.person("ada"), await world.person("linus")
    async with asyncio.timeout(PATIENCE), load(world) as sent:
        reads = {step.__name__: [await step(ada, linus) for _ in range(TIMES)] for step in STEPS}
    had = {name: [one for step in found for one in step] for name, found in reads.items()}
    assert {name: f"{one.count(False)} of {len(one)}" for name, one in had.items()} == {
        step.__name__: f"0 of {2 * TIMES}" for step in STEPS
    }
    assert min(sent) > TIMES, "expected a flood"
    # Nobody was told where the writes stand.
    assert world.position == {}
