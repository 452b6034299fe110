"""What signals cost: a crowd that reconnects at once, people who type, and the same people doing nothing."""

from __future__ import annotations

import asyncio
import math
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import msgspec
import psutil
from aiokafka import TopicPartition

from infra.base import kafka
from infra.base.settings import Settings
from infra.embedded.ports import free_port
from tests import servers
from tests.bench.accounting import cpu
from tests.bench.client import Client
from tests.bench.figures import Figure
from tests.bench.load import Member
from tests.bench.scenarios import Options
from tests.bench.scenarios.connections import connect_all, drop, people_in_rooms
from tests.bench.sheet import Sheet
from tests.bench.system import System, Wrong
from tests.bench.systems.ours import Installation
from tests.bench.systems.own import Beside, Own

NAME = "signals"
ABOUT = (
    "presence and typing on one node that has the connections (role push, whose CPU is measured), in rooms of 10: all "
    "clients are lost and come back at once; they do nothing; all type without pause; all start and stop every 5 s"
)
SYSTEMS = ("ours",)
ONCE = True

#: Connections that come back, those that type, members of a room, seconds of a measurement and between two signals of
#: an app in which somebody types.
CLIENTS, TYPISTS, ROOM, SECONDS, EVERY = 5000, 1000, 10, 20.0, 3.0
_QUICK_CLIENTS, _QUICK_SECONDS = 100, 4.0
#: Seconds without a signal after which no more is expected; in a quick run fewer.
_QUIET, _QUICK_QUIET = 5.0, 2.0


class Unheard(Wrong):
    """Nobody received anything; the text says what was expected."""


class Heard:
    """What all clients together got: frames and bytes with signals, and signals by kind."""

    def __init__(self) -> None:
        self.frames = self.bytes = 0
        self.kinds: Counter[str] = Counter()

    def clear(self) -> None:
        """Nothing was received."""
        self.frames = self.bytes = 0
        self.kinds.clear()

    def hear(self, payload: bytes) -> None:
        """See client.Heard."""
        found = 0
        for kind in ("presence", "typing", "watching"):
            count = payload.count(b'{"signal":"%s"' % kind.encode())
            self.kinds[kind] += count
            found += count
        if found:
            self.frames += 1
            self.bytes += len(payload)


class Typist(Member):
    """Somebody whose connection counts signals for all."""

    def __init__(self, member: Member, heard: Heard) -> None:
        super().__init__(member.number, member.person, member.room)
        self._all = heard

    def hear(self, payload: bytes) -> None:
        self._all.hear(payload)

    def type(self, typing: bool) -> None:
        """Says that this person types, or stops; nobody waits for the answer."""
        assert isinstance(self.connection, Client)
        self.connection.call("signals.type", {"room": self.room, "typing": typing})


class Node(NamedTuple):
    """The node with the connections, and what it wrote to ``klatsch.signals``, by second."""

    clients: Installation
    process: psutil.Process
    topic: Topic


async def run(system: System, options: Options) -> list[Figure]:
    """Seconds, frames, bytes, records and CPU."""
    sheet = Sheet(NAME, system.name)
    with tempfile.TemporaryDirectory() as folder:
        async with (
            Own(Beside.of(system), Path(folder), partitions=4, feed_partitions=4) as own,
            _node(own, Path(folder)) as node,
        ):
            for _ in range(options.repeat):
                await _reconnect(own, node, sheet, options)
                await _types(own, node, sheet, options)
    return sheet.figures


@asynccontextmanager
async def _node(own: Own, folder: Path) -> AsyncIterator[Node]:
    await own.start("project", "api")
    settings = msgspec.structs.replace(own.settings, port=free_port())
    async with servers.process(settings, frozenset({"push"}), folder / "push.log") as process:
        await process.ready()
        async with Installation(process.url) as clients, Topic.reading(settings) as topic:
            yield Node(clients, psutil.Process(process.pid), topic)


async def _reconnect(own: Own, node: Node, sheet: Sheet, options: Options) -> None:
    """All come back at once."""
    count = options.clients or (_QUICK_CLIENTS if options.quick else CLIENTS)
    options.say(f"{count} people")
    heard = Heard()
    crowd = [Typist(member, heard) for member in await people_in_rooms(own, count, ROOM)]
    await connect_all(node.clients, crowd, 200)
    await _settled(heard, options)
    drop(crowd)
    node.topic.clear()
    heard.clear()
    options.say(f"{count} reconnect")
    spent, began = cpu(node.process), perf_counter()
    latencies = await connect_all(node.clients, crowd, count)
    took = perf_counter() - began
    await _settled(heard, options)
    drop(crowd)
    if not heard.kinds["presence"]:
        raise Unheard(f"expected signals of presence after {count} reconnects, got none")
    sheet.add("reconnect: until all are connected", "s", took)
    sheet.latencies("reconnect: connected after", latencies)
    sheet.add("reconnect: CPU of the node, 1,000 clients", "s", 1000 * (cpu(node.process) - spent) / count)
    sheet.add("reconnect: presence frames a client", "1", heard.frames / count)
    sheet.add("reconnect: bytes of presence a client", "B", heard.bytes / count)
    sheet.add("reconnect: records of signals, most in a second", "1", max(node.topic.seconds.values(), default=0))


async def _types(own: Own, node: Node, sheet: Sheet, options: Options) -> None:
    """The floor, then typing."""
    count = _QUICK_CLIENTS if options.quick else min(options.clients or TYPISTS, TYPISTS)
    seconds = _QUICK_SECONDS if options.quick else SECONDS
    heard = Heard()
    crowd = [Typist(member, heard) for member in await people_in_rooms(own, count, ROOM)]
    await connect_all(node.clients, crowd, 200)
    try:
        for title in ("idle", "typing", "starting and stopping"):
            await _settled(heard, options)
            options.say(f"{count} clients, {title}")
            node.topic.clear()
            spent, began = cpu(node.process), perf_counter()
            before = (heard.frames, heard.bytes)
            typing = heard.kinds["typing"]
            await _act(crowd, title, seconds)
            took = perf_counter() - began
            if title != "idle" and heard.kinds["typing"] == typing:
                raise Unheard(f"{title}: expected signals of typing, got none")
            sheet.add(f"{title}: CPU of the node, a second", "s", (cpu(node.process) - spent) / took)
            sheet.add(f"{title}: frames", "1/s", (heard.frames - before[0]) / took)
            sheet.add(f"{title}: bytes", "B/s", (heard.bytes - before[1]) / took)
            sheet.add(f"{title}: records of signals", "1/s", sum(node.topic.seconds.values()) / took)
    finally:
        drop(crowd)


async def _act(crowd: Sequence[Typist], title: str, seconds: float) -> None:
    """Everybody does the same for a while, each at moments of their own."""
    began = perf_counter()
    for at, number, typing in [] if title == "idle" else turns_of(len(crowd), seconds, pauses=title != "typing"):
        if (wait := began + at - perf_counter()) > 0:
            await asyncio.sleep(wait)
        crowd[number].type(typing)
    await asyncio.sleep(max(0.0, began + seconds - perf_counter()))


def turns_of(count: int, seconds: float, *, pauses: bool) -> list[tuple[float, int, bool]]:
    """When who types or stops, in order. With pauses: five seconds of every ten."""
    found: list[tuple[float, int, bool]] = []
    for number in range(count):
        phase = number / count
        if not pauses:
            found += [(EVERY * (phase + turn), number, True) for turn in range(math.ceil(seconds / EVERY))]
            continue
        for turn in range(-1, math.ceil(seconds / 10)):
            at = 10 * (phase + turn)
            found += [(at, number, True), (at + EVERY, number, True), (at + 5, number, False)]
    return sorted(turn for turn in found if 0 <= turn[0] < seconds)


async def _settled(heard: Heard, options: Options) -> None:
    """Returns when no signal has come for a while."""
    quiet = _QUICK_QUIET if options.quick else _QUIET
    last, since = heard.frames, perf_counter()
    while perf_counter() < since + quiet:
        await asyncio.sleep(0.25)
        if heard.frames != last:
            last, since = heard.frames, perf_counter()


class Topic:
    """Counts the records of ``klatsch.signals`` by second."""

    def __init__(self) -> None:
        self.seconds: Counter[int] = Counter()

    @classmethod
    @asynccontextmanager
    async def reading(cls, settings: Settings) -> AsyncIterator[Topic]:
        """From the end on."""
        found, consumer = cls(), kafka.consumer(settings)
        await consumer.start()
        places = [TopicPartition(settings.topic("signals"), number) for number in range(settings.feed_partitions)]
        consumer.assign(places)
        for place, end in (await consumer.end_offsets(places)).items():
            consumer.seek(place, end)
        task = asyncio.create_task(found._read(consumer))
        try:
            yield found
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await kafka.close(consumer)

    async def _read(self, consumer: Any) -> None:
        while True:
            for records in (await consumer.getmany(timeout_ms=500)).values():
                self.seconds.update(record.timestamp // 1000 for record in records)

    def clear(self) -> None:
        self.seconds.clear()
