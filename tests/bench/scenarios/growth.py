"""B7: how latency, throughput and reads change as the log, a room and the number of shards grow."""

from __future__ import annotations

import tempfile
from pathlib import Path

from infra.base.progress import READ_MODELS
from projectors.feed.projector import FEED
from tests.bench import reads
from tests.bench.accounting import Cost
from tests.bench.figures import Figure
from tests.bench.filled import Filled, filled
from tests.bench.load import Crowd, Member
from tests.bench.scenarios import Options, latency, models, throughput
from tests.bench.sheet import Sheet
from tests.bench.story import Shape
from tests.bench.system import System
from tests.bench.systems.own import Beside, Own

NAME = "growth"
ABOUT = (
    "the same measurements at growing sizes, one dimension at a time: messages in the log (up to --messages), members "
    "of the room that is talked in, few of whom are connected (up to --members), and shards (up to --shards)"
)
SYSTEMS = ("ours",)
ONCE = True

#: Largest sizes where the options name none: of a quick run, and of others. Each dimension is measured at its
#: hundredth, its tenth and itself; shards at 1, at the eighth, and at all.
MESSAGES, MEMBERS, SHARDS = (1000, 100_000), (100, 10_000), (8, 64)
#: Members of a room who are connected and send.
TALKING = 8


async def run(system: System, options: Options) -> list[Figure]:
    """Figures as "messages 10,000: send → ack, p50", for plots.py."""
    sheet = Sheet(NAME, system.name)
    await by_messages(system, sheet, options)
    await by_members(system, sheet, options)
    await by_shards(system, sheet, options)
    return sheet.figures


def sizes(wanted: int | None, usual: tuple[int, int], quick: bool, step: int = 10) -> list[int]:
    """Three sizes up to what is wanted, two in a quick run; the first is at least 1."""
    most = wanted or usual[not quick]
    found = [most // step**power for power in ((1, 0) if quick else (2, 1, 0))]
    return sorted({max(1, size) for size in found})


async def by_messages(system: System, sheet: Sheet, options: Options) -> None:
    """One installation whose log grows: B6, then B1 and B2 in new rooms."""
    first, *more = sizes(options.messages, MESSAGES, options.quick)
    async with filled(system, options, first) as found:
        own, story = found
        await _at_length(found, sheet.part(f"messages {first:,}"), options)
        for size in more:
            options.say(f"the log grows to {size:,} messages")
            await own.write(story.going_on(size - story.messages))
            await _at_length(found, sheet.part(f"messages {size:,}"), options)


async def _at_length(found: Filled, sheet: Sheet, options: Options) -> None:
    """What was written is worked off, then read; then people talk in new rooms."""
    for projector in (READ_MODELS, FEED):
        await models.backlog(found, sheet, projector, options)
    await found.own.start("project", "api")
    await found.own.settled()
    for _ in range(options.repeat):
        options.say(f"{sheet.prefix}reads, latency, throughput")
        # The pages of the repetition before are in memory.
        await found.own.restart("api")
        await reads.read(found, sheet, 30 if options.quick else 300)
        await _talk(found.own, sheet, options)
    await found.own.stop("api")
    await found.own.stop("project")


async def _talk(own: Own, sheet: Sheet, options: Options) -> None:
    """B1 and B2 in new rooms."""
    sheet.adopt(await latency.run(own, options))
    found = await throughput.measure(own, throughput.SHAPES[0], "rpc", options)
    # Of its parts only those that may grow: not each role by itself.
    sheet.adopt(one for one in found if one.better != "neither" and ("CPU" not in one.name or "all roles" in one.name))


async def by_members(system: System, sheet: Sheet, options: Options) -> None:
    """One installation with a room of each size."""
    crowds = tuple(max(size, TALKING) for size in sizes(options.members, MEMBERS, options.quick))
    shape = Shape(users=0, rooms=len(crowds), members=TALKING, crowds=crowds, reader=0)
    options.say(f"rooms of up to {crowds[-1]:,} members")
    async with filled(system, options, len(crowds), shape) as (own, story):
        await own.start("project", "api")
        await own.settled()
        people = [own.person(user) for user in story.users[:TALKING]]
        for room, size in zip(story.rooms, crowds, strict=True):
            part = sheet.part(f"members {size:,}")
            crowd = Crowd([Member(number, person, room) for number, person in enumerate(people)])
            for _ in range(options.repeat):
                await _in_room(own, part, crowd, options)


async def _in_room(own: Own, sheet: Sheet, crowd: Crowd, options: Options) -> None:
    """Two of the room, then all who are connected."""
    for member in crowd.members:
        member.connection = member.sender = await own.connect(member.person, member.hear)
    try:
        options.say(f"{sheet.prefix}{len(crowd.members)} talk")
        await throughput.send_for(own, crowd, 1.0)
        with Cost(own) as cost:
            sent = await throughput.send_for(own, crowd, 2.0 if options.quick else 10.0)
            await own.settled()
        sheet.add(f"acknowledged, {TALKING} senders", "1/s", sent.messages / sent.seconds, "higher")
        sheet.latencies(f"ack, {TALKING} senders", sent.acknowledged)
        sheet.add("CPU, 1,000 messages, all roles", "s", 1000 * cost.server_cpu / sent.messages)
        for other in crowd.members[2:]:
            other.connection.close()
        pair = Crowd(crowd.members[:2])
        acknowledged, received = await latency.send_for(own, pair, 3.0 if options.quick else 20.0)
        sheet.latencies("send → ack", acknowledged)
        sheet.latencies("send → receive", received)
    finally:
        crowd.close()


async def by_shards(system: System, sheet: Sheet, options: Options) -> None:
    """An installation for each number of shards: B1 and B2."""
    for count in sizes(options.shards, SHARDS, options.quick, 8):
        options.say(f"{count} shards of each topic")
        with tempfile.TemporaryDirectory() as folder:
            async with Own(Beside.of(system), Path(folder), partitions=count) as own:
                await own.start("project", "api")
                for _ in range(options.repeat):
                    await _talk(own, sheet.part(f"shards {count}"), options)
