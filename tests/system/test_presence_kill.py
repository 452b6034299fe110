"""kill -9 of a push node: its people are offline for all others in time, those connected elsewhere too are not.
Tests ``push/presence/`` and ``push/delivery/signals.py``."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import msgspec
import pytest

from infra.embedded.ports import free_port
from push.delivery.signals import TURN_SECONDS
from tests.client import Person, Socket, visiting
from tests.parts import Parts
from tests.running import until
from tests.servers import Process, installation, process

#: Seconds of silence after which a node is dead here, and what a busy machine may add; to the turn it is counted in
#: tests/push/presence/test_presence.py.
TTL, SLACK = 4.0, 2.0


@pytest.fixture
async def servers(parts: Parts, tmp_path: Path) -> AsyncIterator[tuple[Process, Process, Process]]:
    """One process that does all, another node with connections, and an API without."""
    async with installation(parts) as settings, AsyncExitStack() as stack:
        brisk = msgspec.structs.replace(settings, presence_seconds=TTL)
        found: list[Process] = []
        for name, roles in (("all", {"api", "push", "feed", "project"}), ("push", {"push"}), ("api", {"api"})):
            own = msgspec.structs.replace(brisk, port=brisk.port if not found else free_port())
            found.append(await stack.enter_async_context(process(own, frozenset(roles), tmp_path / f"{name}.log")))
        await asyncio.gather(*(server.ready() for server in found))
        yield found[0], found[1], found[2]


def statuses(socket: Socket) -> dict[str, str]:
    """What a connection last received about each user."""
    found = {}
    for signal in socket.signals:
        for one in signal["users"] if signal["signal"] == "presence" else ():
            found[one["user"]] = one["status"]
    return found


async def noted(server: Process) -> float:
    """How many departures a process has had noted."""
    async with aiohttp.ClientSession() as http, http.get(f"{server.url}/metrics") as response:
        lines = (await response.text()).splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith('klatsch_push_seen_total{outcome="noted"}'))


async def test_a_killed_node_s_people_go_offline_once_and_in_time(servers: tuple[Process, Process, Process]) -> None:
    front, victim, reader = servers
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(visiting(front.url))
        other = await stack.enter_async_context(visiting(victim.url))
        ann, bob, eve = [await world.person(name) for name in ("ann", "bob", "eve")]
        room = await ann.group(bob, eve)
        ear, _ = await world.socket(ann.token), await world.socket(eve.token)
        for person in (bob, eve):
            await other.socket(person.token)

        async def all_there() -> bool:
            return statuses(ear) == {bob.id: "online", eve.id: "online"}

        await until(all_there, "people of both nodes are heard of", 15)
        assert await through(reader, ann, bob) == "online", "a process without connections knows too"
        killed = time.monotonic()
        await victim.end()

        async def gone() -> bool:
            return statuses(ear)[bob.id] == "offline"

        await until(gone, "who was only there has gone", TTL + 10)
        took = time.monotonic() - killed
        assert took < TTL + TURN_SECONDS + SLACK, f"expected it within {TTL} s and a turn, got {took:.1f} s"
        assert statuses(ear)[eve.id] == "online", "she is connected elsewhere too"
        assert await through(front, ann, bob) == "offline"

        async def known() -> bool:
            return await through(reader, ann, bob) == "offline"

        await until(known, "each process sees it in a turn of its own", TURN_SECONDS + SLACK)
        assert (await ann.do("presence.room", room=room))["count"] == 2

        async def told() -> bool:
            return await noted(front) + await noted(reader) > 0

        await until(told, "the living note when bob was seen last", 10)
        await victim.start()
        await victim.ready()
        again = await stack.enter_async_context(visiting(victim.url))
        await again.socket(bob.token)
        await until(all_there, "he is back on the new node", 15)
        assert await noted(front) + await noted(reader) == 1, "once"


async def through(server: Process, person: Person, other: Person) -> str:
    """Somebody's status, asked at a process."""
    async with visiting(server.url) as world:
        answer = await world.call("presence.get", {"users": other.id}, token=person.token)
    return str(answer["presence"][0]["status"])
