"""B1: how long one message takes while nothing else happens."""

from __future__ import annotations

import asyncio

from tests.bench.figures import Figure
from tests.bench.histogram import Histogram, open_loop
from tests.bench.load import Crowd
from tests.bench.scenarios import Options
from tests.bench.sheet import Sheet
from tests.bench.system import System

NAME = "latency"
ABOUT = "1 sender, 1 receiver, 20 messages a second (open loop), nobody else"
FLOOR = "chain"

RATE = 20.0


async def run(system: System, options: Options) -> list[Figure]:
    """Latencies from the intended time: to the acknowledgement, and to the other person."""
    crowd = await Crowd.gathered(system, [2])
    try:
        await send_for(system, crowd, 0.5 if options.quick else 5.0)
        acknowledged, received = await send_for(system, crowd, 2.0 if options.quick else 30.0)
    finally:
        crowd.close()
    sheet = Sheet(NAME, system.name)
    sheet.latencies("send → ack", acknowledged)
    sheet.latencies("send → receive", received)
    return sheet.figures


async def send_for(system: System, crowd: Crowd, seconds: float) -> tuple[Histogram, Histogram]:
    """Sends for a while; both histograms."""
    crowd.forget()
    sender, receiver = crowd.members
    intended: list[float] = []
    answers = []

    def act(_: int, at: float) -> None:
        intended.append(at)
        answers.append(sender.sender.send(sender.room, sender.text()))

    await open_loop(act, RATE, seconds)
    replies = await asyncio.gather(*answers)
    await crowd.complete()
    crowd.check(ordered=system.ordered)
    acknowledged = Histogram.of(reply.at - at for reply, at in zip(replies, intended, strict=True))
    received = Histogram.of(heard.at - intended[heard.number - 1] for heard in receiver.heard)
    return acknowledged, received
