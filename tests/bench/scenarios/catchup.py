"""B4: how long it takes until somebody who comes back has what they missed, and until a new client has everything."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from time import perf_counter
from typing import Any

import msgspec

from tests.bench.accounting import Cost
from tests.bench.figures import Figure
from tests.bench.histogram import Histogram
from tests.bench.http import Http
from tests.bench.load import Member
from tests.bench.returning import Bare, CaughtUpWrong, Place, check, come_back, place
from tests.bench.scenarios import Options
from tests.bench.sheet import Sheet
from tests.bench.system import Person, System
from tests.bench.systems.ours import Installation

NAME = "catchup"
ABOUT = (
    "somebody comes back and has missed 500 or 50,000 messages, the same 500 with 50,000 of others after them, or has "
    "nothing at all and is in 200 rooms; beside it the same frames from a bare socket of this process"
)
SYSTEMS = ("ours",)
ONCE = True

SENDERS, ROOMS = 32, 200
#: Missed messages of a short and a long absence, and how often each is come back from.
SHORT, LONG, QUICK_LONG = 500, 50_000, 2000
_SHORT_TIMES, _LONG_TIMES = 20, 3


class _Gap:
    """An absence: who was away, since when, and who sent meanwhile."""

    def __init__(self, title: str, person: Person, since: Place, senders: Sequence[Member]) -> None:
        self.title = title
        self.person = person
        self.since = since
        self.senders = senders


async def run(system: System, options: Options) -> list[Figure]:
    """Milliseconds from the connect command to the last delta, frames and their sizes, CPU."""
    assert isinstance(system, Installation)
    sheet = Sheet(NAME, system.name)
    long = QUICK_LONG if options.quick else LONG
    one, other, *people = await system.people(2 + SENDERS)
    rooms = [await system.room([person, *people]) for person in (one, other)]
    await system.settled()
    since = [await place(system.host, system.port, person) for person in (one, other)]
    short = [await _send(system, people, room, SHORT) for room in rooms]
    await system.settled()
    times = 3 if options.quick else _SHORT_TIMES
    await _measure(system, sheet, options, _Gap(f"{SHORT} missed", one, since[0], short[0]), times)
    begin = await place(system.host, system.port, one)
    options.say(f"{long:,} messages are sent")
    many = await _send(system, people, rooms[0], long)
    await system.settled()
    title = f"{SHORT} missed, before {long:,} of others"
    await _measure(system, sheet, options, _Gap(title, other, since[1], short[1]), times)
    gap = _Gap(f"{long:,} missed", one, begin, many)
    await _measure(system, sheet, options, gap, 1 if options.quick else _LONG_TIMES)
    await _cold(system, sheet, options, people[:2])
    return sheet.figures


async def _send(system: Installation, people: Sequence[Person], room: str, count: int) -> list[Member]:
    """So many messages of all these people, who receive nothing themselves."""
    members = [Member(number, person, room) for number, person in enumerate(people)]
    left = iter(range(count))

    async def one(member: Member) -> None:
        sender = await system.connect(member.person, lambda _: None, data={"subscribe": "client"})
        try:
            for _ in left:
                await sender.send(room, member.text())
        finally:
            sender.close()

    await asyncio.gather(*map(one, members))
    return members


async def _measure(system: Installation, sheet: Sheet, options: Options, gap: _Gap, times: int) -> None:
    wanted = sum(sender.sent for sender in gap.senders)
    for _ in range(options.repeat):
        options.say(gap.title)
        latencies, bare, before = Histogram(), Histogram(), await _from_kafka(system)
        with Cost(system) as cost:
            for _ in range(times):
                missed = await come_back(system.host, system.port, gap.person, gap.since, wanted)
                check(missed, gap.since, gap.senders)
                latencies.record(missed.seconds)
        for _ in range(times):
            bare.record(await _from_socket(missed.frames, wanted))
        sizes = sorted(map(len, missed.frames))
        sheet.latencies(f"{gap.title}: last delta", latencies)
        sheet.add(f"{gap.title}: last delta, bare socket, p50", "ms", bare.percentile(50))
        sheet.add(f"{gap.title}: share from Kafka", "1", (await _from_kafka(system) - before) / times, "neither")
        sheet.add(f"{gap.title}: frames", "1", len(sizes), "neither")
        sheet.add(f"{gap.title}: size of a frame, median", "KiB", sizes[len(sizes) // 2] / 1024, "neither")
        sheet.add(f"{gap.title}: size of a frame, largest", "KiB", sizes[-1] / 1024, "neither")
        sheet.add(f"{gap.title}: bytes a message", "B", sum(sizes) / wanted)
        if "api" in cost.cpu:
            sheet.add(f"{gap.title}: CPU of api, 1,000 messages", "s", 1000 * cost.cpu["api"] / wanted / times)


async def _from_kafka(system: Installation) -> float:
    """How many came back so far to a place that the node had not in memory, by its own metrics."""
    http = await Http.opened(system.host, system.port)
    lines = (await http.request("GET", "/metrics")).body.decode().splitlines()
    http.close()
    rows = [line for line in lines if line.startswith('klatsch_push_catch_ups_total{source="kafka"}')]
    return sum(float(row.rpartition(" ")[2]) for row in rows)


async def _from_socket(frames: Sequence[bytes], wanted: int) -> float:
    """The same, from a server in this process that has nothing to do but to write them."""
    server = await asyncio.get_running_loop().create_server(lambda: Bare(frames), "127.0.0.1")
    try:
        port = server.sockets[0].getsockname()[1]
        return (await come_back("127.0.0.1", port, Person("", ""), Place(0, ""), wanted)).seconds
    finally:
        server.close()
        await server.wait_closed()


async def _cold(system: Installation, sheet: Sheet, options: Options, people: Sequence[Person]) -> None:
    """One who is in many rooms, with a message in each, asks for a snapshot: over HTTP, and as the first call."""
    rooms = 20 if options.quick else ROOMS
    (me,) = await system.people(1)
    options.say(f"{rooms} rooms, and a client that knows nothing")
    made = await asyncio.gather(*(system.room([people[0], me]) for _ in range(rooms)))
    await asyncio.gather(*(_send(system, people[:1], room, 1) for room in made))
    await system.settled()
    for _ in range(options.repeat):
        over_http, over_rpc = Histogram(), Histogram()
        for _ in range(3 if options.quick else _SHORT_TIMES):
            began = perf_counter()
            pages = [await system.ask("GET", "/v1/sync", token=me.token)]
            while more := pages[-1]["next"]:
                pages.append(await system.ask("GET", f"/v1/sync?cursor={more}", token=me.token))
            over_http.record(perf_counter() - began)
            _check_snapshot(pages, made)
            began = perf_counter()
            client = await system.connect(me, lambda _: None)
            replies = [await client.call("sync.get", {})]
            while more := _answer(replies[-1])["next"]:
                replies.append(await client.call("sync.get", {"cursor": more}))
            over_rpc.record(replies[-1].at - began)
            client.close()
            _check_snapshot([_answer(reply) for reply in replies], made)
        sheet.latencies(f"snapshot of {rooms} rooms, HTTP", over_http)
        sheet.latencies(f"connect and snapshot of {rooms} rooms", over_rpc)
        sheet.add(f"snapshot of {rooms} rooms: size", "KiB", sum(len(one.body) for one in replies) / 1024, "neither")


def _answer(reply: Any) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(reply.body)["rpc"]["data"]
    return found


def _check_snapshot(pages: Sequence[dict[str, Any]], rooms: Sequence[str]) -> None:
    found = {entry["room"]["id"]: entry["unread"] for page in pages for entry in page["rooms"]}
    if found != dict.fromkeys(rooms, 1):
        raise CaughtUpWrong(f"expected {len(rooms)} rooms with one unread message each, got {len(found)} rooms")
