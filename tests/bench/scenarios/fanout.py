"""B3: one message to many: a room in which everybody is connected."""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections.abc import Sequence
from time import perf_counter
from typing import NamedTuple

from tests.bench.accounting import Cost
from tests.bench.client import Reply
from tests.bench.figures import Figure
from tests.bench.histogram import Histogram, open_loop
from tests.bench.load import NotDelivered, marks, text
from tests.bench.scenarios import Options
from tests.bench.sheet import Sheet
from tests.bench.system import Sender, System

NAME = "fanout"
ABOUT = (
    "one room of 200, 1,000, 5,000 connected members and one sender; saturated: 16 messages on their way; modest: "
    "an open loop of 5,000 deliveries a second"
)
FLOOR = "sockets"
#: With Kafka in it, it is no floor of sockets.
WITHOUT = ("chain",)

ROOMS = (200, 1000, 5000)
#: Messages that are sent and not yet with everybody.
UNDER_WAY = 16
#: Deliveries a second of the open loop, and messages at the least.
MODEST, FEWEST = 5000.0, 10
_AT_ONCE = 100
_PATIENCE = 60.0
#: Bytes a connection in half a second that still count as quiet; a ping and its answer are 12 in 25 s.
_QUIET = 4


class Sent(NamedTuple):
    """What came of a measurement."""

    messages: int
    seconds: float
    #: From the (intended) sending to the last receiver.
    last: Histogram


class Room:
    """Counts how many have got each message, and how many each has got; keeps none."""

    def __init__(self, system: System, size: int) -> None:
        self._system = system
        self._size = size
        self._connections: list[Sender] = []
        self._counts: list[int] = []
        self._heard: list[int] = []
        self._done: dict[int, Future[float]] = {}
        self._sent = 0
        self._room = ""
        self._wrong = ""

    async def gather(self) -> None:
        """New people, all connected."""
        people = await self._system.people(self._size)
        self._room = await self._system.room(people)
        self._heard = [0] * self._size
        slots = asyncio.Semaphore(_AT_ONCE)

        async def connect(number: int) -> Sender:
            async with slots:
                return await self._system.connect(people[number], lambda payload: self._hear(number, payload))

        await self._system.settled()
        self._connections = await asyncio.gather(*(connect(number) for number in range(self._size)))
        await self._quiet()

    async def _quiet(self) -> None:
        """Until the members have received each other's presence: hardly a byte comes any more, pings aside."""
        deadline, before = perf_counter() + _PATIENCE, -1
        while (now := self.moved()) - before > _QUIET * self._size:
            if perf_counter() > deadline:
                raise NotDelivered(f"expected quiet after {self._size} connections, still {now - before} bytes come")
            before = now
            await asyncio.sleep(0.5)

    def close(self) -> None:
        """Everybody leaves."""
        for connection in self._connections:
            connection.close()

    def moved(self) -> int:
        """What all sockets have taken and given so far."""
        return sum(connection.bytes_in + connection.bytes_out for connection in self._connections)

    def _hear(self, member: int, payload: bytes) -> None:
        for _, found in marks(payload):
            number = int(found)
            self._heard[member] += 1
            if self._system.ordered and number != self._heard[member] and not self._wrong:
                self._wrong = f"member {member}: expected message {self._heard[member]}, got {number}"
            self._counts[number - 1] += 1
            if self._counts[number - 1] == self._size:
                self._done[number].set_result(perf_counter())

    def _send(self) -> tuple[Future[Reply], Future[float]]:
        """The next message: its acknowledgement, and the moment when the last member has it."""
        self._sent += 1
        self._counts.append(0)
        done: Future[float] = asyncio.get_running_loop().create_future()
        self._done[self._sent] = done
        return self._connections[0].send(self._room, text(0, self._sent)), done

    async def _arrived(self, done: Sequence[Future[float]]) -> list[float]:
        try:
            async with asyncio.timeout(_PATIENCE):
                times = await asyncio.gather(*done)
        except TimeoutError as error:
            raise NotDelivered(
                f"expected {self._size} members to get {self._sent} messages, got {self._counts[-10:]} of the last"
            ) from error
        if self._wrong:
            raise NotDelivered(self._wrong)
        return times

    def check(self) -> None:
        """Everybody got every message exactly once. Raises NotDelivered."""
        counts = {*self._counts, self._size}, {*self._heard, self._sent}
        if any(len(one) > 1 for one in counts):
            raise NotDelivered(f"expected {self._sent} messages at {self._size} members, each once, got {counts}")

    async def saturated(self, seconds: float) -> Sent:
        """UNDER_WAY messages at once; the next one goes when one has come to everybody."""
        began = perf_counter()
        latencies: list[float] = []

        async def one_after_the_other() -> None:
            while (now := perf_counter()) < began + seconds:
                acknowledged, done = self._send()
                (arrived,) = await self._arrived([done])
                await acknowledged
                latencies.append(arrived - now)

        await asyncio.gather(*(one_after_the_other() for _ in range(UNDER_WAY)))
        return Sent(len(latencies), perf_counter() - began, Histogram.of(latencies))

    async def modest(self, seconds: float) -> Sent:
        """An open loop that the room takes easily."""
        rate = MODEST / self._size
        intended: list[float] = []
        sent: list[tuple[Future[Reply], Future[float]]] = []

        def act(_: int, at: float) -> None:
            intended.append(at)
            sent.append(self._send())

        began = perf_counter()
        await open_loop(act, rate, max(seconds, FEWEST / rate))
        times = await self._arrived([done for _, done in sent])
        await asyncio.gather(*(acknowledged for acknowledged, _ in sent))
        latencies = Histogram.of(time - at for time, at in zip(times, intended, strict=True))
        return Sent(len(sent), perf_counter() - began, latencies)


async def run(system: System, options: Options) -> list[Figure]:
    """Every size; in a quick run the smallest."""
    found: list[Figure] = []
    for size in ROOMS[:1] if options.quick else ROOMS:
        options.say(f"a room of {size:,}: people")
        found += await _room(system, size, options)
    return found


async def _room(system: System, size: int, options: Options) -> list[Figure]:
    room = Room(system, size)
    try:
        await room.gather()
        options.say(f"a room of {size:,}: saturated")
        await room.saturated(0.3 if options.quick else 2.0)
        moved = room.moved()
        with Cost(system) as cost:
            full = await room.saturated(1.5 if options.quick else 10.0)
        moved = room.moved() - moved
        options.say(f"a room of {size:,}: modest")
        modest = await room.modest(1.5 if options.quick else 10.0)
        room.check()
    finally:
        room.close()
    return _figures(system, size, full, modest, cost, moved)


def _figures(system: System, size: int, full: Sent, modest: Sent, cost: Cost, moved: int) -> list[Figure]:
    sheet = Sheet(NAME, system.name, f"room of {size:,}: ")
    deliveries = full.messages * size
    sheet.add("deliveries", "1/s", deliveries / full.seconds, "higher")
    sheet.latencies("last receiver", modest.last)
    sheet.latencies("last receiver, saturated", full.last)
    sheet.add("bytes on the wire, a delivery", "B", moved / deliveries)
    if len(cost.cpu) > 1:
        sheet.add("CPU, 10,000 deliveries, all roles", "s", cost.server_cpu / deliveries * 1e4)
    for role, cpu in cost.cpu.items():
        sheet.add(f"CPU, 10,000 deliveries, {role}", "s", cpu / deliveries * 1e4)
    return sheet.figures
