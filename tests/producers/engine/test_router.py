"""Two API processes on one installation: whoever is asked, the shard's owner decides; owners that die are replaced."""

from __future__ import annotations

import asyncio
import re
import secrets
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import msgspec
import pytest

from events.core.clock import now, uuid7
from events.core.positions import encode_vector
from infra.base.kafka import EVENT_TOPICS
from infra.base.settings import Settings
from infra.embedded.ports import free_port
from producers.commands import CommandEnvelope
from producers.engine.router import ORDERS_PATH, PROOF_HEADER, partition_of, proof
from producers.messages import PostMessage
from producers.registry import encode_envelope
from projectors.rebuild.models import model
from projectors.rebuild.run import rebuild
from tests.api.conftest import minted
from tests.api.repeats import COMMANDS, Done, done, expected, scene, shown
from tests.client import Person, Refusal, World, visiting
from tests.parts import Parts
from tests.running import until, working
from tests.servers import Process, installation, process

#: Seconds in which the shards of a killed process must have moved: its session of 6 s, and the rebalance.
MOVE_SECONDS = 20.0


class Pair(NamedTuple):
    """Two API processes, each with a client."""

    settings: Settings
    servers: tuple[Process, Process]
    worlds: tuple[World, World]

    async def owned(self, which: int) -> int:
        """How many shards a process owns."""
        return int(await metric(self.worlds[which], "klatsch_shards_owned"))

    async def decided(self, which: int, topic: str) -> float:
        """How many commands of a topic's streams a process has decided."""
        return await metric(self.worlds[which], "klatsch_turn_commands_sum", topic=topic)


async def metric(world: World, name: str, **labels: str) -> float:
    """The sum of a metric's values with these labels."""
    text = (await world.request("GET", "/metrics")).body.decode()
    total = 0.0
    for line in re.findall(rf"^{name}(?:{{.*}})? .*$", text, re.MULTILINE):
        if all(f'{label}="{value}"' in line for label, value in labels.items()):
            total += float(line.rpartition(" ")[2])
    return total


@pytest.fixture
async def pair(parts: Parts, tmp_path: Path) -> AsyncIterator[Pair]:
    """Both have half of the shards."""
    async with AsyncExitStack() as stack:
        settings = await stack.enter_async_context(installation(parts))
        started = []
        for name, roles in (("project", {"feed", "project"}), ("one", {"api", "push"}), ("two", {"api", "push"})):
            own = msgspec.structs.replace(settings, port=free_port())
            started.append(await stack.enter_async_context(process(own, frozenset(roles), tmp_path / f"{name}.log")))
        await asyncio.gather(*(server.ready() for server in started))
        worlds = [await stack.enter_async_context(visiting(server.url)) for server in started[1:]]
        pair = Pair(settings, (started[1], started[2]), (worlds[0], worlds[1]))
        await balanced(pair, (len(EVENT_TOPICS), len(EVENT_TOPICS)))
        yield pair


async def balanced(pair: Pair, expected: tuple[int, int]) -> None:
    async def there() -> bool:
        return (await pair.owned(0), await pair.owned(1)) == expected

    await until(there, f"the processes own {expected} shards")


async def persistent(act: Callable[[], Awaitable[Any]], seconds: float = MOVE_SECONDS) -> Any:
    """Does something that is safe to repeat until it is answered, as a client would."""
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        try:
            return await act()
        except Refusal as refusal:
            if refusal.status not in (503, 504) or asyncio.get_running_loop().time() > deadline:
                raise
        except (aiohttp.ClientError, ConnectionError):
            if asyncio.get_running_loop().time() > deadline:
                raise
        await asyncio.sleep(0.05)


async def test_commands_work_whoever_is_asked(pair: Pair) -> None:
    one, two = pair.worlds
    before = [await pair.decided(which, "rooms") for which in (0, 1)]
    ada = await one.person("ada", password="correct horse", name="Ada")
    # Everything below is asked of one process only.
    rooms: list[str] = []
    # Which shard a room falls to is chance.
    while len(rooms) < 10 or {partition_of(room, 2) for room in rooms} != {0, 1}:
        rooms.append(await ada.group(name=f"Room {len(rooms)}"))
    for room in rooms:
        assert [(await ada.say(room, f"{n}"))["seq"] for n in range(3)] == [1, 2, 3]
    # Each room made and its three messages; both have decided some, and nobody has asked the second.
    counts = [await pair.decided(which, "rooms") - before[which] for which in (0, 1)]
    assert sum(counts) == 4 * len(rooms) and min(counts) > 0
    # The other knows the same, and the same key gives the same result there.
    two.seen(encode_vector(one.position))
    there = Person(two, {"user": {"id": ada.id, "username": ada.username}, "token": ada.token}, "http")
    for room in rooms:
        token = secrets.token_hex(8)
        assert await there.say(room, "4", token) == await ada.say(room, "4", token)
        page = await there.do("messages.read", room=room)
        assert [message["content"]["text"] for message in page["messages"]] == ["0", "1", "2", "4"]


async def test_refusals_are_the_same_whoever_is_asked(pair: Pair) -> None:
    problems = []
    for world in pair.worlds:
        ada = await world.person("ada")
        for number in range(6):
            # Ids of streams in either half.
            with pytest.raises(Refusal) as caught:
                await ada.say(f"no-room-{number}")
            problems.append({**caught.value.said, "detail": ""})
            with pytest.raises(Refusal) as caught:
                await world.call("users.register", {"username": ada.username.upper()})
            assert (caught.value.status, caught.value.code) == (409, "taken")
            assert [one["pointer"] for one in caught.value.problem["errors"]] == ["/username"]
    assert all(problem == problems[0] for problem in problems) and problems[0]["status"] == 404


async def test_first_results_elsewhere_and_from_tables_made_anew(pair: Pair) -> None:
    """Every command, done through one process: whatever happened since, the other one answers the same."""
    operator = minted(pair.settings)
    found: list[tuple[Done, set[str]]] = []
    for name in COMMANDS:
        one = await done(await scene(pair.worlds[0], "http", operator, name), name)
        await one.scene.more()
        await one.scene.gone()
        found.append((one, await one.scene.erased(one.first)))
    other = pair.worlds[1]
    other.seen(encode_vector(pair.worlds[0].position))
    for one, messages in found:
        assert shown(await one.again(other)) == shown(expected(one.first, messages, set())), one.name
    await rebuild(pair.settings, model("all"), jobs=1)
    for one, messages in found:
        for world in pair.worlds:
            assert shown(await one.again(world)) == shown(expected(one.first, messages, set())), one.name


async def test_the_internal_route_is_for_processes_of_the_installation(pair: Pair) -> None:
    command = PostMessage(room="no-room", token="t", content={"text": "x"})
    body = encode_envelope(CommandEnvelope(command=command, id=uuid7(), actor="ada", key="t", time=now()))
    for headers in ({}, {PROOF_HEADER: ""}, {PROOF_HEADER: "0" * 64}, {PROOF_HEADER: "ü"}):
        for world in pair.worlds:
            answer = await world.request("POST", ORDERS_PATH, body=body, headers=headers)
            assert answer.refusal().status == 403
    # Of the two, one decides (there is no such room) and the other one says that it is not the owner.
    proven = {PROOF_HEADER: proof(pair.settings)}
    answers = [await world.request("POST", ORDERS_PATH, body=body, headers=proven) for world in pair.worlds]
    assert sorted(answer.status for answer in answers) == [409, 421]
    assert [a.json()["code"] for a in answers if a.status == 409] == ["not_found"]


class Sending:
    """People who send without end, to both processes in turn, and repeat with the same token what was not answered."""

    def __init__(self, pair: Pair, ada: Person, rooms: list[str]) -> None:
        self._pair = pair
        self._ada = ada
        self._rooms = rooms
        #: Seq of each acknowledged message by its token, for each room.
        self.acknowledged: dict[str, dict[str, int]] = {room: {} for room in rooms}
        self._tokens = iter(range(1_000_000))
        self._going = True

    async def _send(self, sender: int) -> None:
        room = self._rooms[sender % len(self._rooms)]
        while self._going:
            token = f"t{next(self._tokens)}"
            turn = iter(range(1_000_000))

            async def say(token: str = token, turn: Any = turn) -> Any:
                world = self._pair.worlds[(sender + next(turn)) % 2]
                fields = {"room": room, "token": token, "type": "text", "content": {"text": token}}
                return await world.call("messages.send", fields, token=self._ada.token)

            self.acknowledged[room][token] = (await persistent(say))["message"]["seq"]

    @property
    def count(self) -> int:
        return sum(map(len, self.acknowledged.values()))

    async def more(self, count: int) -> None:
        """Until so many more are acknowledged in each room."""
        goals = {room: len(found) + count for room, found in self.acknowledged.items()}

        async def there() -> bool:
            return all(len(self.acknowledged[room]) >= goal for room, goal in goals.items())

        await until(there, f"{count} more messages in each room", MOVE_SECONDS)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with working(self._enough, MOVE_SECONDS, *map(self._send, range(8))):
            yield

    def _enough(self) -> None:
        self._going = False


async def sending(pair: Pair) -> Sending:
    ada = await pair.worlds[0].person("ada")
    rooms: list[str] = []
    # One room for each shard, so that the dead process owned some of them.
    while len(rooms) < 2:
        room = await ada.group()
        if all(partition_of(room, 2) != partition_of(other, 2) for other in rooms):
            rooms.append(room)
    pair.worlds[1].seen(encode_vector(pair.worlds[0].position))
    return Sending(pair, ada, rooms)


async def check(pair: Pair, load: Sending, survivor: int) -> None:
    """Every acknowledged message is there once, with the seq that was told; none is missing in between."""
    world = pair.worlds[survivor]
    world.seen(encode_vector(pair.worlds[1 - survivor].position))
    for room, acknowledged in load.acknowledged.items():
        found: list[dict[str, Any]] = []
        while True:
            fields = {"room": room, "after": len(found), "limit": 100}
            page = await world.call("messages.read", fields, token=load._ada.token)
            found += page["messages"]
            if not page["more"]:
                break
        assert [message["seq"] for message in found] == list(range(1, len(found) + 1))
        assert {message["token"]: message["seq"] for message in found} == acknowledged


async def test_a_killed_owner_is_replaced_and_nothing_is_lost(pair: Pair) -> None:
    load = await sending(pair)
    async with load.running():
        await load.more(20)
        await pair.servers[1].end(signal.SIGKILL)
        await load.more(20)
        assert await pair.owned(0) == 2 * len(EVENT_TOPICS)
    await check(pair, load, 0)


async def test_an_owner_that_stops_hands_its_shards_over_at_once(pair: Pair) -> None:
    load = await sending(pair)
    async with load.running():
        await load.more(20)
        began = asyncio.get_running_loop().time()
        stopping = asyncio.create_task(pair.servers[1].end(signal.SIGTERM))

        async def moved() -> bool:
            return await pair.owned(0) == 2 * len(EVENT_TOPICS)

        await until(moved, "the shards have moved")
        # Well below the session's 6 s, after which those of a dead process move.
        assert asyncio.get_running_loop().time() - began < 5
        await stopping
        await load.more(20)
    await check(pair, load, 0)
