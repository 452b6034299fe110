"""kill -9 of the server processes under a load of sends: nothing acknowledged is lost, doubled or out of order.
Tests ``producers/engine/`` and ``projectors/core/runner.py``."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import msgspec
import pytest

from infra.embedded.ports import free_port
from tests.client import Person, World, visiting
from tests.parts import Parts
from tests.push.drivers import node_modules
from tests.push.sdks import JavaScript, Python, Sdk, of
from tests.running import until, working
from tests.servers import Process, installation, process

ROOMS = 5
SENDERS = 20
#: Seconds in which sends must go on after a kill: start, the dead process's session of 6 s, catching up.
SECONDS = 40.0
#: Answers after which the same send is repeated.
LATER = (429, 500, 502, 503, 504)


class Acknowledged(NamedTuple):
    """What a sender was told, in this order."""

    sender: str
    room: str
    token: str
    seq: int
    id: str


class Load:
    """Senders who each send one message after the other and repeat each, with its token, until it is acknowledged."""

    def __init__(self, url: str, people: list[Person], rooms: list[str]) -> None:
        self.told: list[Acknowledged] = []
        self.repeated = 0
        self._url = url
        self._senders = list(zip(people, itertools.cycle(rooms), strict=False))
        self._going = True

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as http:
            senders = (self._send(http, person, room) for person, room in self._senders)
            async with working(self._enough, SECONDS, *senders):
                yield

    def _enough(self) -> None:
        self._going = False

    async def _send(self, http: aiohttp.ClientSession, person: Person, room: str) -> None:
        for number in itertools.count():
            if not self._going:
                return
            token = f"{person.id[-6:]}-{number}"
            message = await self._until_acknowledged(http, person, room, token)
            self.told.append(Acknowledged(person.id, room, token, message["seq"], message["id"]))

    async def _until_acknowledged(self, http: Any, person: Person, room: str, token: str) -> dict[str, Any]:
        body = {"token": token, "type": "text", "content": {"text": token}}
        headers = {"Authorization": f"Bearer {person.token}"}
        while True:
            # The server may be gone: whether it happened is not known then, which is what the token is for.
            with contextlib.suppress(aiohttp.ClientError, TimeoutError, ConnectionError):
                async with http.post(
                    f"{self._url}/v1/rooms/{room}/messages", data=msgspec.json.encode(body), headers=headers
                ) as response:
                    answer = msgspec.json.decode(await response.read())
                    if response.status == 201:
                        return dict(answer["message"])
                    assert response.status in LATER, answer
            self.repeated += 1
            await asyncio.sleep(0.05)

    async def more(self, each: int) -> None:
        """Until every sender has been told of so many more messages."""
        before = self._counts()

        async def there() -> bool:
            now = self._counts()
            return all(now[person.id] >= before[person.id] + each for person, _ in self._senders)

        await until(there, f"{each} more messages of each sender", SECONDS)

    def _counts(self) -> defaultdict[str, int]:
        found: defaultdict[str, int] = defaultdict(int)
        for one in self.told:
            found[one.sender] += 1
        return found


async def restart(*servers: Process) -> None:
    """kill -9, all at once, and start again on the same ports."""
    await asyncio.gather(*(server.end() for server in servers))
    for server in servers:
        await server.start()


async def listeners(stack: AsyncExitStack, world: World, url: str) -> dict[str, tuple[Person, Sdk]]:
    """People who only listen, with the real SDKs, connected."""
    kinds: dict[str, Any] = {"python": Python}
    # Without node the Python SDK listens alone.
    with contextlib.suppress(pytest.skip.Exception):
        await asyncio.to_thread(node_modules)
        kinds["javascript"] = JavaScript
    found: dict[str, tuple[Person, Sdk]] = {}
    for name, kind in kinds.items():
        person = await world.person(name)
        sdk: Sdk = await kind.start(f"{url.replace('http', 'ws')}/v1/connection", person.token)
        stack.push_async_callback(sdk.stop)
        found[name] = (person, sdk)

    async def connected() -> bool:
        return all(of(sdk, "subscribed") for _, sdk in found.values())

    await until(connected, "the SDKs are connected")
    return found


def heard(sdk: Sdk) -> dict[str, list[tuple[int, str]]]:
    """Seq and id of the messages that a listener received, in order, for each room."""
    found: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for event in of(sdk, "pub"):
        delta = event["data"]
        if "signal" in delta:
            continue
        assert delta["type"] != "snapshot", "the place in the feed was lost"
        if delta["type"] == "message.posted":
            found[delta["stream"]].append((delta["data"]["seq"], delta["data"]["message"]))
    return found


async def stored(world: World, reader: Person, room: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        fields = {"room": room, "after": len(found), "limit": 100}
        page = await world.call("messages.read", fields, token=reader.token)
        found += page["messages"]
        if not page["more"]:
            return found


@pytest.fixture
async def servers(parts: Parts, tmp_path: Path) -> AsyncIterator[tuple[Process, Process]]:
    """The processes that ``up`` starts: one that serves clients, one that projects."""
    async with installation(parts) as settings, AsyncExitStack() as stack:
        own = msgspec.structs.replace(settings, port=free_port())
        front = await stack.enter_async_context(process(settings, frozenset({"api", "push"}), tmp_path / "front.log"))
        back = await stack.enter_async_context(process(own, frozenset({"feed", "project"}), tmp_path / "back.log"))
        await asyncio.gather(front.ready(), back.ready())
        yield front, back


async def test_killed_processes_lose_nothing(servers: tuple[Process, Process]) -> None:
    front, back = servers
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(visiting(front.url))
        people = await asyncio.gather(*(world.person(f"sender{n}") for n in range(SENDERS)))
        listening = await listeners(stack, world, front.url)
        ears = [person for person, _ in listening.values()]
        rooms = [await people[0].group(*people[1:], *ears, name=f"Room {n}") for n in range(ROOMS)]
        load = Load(front.url, list(people), rooms)
        async with load.running():
            await load.more(5)
            for victims in ((front,), (back,), (front, back)):
                await restart(*victims)
                await load.more(10)
        assert load.repeated > 0, "no send was ever repeated: the kills hit nothing"
        await asyncio.gather(front.ready(), back.ready())
        found = await _check_stored(world, people[0], load, rooms)
        for name, (_, sdk) in listening.items():
            await _check_heard(name, sdk, found)


async def _check_stored(world: World, reader: Person, load: Load, rooms: list[str]) -> dict[str, list[tuple[int, str]]]:
    """Every acknowledged message is there once, as it was told, and nothing else; each sender's in the order told."""
    found: dict[str, list[tuple[int, str]]] = {}

    async def level() -> bool:
        found.clear()
        for room in rooms:
            found[room] = [(m["seq"], m["id"]) for m in await stored(world, reader, room)]
        return sum(map(len, found.values())) >= len(load.told)

    await until(level, "the read models have every acknowledged message", SECONDS)
    for room in rooms:
        told = sorted((one.seq, one.id) for one in load.told if one.room == room)
        assert found[room] == told
        assert [seq for seq, _ in told] == list(range(1, len(told) + 1))
        for sender in {one.sender for one in load.told}:
            seqs = [one.seq for one in load.told if one.room == room and one.sender == sender]
            assert seqs == sorted(seqs)
    return found


async def _check_heard(name: str, sdk: Sdk, found: dict[str, list[tuple[int, str]]]) -> None:
    """The listener has received every message once, in order, without ever having lost its place."""

    async def all_came() -> bool:
        return {room: len(came) for room, came in heard(sdk).items()} == {
            room: len(said) for room, said in found.items()
        }

    try:
        await until(all_came, f"the {name} SDK receives everything", SECONDS)
    finally:
        assert heard(sdk) == found
    again = of(sdk, "subscribed")[1:]
    assert again and all(place["recovered"] for place in again)
