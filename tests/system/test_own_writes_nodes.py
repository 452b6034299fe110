"""Who reads right after writing reads what was written, whichever node is asked, whatever happens to the others.
Tests ``producers/engine/recent.py`` and ``infra/base/progress.py``."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from infra.embedded.ports import free_port
from tests.client import Hasty, Person, Refusal, World, visiting
from tests.parts import Parts
from tests.running import until, working
from tests.servers import Process, installation, process

TIMES = 30
FRONT = frozenset({"api", "push"})
#: What says that it cannot be told at present; an answer that lacks what was written is none of these.
LATER = frozenset({"lagging", "unavailable", "no_owner", "overloaded", "unknown"})


class Nodes:
    """Two nodes that serve clients, and one that projects."""

    def __init__(self, fronts: Sequence[Process], back: Process, worlds: Sequence[World]) -> None:
        self.fronts = fronts
        self.back = back
        self.worlds = worlds

    def at(self, person: Person, first: int = 0) -> list[Person]:
        """The person as a client of each node, with the same token; as that of the node ``first`` first."""
        user = {"id": person.id, "username": person.username}
        worlds = (self.worlds[first], self.worlds[1 - first])
        return [Person(world, {"user": user, "token": person.token}, person.via) for world in worlds]


@pytest.fixture
async def nodes(parts: Parts, tmp_path: Path) -> AsyncIterator[Nodes]:
    async with installation(parts) as settings, AsyncExitStack() as stack:

        async def started(roles: frozenset[str], name: str) -> Process:
            own = msgspec.structs.replace(settings, port=free_port())
            return await stack.enter_async_context(process(own, roles, tmp_path / f"{name}.log"))

        fronts = [await started(FRONT, f"front{number}") for number in (1, 2)]
        back = await started(frozenset({"feed", "project"}), "back")
        await asyncio.gather(*(one.ready() for one in (*fronts, back)))
        worlds = [await stack.enter_async_context(visiting(front.url)) for front in fronts]
        yield Nodes(fronts, back, [Hasty(world.url, world.http) for world in worlds])


async def test_every_node_shows_what_was_written_at_another(nodes: Nodes) -> None:
    for number in range(TIMES):
        here, there = nodes.worlds[number % 2], nodes.worlds[1 - number % 2]
        made = await here.person("ann", password="correct horse", name="Ann")
        ann, other = nodes.at(made, first=number % 2)
        assert (await other.do("users.me"))["user"]["name"] == "Ann"
        # Without a token, nobody knows who asks.
        assert (await there.log_in(ann, "correct horse")).id == ann.id
        room = await ann.group()
        assert (await other.do("messages.read", room=room))["messages"] == []
        for text in ("one", "two"):
            said = await ann.say(room, text)
            assert (await other.do("messages.read", room=room))["messages"][-1]["id"] == said["id"]
            ann, other = other, ann
        ben = await here.person("ben")
        await other.do("members.add", room=room, user=ben.id)
        page = await ann.do("members.list", room=room)
        assert ben.id in [one["user"]["id"] for one in page["members"]]


async def test_no_node_shows_less_while_others_are_killed(nodes: Nodes) -> None:
    """Each person writes at one node and reads at another, time after time; nodes die, and come back."""
    people = [nodes.at(await nodes.worlds[0].person(f"p{number}")) for number in range(6)]
    rooms = [await person[0].group() for person in people]
    seen = [0] * len(people)
    going = True

    async def write_and_read(number: int) -> None:
        for turn in itertools.count():
            if not going:
                return
            writer, reader = people[number][turn % 2], people[number][1 - turn % 2]
            said = await _told(partial(writer.say, rooms[number], str(turn), token=f"{number}-{turn}"))
            page = await _told(partial(reader.do, "messages.read", room=rooms[number]))
            assert [one["seq"] for one in page["messages"]][-1] == said["seq"] == turn + 1
            seen[number] += 1

    def enough() -> None:
        nonlocal going
        going = False

    async def more(each: int) -> None:
        goal = [count + each for count in seen]

        async def reached() -> bool:
            return all(count >= wanted for count, wanted in zip(seen, goal, strict=True))

        await until(reached, f"{each} more of each", 60)

    async with working(enough, 60, *(write_and_read(number) for number in range(len(people)))):
        await more(5)
        for victim in (*nodes.fronts, nodes.back):
            await victim.end()
            await victim.start()
            await more(5)


async def test_while_the_read_models_stand_still_it_is_said(nodes: Nodes) -> None:
    ann, other = nodes.at(await nodes.worlds[0].person("ann"))
    ben = await nodes.worlds[0].person("ben")
    room = await ann.group(ben)
    await ann.do("rooms.get", room=room)
    assert (await ben.do("messages.read", room=room))["messages"] == []
    os.kill(nodes.back.pid, signal.SIGSTOP)
    try:
        said = await ann.say(room)
        for world in nodes.worlds:
            answer = await world.request("GET", f"/v1/rooms/{room}/messages", token=ann.token)
            assert answer.refusal().code == "lagging" and int(answer.headers["Retry-After"]) >= 1
        # Who has written nothing waits for nothing.
        assert (await ben.do("messages.read", room=room))["messages"] == []
    finally:
        os.kill(nodes.back.pid, signal.SIGCONT)
    page = await _told(partial(other.do, "messages.read", room=room))
    assert [one["id"] for one in page["messages"]] == [said["id"]]


async def _told(call: Callable[[], Awaitable[Any]]) -> Any:
    """The answer, as soon as it can be told."""
    while True:
        try:
            return await call()
        except Refusal as refusal:
            if refusal.code not in LATER:
                raise
        except (aiohttp.ClientError, ConnectionError, TimeoutError):
            await asyncio.sleep(0.05)
