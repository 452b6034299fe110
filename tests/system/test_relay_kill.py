"""kill -9 of everything around live channels: talk goes on without API, Kafka and Postgres, and after the death of a
relay by Listen alone. Tests ``push/relay/relay.py``, ``api/grpc/relaying.py`` and ``api/channels.py``."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from infra.base.settings import Settings
from infra.embedded.kafka import EmbeddedKafka
from infra.embedded.postgres import EmbeddedPostgres
from infra.ops.supervisor.parts import GROUPS
from tests.client import World, visiting
from tests.parts import Parts
from tests.running import until
from tests.servers import Process, installation, process
from tests.system.talking import Talker, beside, heard_more, talking

pytestmark = pytest.mark.long

#: Frames that each talker hears of every other one while a part is away: two seconds of speech.
FRAMES = 100
#: The processes of an installation as ``up`` starts them, but for the worker.
PROCESSES = {group.name: frozenset(group.roles.split(",")) for group in GROUPS if group.name != "analytics"}


class Whole:
    """An installation with stores of its own, all of whose parts can be killed."""

    def __init__(self, stack: AsyncExitStack, folder: Path) -> None:
        self._stack = stack
        self._folder = folder
        self.kafka = EmbeddedKafka(folder / "kafka", open_to_all=True)
        self.postgres = EmbeddedPostgres(folder / "postgres")
        self.processes: dict[str, Process] = {}

    async def start(self) -> None:
        """All of it; returns when all is ready."""
        self._stack.callback(self.kafka.kill)
        self._stack.callback(self.postgres.remove)
        await asyncio.gather(asyncio.to_thread(self.kafka.start), asyncio.to_thread(self.postgres.start))
        parts = Parts(self.kafka.bootstrap, self.postgres.dsn)
        self.settings = await self._stack.enter_async_context(installation(parts))
        for name in PROCESSES:
            await self._add(name)
        self.world = await self._stack.enter_async_context(visiting(self.processes["api"].url))

    async def _add(self, name: str) -> None:
        settings = self.settings if name == "api" else beside(self.settings)
        log = self._folder / f"{name}.log"
        found = await self._stack.enter_async_context(process(settings, PROCESSES[name], log))
        await found.ready()
        self.processes[name] = found

    async def ready(self) -> None:
        """Until all processes are, again."""
        await asyncio.gather(*(one.ready() for one in self.processes.values()))


@pytest.fixture
async def whole(tmp_path: Path) -> AsyncIterator[Whole]:
    async with AsyncExitStack() as stack:
        found = Whole(stack, tmp_path)
        await found.start()
        yield found


async def talkers(world: World, count: int) -> list[Talker]:
    """People of one channel."""
    people = [await world.person(f"talker{n}") for n in range(count)]
    channel = (await people[0].do("channels.create", name="Voice", limit=25))["channel"]["id"]
    return [Talker(person, channel) for person in people]


async def all_came(found: list[Talker]) -> None:
    """Everybody has heard every frame of all others, once and in order."""
    for talker in found:
        talker.hush()
    pairs = [(one, other) for one in found for other in found if one is not other]

    async def came() -> bool:
        return all(len(one.heard[other.number]) >= other.said for one, other in pairs)

    await until(came, "every frame has come", 60)
    for one, other in pairs:
        assert one.heard[other.number] == list(range(other.said))


async def test_talk_goes_on_without_api_kafka_and_postgres(whole: Whole) -> None:
    found = await talkers(whole.world, 3)
    async with talking(*found):
        await heard_more(found, FRAMES, "while all is well")
        await whole.processes["api"].end()
        await heard_more(found, FRAMES, "without the API")
        await whole.processes["api"].start()
        await whole.ready()
        for name, store in (("Kafka", whole.kafka), ("Postgres", whole.postgres)):
            await asyncio.to_thread(store.kill)
            await heard_more(found, FRAMES, f"without {name}")
            await asyncio.to_thread(store.start)
            await heard_more(found, FRAMES, f"when {name} is back")
        await whole.ready()
        # All is well: whoever comes now hears and is heard.
        late = Talker(await whole.world.person("late"), found[0].channel)
        async with talking(late):
            await heard_more([*found, late], FRAMES, "with one more")
        await all_came(found)
    assert [(talker.joins, talker.ends) for talker in found] == [(1, [])] * 3


async def test_the_channels_of_a_killed_relay_go_on_at_another(parts: Parts, tmp_path: Path) -> None:
    async with installation(parts) as settings, AsyncExitStack() as stack:
        roles = PROCESSES["api"] | PROCESSES["project"]
        api = await stack.enter_async_context(process(settings, roles, tmp_path / "api.log"))
        await api.ready()
        relays: dict[str, Process] = {}
        for n in range(2):
            relay = await _relay(stack, settings, tmp_path / f"relay{n}.log")
            relays[relay.settings.grpc_address] = relay
        world = await stack.enter_async_context(visiting(api.url))
        found = await talkers(world, 3)
        async with talking(*found):
            await heard_more(found, FRAMES, "while all is well")
            (address,) = {talker.address for talker in found}
            await relays[address].end()
            began = time.monotonic()
            await heard_more(found, 1, "again after the relay's death")
            # S1's issue: within 20 s. A busy machine may take longer; what holds it back is the silence after which a
            # server is dead.
            print(f"all talk again {time.monotonic() - began:.1f} s after the relay's death")
            await heard_more(found, FRAMES, "at the other relay")
        (other,) = {talker.address for talker in found}
        assert other != address
        for talker in found:
            assert talker.joins == 2
            for frames in talker.heard.values():
                assert frames == sorted(set(frames))


async def _relay(stack: AsyncExitStack, settings: Settings, log: Path) -> Process:
    found = await stack.enter_async_context(process(beside(settings), PROCESSES["relay"], log))
    await found.ready()
    return found
