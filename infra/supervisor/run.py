"""Starts the parts in order, keeps them running, and stops them in order."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Sequence

from infra.embedded.process import Process, ProcessError, last_line
from infra.settings import without_password
from infra.supervisor.disk import disk
from infra.supervisor.folder import DataFolder
from infra.supervisor.leftovers import forget, remember
from infra.supervisor.parts import KafkaPart, Part
from infra.supervisor.report import Report

#: Seconds before a part that ended is started again: doubled each time, back to the first after a quiet minute.
_BACKOFF = (0.5, 30.0)
_QUIET = 60.0
#: Seconds that the roles get to finish what they do.
ROLES_GRACE = 10.0
_STORES_GRACE = 30.0
_POLL = 0.1
#: Seconds between two looks at the room on the disk.
_DISK_SECONDS = 10.0
#: Seconds after which a start is asked for less often, and how often then.
_SOON, _POLL_SLOWLY = 15.0, 0.5


class Supervisor:
    """The running parts of one data folder.

    ``stores`` (Kafka, Postgres) start together; then ``install`` makes topics and schema; then ``roles`` start.
    """

    def __init__(
        self,
        folder: DataFolder,
        stores: Sequence[Part],
        make_roles: Callable[[], Sequence[Part]],
        install: Callable[[], Awaitable[None]],
        report: Report,
        publish: Callable[[Sequence[Part]], None],
    ) -> None:
        """``make_roles`` is called when the stores run and their addresses are known; ``publish`` hears of the parts
        each time that one has been started."""
        self._folder = folder
        self._stores = list(stores)
        self._make_roles = make_roles
        self._roles: list[Part] = []
        self._install = install
        self._report = report
        self._publish = publish
        #: One for each part that has been ready.
        self._keepers: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Returns when every part is ready. Raises ProcessError with the log of the one that is not.

        A part that was ready is kept from then on: those that still start may need it.
        """
        await self._start_all(self._stores)
        await self._install()
        self._report.line("installed", "topics and schema")
        self._roles = list(self._make_roles())
        await self._start_all(self._roles)

    async def keep(self) -> None:
        """Keeps the parts that ``start`` has started; never returns."""
        await asyncio.gather(self._watch_disk(), *self._keepers)

    async def _watch_disk(self) -> None:
        """Warns when the room of the data folder gets low, and again when it is full; never returns."""
        said = ""
        while True:
            room = await asyncio.to_thread(disk, self._folder.path)
            level = "full" if room.full else "low" if room.low else ""
            if level and level != said:
                self._report.problem(f"  {room.warning(self._folder.path)}")
            said = level
            await asyncio.sleep(_DISK_SECONDS)

    async def stop(self) -> None:
        """Roles first, then Kafka, then Postgres. Returns when no process is left."""
        for part in self._stores:
            if isinstance(part, KafkaPart):
                part.cancelled.set()
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        await asyncio.gather(*(self._stop(part, ROLES_GRACE) for part in self._roles))
        for part in self._stores:
            await self._stop(part, _STORES_GRACE)

    def hurry(self) -> None:
        """Kills what runs, for a user who does not want to wait for ``stop``."""
        for part in [*self._roles, *self._stores]:
            if part.process:
                part.process.kill()

    async def _start_all(self, parts: Sequence[Part]) -> None:
        starts = [asyncio.create_task(self._begin(part)) for part in parts]
        try:
            await asyncio.gather(*starts)
        finally:
            for start in starts:
                start.cancel()

    async def _begin(self, part: Part) -> None:
        await self._start(part)
        self._keepers.append(asyncio.create_task(self._keep(part)))

    async def _start(self, part: Part) -> None:
        began = time.monotonic()
        process = await asyncio.to_thread(part.prepare)
        process.spawn()
        part.process = process
        if process.pid is not None:
            remember(self._folder.run, part.name, process.pid, process.stop_signal)
        await self._wait_ready(part, process)
        self._publish([*self._stores, *self._roles])
        self._report.line(part.name, f"ready in {time.monotonic() - began:.1f} s", without_password(part.address))

    async def _wait_ready(self, part: Part, process: Process) -> None:
        """Waits as long as the process gives signs of life, and tells of it. Raises ProcessError."""
        patience, told = process.patience(part.silent_seconds), 0.0
        while not await asyncio.to_thread(part.ready):
            process.check()
            if await asyncio.to_thread(patience.spent):
                raise process.silence(patience, await asyncio.to_thread(part.awaited))
            if patience.waited - told >= part.tell_seconds:
                told = patience.waited
                self._report.line(part.name, f"starting, {told:.0f} s so far", last_line(process.log))
            # Each question costs the part something, and one that starts for long has nothing to spare.
            await asyncio.sleep(_POLL if patience.waited < _SOON else _POLL_SLOWLY)

    async def _keep(self, part: Part) -> None:
        """Starts the part again each time that it ends; never returns."""
        backoff, started = _BACKOFF[0], time.monotonic()
        while True:
            if part.process:
                await _ended(part.process, math.inf)
            if time.monotonic() - started > _QUIET:
                backoff = _BACKOFF[0]
            ended = f"ended with exit code {part.process.exit_code}, log {part.process.log}" if part.process else ""
            self._report.problem(f"  {part.name} {ended}; starting it again in {backoff:.1f} s")
            await asyncio.sleep(backoff)
            if part in self._roles:
                await self._stores_ready()
            backoff, started = min(backoff * 2, _BACKOFF[1]), time.monotonic()
            try:
                await self._start(part)
            except (ProcessError, OSError) as error:
                self._report.problem(f"  {part.name}: {error}")
                if part.process:
                    await asyncio.to_thread(part.process.kill)

    async def _stores_ready(self) -> None:
        """A role that starts while its Kafka or Postgres is away would only end again."""
        for store in self._stores:
            while True:
                if await asyncio.to_thread(store.ready):
                    break
                await asyncio.sleep(_POLL)

    async def _stop(self, part: Part, grace: float) -> None:
        process = part.process
        if process is None:
            return
        process.request_stop()
        if not await _ended(process, grace):
            self._report.problem(f"  {part.name} did not end in time: killed")
            await asyncio.to_thread(process.kill)
        forget(self._folder.run, part.name)
        self._report.line(part.name, "stopped")


async def _ended(process: Process, seconds: float) -> bool:
    """Whether the process ends within so many seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.pid is None:
            return True
        await asyncio.sleep(_POLL / 2)
    return False
