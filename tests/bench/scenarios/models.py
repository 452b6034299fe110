"""B6: how fast the log becomes read models, how far they lag, and how fast they are read."""

from __future__ import annotations

import asyncio
from collections import deque
from time import perf_counter

import msgspec

from events.core.positions import Shard, Vector
from infra.base.progress import READ_MODELS, Progress
from producers.engine.router import partition_of
from projectors.feed.projector import FEED
from tests.bench import reads
from tests.bench.accounting import Cost
from tests.bench.client import Reply
from tests.bench.figures import Figure
from tests.bench.filled import Filled, filled
from tests.bench.histogram import Histogram, open_loop
from tests.bench.load import Crowd
from tests.bench.projecting import alone
from tests.bench.refolding import refold
from tests.bench.scenarios import Options
from tests.bench.sheet import Sheet
from tests.bench.system import System
from tests.bench.systems.own import Own

NAME = "models"
ABOUT = (
    "a log of --messages messages that was written while nothing projected it: the projectors work it off, one at a "
    "time; rebuild and verify; reads over HTTP; then a steady load (open loop) and the read models' lag behind it"
)
SYSTEMS = ("ours",)
ONCE = True

#: Messages a second of the steady load.
RATE = 200.0


async def run(system: System, options: Options) -> list[Figure]:
    """Events a second on the clock and by CPU, milliseconds of reads and of the lag."""
    sheet = Sheet(NAME, system.name)
    async with filled(system, options) as found:
        for projector in (READ_MODELS, FEED):
            await backlog(found, sheet, projector, options)
        await found.check()
        await refold(found.own, sheet, options)
        await found.check()
        await found.own.start("project", "api")
        await found.own.settled()
        for _ in range(options.repeat):
            options.say("reads")
            # The pages of the repetition before are in memory.
            await found.own.restart("api")
            await reads.read(found, sheet, 50 if options.quick else 500)
        for _ in range(options.repeat):
            options.say("lag at a steady load")
            await _steady(found.own, sheet, options)
    return sheet.figures


async def backlog(found: Filled, sheet: Sheet, projector: str, options: Options) -> None:
    """A projector alone works off what is in the log; what it and Postgres need for it."""
    title = projector.replace("_", " ")
    options.say(f"{title} work off {found.story.count:,} events")
    with Cost(found.own) as cost:
        done = await alone(found.own.settings, projector)
    sheet.add(f"{title}: events of a backlog", "1/s", done.events / done.seconds, "higher")
    if (postgres := cost.cpu.get("postgres")) is not None:
        sheet.add(f"{title}: events of a backlog, a core", "1/s", done.events / (done.cpu + postgres), "higher")
        sheet.add(f"{title}: CPU of Postgres, 1,000 events", "s", 1000 * postgres / done.events)
    sheet.add(f"{title}: CPU of the projector, 1,000 events", "s", 1000 * done.cpu / done.events)


async def _steady(own: Own, sheet: Sheet, options: Options) -> None:
    rate, seconds = (RATE / 4, 3.0) if options.quick else (RATE, 20.0)
    crowd = await Crowd.gathered(own, [4] * 8)
    lag = _Lag(own)
    await lag.start()
    try:
        with Cost(own) as cost:
            answers: list[asyncio.Future[Reply]] = []

            def act(number: int, _: float) -> None:
                member = crowd.members[number % len(crowd.members)]
                answers.append(member.sender.send(member.room, member.text()))
                answers[-1].add_done_callback(lambda answer: lag.acknowledged(member.room, answer))

            count = await open_loop(act, rate, seconds)
            await asyncio.gather(*answers)
            await crowd.complete()
            await lag.caught_up()
        crowd.check()
    finally:
        await lag.stop()
        crowd.close()
    if lag.behind.count != count:
        raise reads.WrongPage(f"expected the read models to reach {count} messages, got {lag.behind.count}")
    sheet.latencies(f"lag behind the acknowledgement at {rate:.0f}/s", lag.behind)
    sheet.add(f"CPU of project, 1,000 messages at {rate:.0f}/s", "s", 1000 * cost.cpu["project"] / count)


class _Lag:
    """How long after its acknowledgement each message is in the read models, as Postgres tells its listeners."""

    def __init__(self, own: Own) -> None:
        self.behind = Histogram()
        self._settings = own.settings
        self._progress = Progress(own.settings)
        self._progress.on_advance(self._advanced)
        #: Offset and moment of each acknowledged message that is not there yet, by shard.
        self._waiting: dict[Shard, deque[tuple[int, float]]] = {}

    async def start(self) -> None:
        await self._progress.start()

    async def stop(self) -> None:
        await self._progress.stop()

    def acknowledged(self, room: str, answer: asyncio.Future[Reply]) -> None:
        """A message stands in the log of its room's shard, at the offset that its version is."""
        if answer.cancelled() or answer.exception() is not None:
            return
        reply = answer.result()
        message = msgspec.json.decode(reply.body)["rpc"]["data"]["message"]
        shard = Shard("rooms", partition_of(room, self._settings.partitions))
        if self._progress.vector.get(shard, 0) > message["version"]:
            self.behind.record(0.0)
        else:
            self._waiting.setdefault(shard, deque()).append((message["version"], reply.at))

    def _advanced(self, vector: Vector) -> None:
        now = perf_counter()
        for shard, waiting in self._waiting.items():
            reached = [entry for entry in waiting if entry[0] < vector.get(shard, 0)]
            for entry in reached:
                waiting.remove(entry)
                self.behind.record(now - entry[1])

    async def caught_up(self) -> None:
        """Returns when nothing waits any more. Raises ReadModelsBehind."""
        wanted = {shard: max(waiting)[0] + 1 for shard, waiting in self._waiting.items() if waiting}
        await self._progress.reach(wanted, 30.0)
