"""What live channels cost: members who talk over gRPC and over WebSocket, beside a bare echo; and how many two relays
carry."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec
import psutil

from infra.embedded.ports import free_port
from infra.embedded.process import accepts
from tests import servers
from tests.bench.accounting import cpu
from tests.bench.figures import Figure
from tests.bench.scenarios import Options
from tests.bench.sheet import Sheet
from tests.bench.system import Person, System, Wrong
from tests.bench.systems.own import Beside, Own
from tests.bench.talking import Member, Talk, Talked, Talkers, built, talkers
from tests.running import until

NAME = "relay"
ABOUT = (
    "live channels of 25 members who each send 50 frames of 120 bytes a second, 30,000 deliveries a second, over gRPC "
    "and over WebSocket; beside it a bare grpc.aio server that sends each frame back 24 times; then more and more "
    "channels on two relays, until frames are lost or take longer than 100 ms"
)
SYSTEMS = ("ours",)
ONCE = True

#: Of one channel: members, frames a second of each, bytes of a frame, seconds.
MEMBERS, RATE, BYTES, SECONDS, WARM = 25, 50.0, 120, 20.0, 2.0
_QUICK_MEMBERS, _QUICK_SECONDS = 5, 3.0
#: Channels on two relays at most, seconds for each number, and where it breaks: the share delivered, and ms.
CHANNELS, RAMP_SECONDS, SHARE, LATE_MS = 10, 8.0, 0.999, 100.0

#: A machine is quiet when so little of it was used in so many seconds in a row; what is measured waits at most so long.
QUIET_PERCENT, QUIET_LOOKS, CALM_SECONDS = 15.0, 2, 20

Way = Literal["gRPC", "WebSocket"]
WAYS: tuple[Way, ...] = ("gRPC", "WebSocket")


class Unsaid(Wrong):
    """Nothing was delivered, or out of order; the text says what was expected."""


class Scene(NamedTuple):
    """An installation with two relays."""

    own: Own
    program: Path
    relays: Sequence[psutil.Process]

    def spent(self) -> float:
        """CPU seconds of both."""
        return sum(map(cpu, self.relays))


async def run(system: System, options: Options) -> list[Figure]:
    """Shares, latencies and CPU."""
    with tempfile.TemporaryDirectory() as folder:
        async with Own(Beside.of(system), Path(folder), partitions=4, feed_partitions=4) as own:
            await own.start("project", "api")
            return await measured(own, Path(folder), options)


async def measured(own: Own, folder: Path, options: Options) -> list[Figure]:
    """With an installation in which no relay runs. ``folder`` takes the relays' logs."""
    sheet = Sheet(NAME, own.name)
    talk = Talk(
        rate=RATE, bytes=BYTES, warm=WARM / 2 if options.quick else WARM,
        seconds=_QUICK_SECONDS if options.quick else SECONDS,
    )  # fmt: skip
    members = _QUICK_MEMBERS if options.quick else MEMBERS
    async with _scene(own, folder) as scene:
        for _ in range(options.repeat):
            for way in WAYS:
                options.say(f"{members} members, {way}")
                await _channel(scene, sheet.part(way), way, members, talk)
            options.say(f"{members} members, bare echo")
            await _echo(scene.program, sheet.part("bare echo"), members, talk)
        _ratios(sheet)
        for way in () if options.quick else WAYS:
            await _more(scene, sheet.part(f"two relays, {way}"), way, options)
    return sheet.figures


@asynccontextmanager
async def _scene(own: Own, folder: Path) -> AsyncIterator[Scene]:
    program = await built()
    async with _relay(own, folder / "relay-1.log") as first, _relay(own, folder / "relay-2.log") as second:
        yield Scene(own, program, [first, second])


@asynccontextmanager
async def _relay(own: Own, log: Path) -> AsyncIterator[psutil.Process]:
    settings = msgspec.structs.replace(own.settings, port=free_port(), grpc_port=free_port())
    async with servers.process(settings, frozenset({"relay"}), log) as process:
        await process.ready()
        yield psutil.Process(process.pid)


async def _channel(scene: Scene, sheet: Sheet, way: Way, members: int, talk: Talk) -> None:
    """One channel."""
    people = await scene.own.people(members)
    inside = await _listened(scene.own, people, way)
    async with talkers(scene.program, inside, talk) as crowd:
        _enter(sheet, members, *await _measured(crowd, scene.spent))


async def _echo(program: Path, sheet: Sheet, members: int, talk: Talk) -> None:
    """The floor."""
    port = free_port()
    module = ("-m", "tests.bench.systems.echoing")
    process = await asyncio.create_subprocess_exec(sys.executable, *module, str(port), str(members - 1))
    try:

        async def listens() -> bool:
            return accepts("127.0.0.1", port)

        await until(listens, "the echo listens", 30)
        seen = psutil.Process(process.pid)
        async with talkers(program, [Member(f"127.0.0.1:{port}", "", "none")] * members, talk) as crowd:
            _enter(sheet, members, *await _measured(crowd, lambda: cpu(seen)))
    finally:
        process.kill()
        await process.wait()


async def _more(scene: Scene, sheet: Sheet, way: Way, options: Options) -> None:
    """Channels on two relays, one more each time."""
    talk = Talk(rate=RATE, bytes=BYTES, warm=WARM, seconds=RAMP_SECONDS)
    carried = 0
    for channels in range(1, CHANNELS + 1):
        options.say(f"{channels} channels on two relays, {way}")
        inside: list[Member] = []
        for _ in range(channels):
            inside += await _listened(scene.own, await scene.own.people(MEMBERS), way)
        async with talkers(scene.program, inside, talk) as crowd:
            talked, spent = await _measured(crowd, scene.spent)
        part = sheet.part(f"{channels} channels")
        share, late = _enter(part, MEMBERS, talked, spent)
        if share < SHARE or late > LATE_MS:
            break
        carried = channels
    sheet.add("channels that they carry", "1", carried, "higher")


async def _listened(own: Own, people: Sequence[Person], way: Way) -> list[Member]:
    """A new channel of these people, each with a token."""
    made = await own.ask("POST", "/v1/channels", {"name": "Benchmark", "limit": len(people)}, people[0].token)
    path = f"/v1/channels/{made['channel']['id']}/listen"
    # The first one has the channel given to a relay.
    answers = [await own.ask("POST", path, {}, people[0].token)]
    answers += await asyncio.gather(*(own.ask("POST", path, {}, one.token) for one in people[1:]))
    return [
        Member(answer["server"]["address"], answer["url"] if way == "WebSocket" else "", answer["token"])
        for answer in answers
    ]


async def _measured(crowd: Talkers, spent: Callable[[], float]) -> tuple[Talked, float]:
    """What was counted, and the CPU seconds of the servers, those of the warm-up included."""
    await _calm()
    before = spent()
    talked = await crowd.talk()
    return talked, spent() - before


async def _calm() -> None:
    """Until nothing else works: servers that were just started, and people who were just made, cost for a while. On a
    machine that stays busy, some seconds."""
    quiet = 0
    for _ in range(CALM_SECONDS):
        quiet = quiet + 1 if await asyncio.to_thread(psutil.cpu_percent, 1.0) < QUIET_PERCENT else 0
        if quiet == QUIET_LOOKS:
            return


def _enter(sheet: Sheet, members: int, talked: Talked, spent: float) -> tuple[float, float]:
    """Puts down what was measured; the share delivered, and the 99th percentile in ms. Raises Unsaid."""
    if not talked.received or talked.disorder:
        raise Unsaid(
            f"expected frames in the order of their sender, got {talked.received} frames, {talked.disorder} of them "
            f"too late; {talked.errors[:3]}"
        )
    expected = talked.sent * (members - 1)
    latencies = talked.latencies()
    sheet.add("delivered", "%", 100 * talked.received / expected, "higher")
    sheet.latencies("sent → received", latencies)
    sheet.add("CPU of the server, 100,000 deliveries", "s", 100_000 * spent / talked.total)
    return talked.received / expected, latencies.percentile(99)


def _ratios(sheet: Sheet) -> None:
    """CPU beside that of the bare echo, of the medians."""
    found = {figure.name: figure.median for figure in sheet.figures}
    cost = "CPU of the server, 100,000 deliveries"
    for way in WAYS:
        sheet.add(f"{way}: CPU : bare echo", "1", found[f"{way}: {cost}"] / found[f"bare echo: {cost}"])
