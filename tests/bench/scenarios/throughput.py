"""B2: how much is acknowledged when everybody sends as fast as answers come, and what a message costs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from time import perf_counter
from typing import NamedTuple

from tests.bench.accounting import Cost
from tests.bench.figures import Figure
from tests.bench.histogram import Histogram
from tests.bench.load import Crowd, Member
from tests.bench.scenarios import Options
from tests.bench.sheet import Sheet
from tests.bench.system import System, Way

NAME = "throughput"
ABOUT = (
    "closed loop: 32 senders in 8 rooms of 4, 256 senders in 100 rooms, each waits for its acknowledgement; all are "
    "connected, and every delivery is checked (once, in order)"
)
FLOOR = "chain"


class Shape(NamedTuple):
    """Who sends."""

    title: str
    rooms: Sequence[int]
    ways: Sequence[Way]


#: 256 senders in 100 rooms: 56 rooms of 3 and 44 of 2.
SHAPES = (
    Shape("32 in 8 rooms", [4] * 8, ("rpc", "http")),
    Shape("256 in 100 rooms", [3] * 56 + [2] * 44, ("rpc", "http")),
)


class Sent(NamedTuple):
    """What came of a measurement."""

    messages: int
    seconds: float
    acknowledged: Histogram
    received: Histogram


async def run(system: System, options: Options) -> list[Figure]:
    """Every shape over every way that the system has; in a quick run the small one over RPC."""
    found: list[Figure] = []
    for shape in SHAPES:
        for way in shape.ways:
            if way not in system.ways or (options.quick and (shape, way) != (SHAPES[0], "rpc")):
                continue
            options.say(f"{shape.title}, {way}")
            found += await measure(system, shape, way, options)
    return found


async def measure(system: System, shape: Shape, way: Way, options: Options) -> list[Figure]:
    crowd = await Crowd.gathered(system, shape.rooms, way)
    try:
        await send_for(system, crowd, 1.0 if options.quick else 3.0)
        await system.settled()
        moved = crowd.bytes()
        with Cost(system) as cost:
            with Cost(system) as first:
                sent = await send_for(system, crowd, 2.0 if options.quick else 10.0)
            # What a message costs has the read models in it, and what else comes after the delivery.
            await system.settled()
        return _figures(system, f"{shape.title}, {way}", sent, first, cost, crowd.bytes() - moved)
    finally:
        crowd.close()


async def send_for(system: System, crowd: Crowd, seconds: float) -> Sent:
    """All send for a while, then everything arrives and is checked."""
    crowd.forget()
    began = perf_counter()
    loops = await asyncio.gather(*(_send(member, began + seconds) for member in crowd.members))
    took = perf_counter() - began
    await crowd.complete()
    crowd.check(ordered=system.ordered)
    begun = {member.number: [at for at, _ in one] for member, one in zip(crowd.members, loops, strict=True)}
    return Sent(
        messages=sum(map(len, loops)),
        seconds=took,
        acknowledged=Histogram.of(answered - at for one in loops for at, answered in one),
        received=Histogram.of(
            heard.at - begun[heard.sender][heard.number - 1] for member in crowd.members for heard in member.heard
        ),
    )


async def _send(member: Member, until: float) -> list[tuple[float, float]]:
    """One sender: when each message was sent and acknowledged."""
    found = []
    while (now := perf_counter()) < until:
        reply = await member.sender.send(member.room, member.text())
        found.append((now, reply.at))
    return found


def _figures(system: System, title: str, sent: Sent, first: Cost, cost: Cost, moved: int) -> list[Figure]:
    sheet = Sheet(NAME, system.name, f"{title}: ")
    thousands = sent.messages / 1000
    sheet.add("acknowledged", "1/s", sent.messages / sent.seconds, "higher")
    sheet.latencies("ack", sent.acknowledged)
    sheet.latencies("receive", sent.received)
    sheet.add("messages", "1", sent.messages, "neither")
    sheet.add("bytes on the wire, a message", "B", moved / sent.messages)
    if cost.disk is not None:
        sheet.add("bytes on disk, a message", "B", cost.disk / sent.messages)
    if len(cost.cpu) > 1:
        sheet.add("CPU, 1,000 messages, all roles", "s", cost.server_cpu / thousands)
        sheet.add("CPU, 1,000 messages, until delivered", "s", first.server_cpu / thousands)
    for role, cpu in cost.cpu.items():
        sheet.add(f"CPU, 1,000 messages, {role}", "s", cpu / thousands)
    for role, size in cost.memory.items():
        sheet.add(f"memory, {role}", "MiB", size / 2**20, "neither")
    return sheet.figures
