"""B5: what a connection costs that does nothing, and what it costs when all clients come back at once."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from time import perf_counter

from tests.bench.accounting import Cost
from tests.bench.figures import Figure
from tests.bench.histogram import Histogram
from tests.bench.load import Crowd, Member
from tests.bench.scenarios import Options
from tests.bench.sheet import Sheet
from tests.bench.system import NotHere, System, Wrong
from tests.bench.systems.ours import Installation
from tests.bench.systems.own import Beside, Own

NAME = "connections"
ABOUT = (
    "some thousand people in rooms of 4 connect, are idle, are lost at once, and all come back in a storm; afterwards "
    "one message in each room must reach its members, once"
)
FLOOR = "sockets"
ONCE = True

#: Connections, those that are there before anything is measured, and members of a room.
CLIENTS, QUICK_CLIENTS, BEFORE, ROOM = 3000, 200, 40, 4
#: Handshakes under way while the crowd is gathered, and in the storm.
_GATHERING, _STORM = 50, 1000
#: Share of a core below which a system counts as quiet, over how many seconds, and how long that may take.
_QUIET, _OVER, _PATIENCE = 0.1, 0.5, 30.0


class NotQuiet(Wrong):
    """A system goes on working while nobody does anything; the text says how much."""


async def run(system: System, options: Options) -> list[Figure]:
    """Bytes a connection by growth of memory, connects a second, CPU a connect, and the first message after it."""
    sheet = Sheet(NAME, system.name)
    count = options.clients or (QUICK_CLIENTS if options.quick else CLIENTS)
    async with _fresh(system) as fresh:
        options.say(f"{count + BEFORE} people")
        members = await people_in_rooms(fresh, count + BEFORE, ROOM)
        try:
            options.say(f"{count} connections")
            await _idle(fresh, sheet, members)
            for _ in range(options.repeat):
                await _storm(fresh, sheet, members, options)
                await _heard_once(members)
        finally:
            drop(members)
    return sheet.figures


@asynccontextmanager
async def _fresh(system: System) -> AsyncIterator[System]:
    """The system; where it is ours and can be had, with processes that have held no connection yet.

    Memory that a process once had is its own for long, and another connection then seems to need none. So it is
    measured once only, and of others than ours only right when no scenario was before it.
    """
    try:
        beside = Beside.of(system) if isinstance(system, Installation) else None
    except NotHere:
        beside = None
    if beside is None:
        yield system
        return
    with tempfile.TemporaryDirectory() as folder:
        async with Own(beside, Path(folder)) as own:
            await own.start("project", "api")
            yield own


async def _idle(system: System, sheet: Sheet, members: Sequence[Member]) -> None:
    """All connect; what memory has grown by since the first few of them."""
    await connect_all(system, members[:BEFORE], _GATHERING)
    before = await _quiet(system)
    await connect_all(system, members[BEFORE:], _GATHERING)
    after = await _quiet(system)
    count = len(members) - BEFORE
    grown = {role: (size - before[role]) / count / 1024 for role, size in after.items()}
    sheet.add("memory an idle connection", "KiB", sum(grown.values()))
    for role, size in grown.items():
        sheet.add(f"memory an idle connection, {role}", "KiB", size)


async def _storm(system: System, sheet: Sheet, members: Sequence[Member], options: Options) -> None:
    drop(members)
    await _quiet(system)
    options.say(f"a storm of {len(members)} connections")
    with Cost(system) as cost:
        began = perf_counter()
        latencies = await connect_all(system, members, _STORM)
        seconds = perf_counter() - began
        # Who came back is told to others, and read models note it.
        await _quiet(system)
    sheet.add("connects in a storm", "1/s", len(members) / seconds, "higher")
    sheet.latencies("connected in a storm after", latencies)
    for role, cpu in cost.cpu.items():
        sheet.add(f"CPU, 1,000 connects, {role}", "s", 1000 * cpu / len(members))
    if (server := cost.server_cpu) > 0:
        sheet.add("connects a core, all roles", "1/s", len(members) / server, "higher")


async def people_in_rooms(system: System, count: int, size: int) -> list[Member]:
    """New people, each in one room of so many; nobody is connected."""
    people = await system.people(count)
    groups = [people[begin : begin + size] for begin in range(0, count, size)]
    rooms = await asyncio.gather(*(system.room(group) for group in groups))
    await system.settled()
    return [Member(number, person, rooms[number // size]) for number, person in enumerate(people)]


async def connect_all(system: System, members: Sequence[Member], at_once: int) -> Histogram:
    """Connects all, so many at a time; who is refused tries again. The time from the storm's beginning for each."""
    slots, latencies, began = asyncio.Semaphore(at_once), Histogram(), perf_counter()

    async def one(member: Member) -> None:
        async with slots:
            while True:
                with contextlib.suppress(OSError, TimeoutError):
                    member.connection = member.sender = await system.connect(member.person, member.hear)
                    latencies.record(perf_counter() - began)
                    return
                await asyncio.sleep(0.1)

    async with asyncio.timeout(60 + len(members) / 50):
        await asyncio.gather(*map(one, members))
    return latencies


async def _heard_once(members: Sequence[Member]) -> None:
    """The first of each room sends; every connection of the room gets it exactly once. Raises NotDelivered."""
    crowd = Crowd(members)
    crowd.forget()
    senders = [room[0] for room in crowd.rooms.values()]
    await asyncio.gather(*(member.sender.send(member.room, member.text()) for member in senders))
    await crowd.complete()
    crowd.check()


def drop(members: Sequence[Member]) -> None:
    """Loses all connections at once, without a word."""
    for member in members:
        if hasattr(member, "connection"):
            member.connection.close()


async def _quiet(system: System) -> dict[str, int]:
    """Returns when the system has stopped working, so that nothing of before is measured: its memory by role.

    Kafka and Postgres may work for others, and hold no connection of a client. Raises NotQuiet.
    """
    deadline = perf_counter() + _PATIENCE
    while True:
        with Cost(system) as cost:
            await asyncio.sleep(_OVER)
        roles = [role for role in cost.memory if role not in ("kafka", "postgres")]
        busy = sum(cost.cpu[role] for role in roles) / cost.seconds
        if busy < _QUIET:
            return {role: cost.memory[role] for role in roles}
        if perf_counter() > deadline:
            raise NotQuiet(f"expected less than {_QUIET:.0%} of a core within {_PATIENCE:.0f} s, got {busy:.0%}")
