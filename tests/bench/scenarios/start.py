"""B8: how long it takes until an installation is ready, and until another process has taken a shard over."""

from __future__ import annotations

import asyncio
import secrets
import signal
import tempfile
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from time import perf_counter, process_time

import msgspec

from infra.base.progress import READ_MODELS
from infra.embedded.ports import free_port
from tests import servers
from tests.bench.client import RequestFailed
from tests.bench.figures import Figure
from tests.bench.projecting import alone
from tests.bench.scenarios import Options
from tests.bench.sheet import Sheet
from tests.bench.story import Shape, Story
from tests.bench.system import Person, System, Wrong
from tests.bench.systems.ours import Installation, Ours
from tests.bench.systems.own import Beside, Own
from tests.producers.shards import owning

NAME = "start"
ABOUT = (
    "'klatsch up' until it says that all is ready, with an empty data folder (downloads are there) and with one that "
    "was used, beside another one that runs; a shard is opened whose read models are some events behind, up to its "
    "first acknowledgement; the process that owns shards ends or is killed, until another one acknowledges in all rooms"
)
SYSTEMS = ("ours",)
ONCE = True

#: Events that the owner of a shard has to fold before it may decide; it refuses more than 50,000.
TAILS, QUICK_TAILS = (0, 1000, 10_000, 45_000), (0, 500)
#: Rooms that are watched during a takeover: in as many shards as there are.
ROOMS = 24
#: Seconds for all rooms to be taken over: a dead owner's session ends after 6.
_PATIENCE = 60.0


class NotTakenOver(Wrong):
    """A shard has no owner, or its owner lacks what was acknowledged before; the text says expected and actual."""


async def run(system: System, options: Options) -> list[Figure]:
    """Seconds of starts and takeovers, milliseconds and CPU of opening."""
    sheet = Sheet(NAME, system.name)
    for _ in range(options.repeat):
        await _starts(sheet, options)
        await _tails(system, sheet, options)
        await _takeovers(system, sheet, options)
    return sheet.figures


async def _starts(sheet: Sheet, options: Options) -> None:
    """The same data folder, empty and then used. Ready means that people are served, and that nothing was lost."""
    with tempfile.TemporaryDirectory() as folder:
        installation = Ours(Path(folder))
        options.say("first start")
        began = perf_counter()
        try:
            await asyncio.to_thread(installation.start)
            sheet.add("first start until ready", "s", perf_counter() - began)
            async with Installation(f"http://{installation.host}:{installation.port}") as clients:
                (person,) = await clients.people(1)
        finally:
            await asyncio.to_thread(installation.stop)
        options.say("later start")
        began = perf_counter()
        async with installation:
            sheet.add("later start until ready", "s", perf_counter() - began)
            found = (await installation.ask("GET", "/v1/users/me", token=person.token))["user"]["id"]
            if found != person.id:
                raise NotTakenOver(f"expected user {person.id} after a restart, got {found}")


async def _tails(system: System, sheet: Sheet, options: Options) -> None:
    """One shard, opened by this process, ever further ahead of its read models."""
    with tempfile.TemporaryDirectory() as folder:
        async with Own(Beside.of(system), Path(folder), partitions=1) as own:
            story, tail = Story(Shape(users=100, rooms=20, members=20, reader=0)), 0
            await own.write(story.beginning())
            await alone(own.settings, READ_MODELS)
            for wanted in QUICK_TAILS if options.quick else TAILS:
                options.say(f"a tail of {wanted:,} events")
                await own.write(islice(story.going_on(wanted), wanted - tail))
                tail = wanted
                await _open(own, sheet, story, f"shard with a tail of {wanted:,}")


async def _open(own: Own, sheet: Sheet, story: Story, title: str) -> None:
    room = story.rooms[0]
    async with owning(own.settings) as running:
        began, cpu = perf_counter(), process_time()
        posted = await running.say(secrets.token_hex(8), actor=story.members[room][0], room=room)
        seconds, cpu = perf_counter() - began, process_time() - cpu
    story.seqs[room] = story.seqs.get(room, 0) + 1
    if posted.seq != story.seqs[room]:
        raise NotTakenOver(f"{title}: expected message {story.seqs[room]} of {room}, got {posted.seq}")
    sheet.add(f"{title}: until acknowledged", "ms", 1000 * seconds)
    sheet.add(f"{title}: CPU of its owner", "ms", 1000 * cpu)


async def _takeovers(system: System, sheet: Sheet, options: Options) -> None:
    """Two processes share the shards; the one leaves, and what it had is the other's."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        options.say(f"takeover after {number.name}")
        with tempfile.TemporaryDirectory() as folder:
            async with Own(Beside.of(system), Path(folder)) as own:
                await own.start("project", "api")
                (person,) = await own.people(1)
                rooms = [await own.room([person]) for _ in range(ROOMS)]
                settings = msgspec.structs.replace(own.settings, port=free_port())
                async with servers.process(settings, frozenset({"api"}), Path(folder) / "other.log") as other:
                    await other.ready()
                    async with Installation(other.url) as clients:
                        await _acknowledged(clients, person, rooms, 1)
                        began = perf_counter()
                        leaving = asyncio.create_task(own.stop("api", number))
                        moments = await _acknowledged(clients, person, rooms, 2)
                        await leaving
        sheet.add(f"takeover after {number.name}: acknowledged in all rooms", "s", max(moments) - began)


async def _acknowledged(clients: Installation, person: Person, rooms: Sequence[str], number: int) -> list[float]:
    """Sends a message to each room until it is acknowledged; when each was. Raises NotTakenOver."""

    async def one(room: str) -> float:
        body = {"token": f"{number}", "type": "text", "content": {"text": f"message {number}"}}
        while True:
            try:
                found = await clients.ask("POST", f"/v1/rooms/{room}/messages", body, person.token)
            except RequestFailed:
                # Its key makes it safe to ask again.
                await asyncio.sleep(0.02)
                continue
            if found["message"]["seq"] != number:
                raise NotTakenOver(f"{room}: expected message {number}, got {found['message']['seq']}")
            return perf_counter()

    try:
        async with asyncio.timeout(_PATIENCE):
            return await asyncio.gather(*map(one, rooms))
    except TimeoutError:
        raise NotTakenOver(f"expected all rooms to have an owner within {_PATIENCE:.0f} s, some have none") from None
