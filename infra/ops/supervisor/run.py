"""Starts the parts in order, keeps them running, and stops them in order."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from infra.base.disk import disks
from infra.base.settings import without_password
from infra.embedded.process import Process, ProcessError, how_ended, last_line
from infra.ops.supervisor.folder import DataFolder
from infra.ops.supervisor.leftovers import forget, remember
from infra.ops.supervisor.parts import KafkaPart, Part
from infra.ops.supervisor.report import StartReport

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
        report: StartReport,
        publish: Callable[[Sequence[Part]], None],
        floor: int,
    ) -> None:
        """``make_roles`` is called when the stores run and their addresses are known; ``publish`` receives the parts
        each time that one has been started. ``floor``: bytes that must be free on their disks."""
        self._folder = folder
        self._floor = floor
        self._stores = list(stores)
        self._make_roles = make_roles
        self._roles: list[Part] = []
        self._install = install
        self._report = report
        self._publish = publish
        #: One for each part that has been ready.
        self._keepers: list[asyncio.Task[None]] = []
        self._watching: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Returns when every part is ready, or waits for what it cannot make itself, as room on the disk.

        Raises ProcessError with the log of the one that is neither. A part that was ready is kept from then on: those
        that still start may need it.
        """
        # From the beginning: a full disk is why some do not get ready.
        self._watching = asyncio.create_task(self._watch_disks())
        await self._start_all(self._stores)
        await self._install()
        self._report.line("installed", "topics and schema")
        self._roles = list(self._make_roles())
        await self._start_all(self._roles)

    async def keep(self) -> None:
        """Keeps the parts that ``start`` has started; never returns."""
        assert self._watching is not None, "start comes first"
        await asyncio.gather(self._watching, *self._keepers)

    async def _watch_disks(self) -> None:
        """Warns when the room for data gets low, again when it is full, and says when there is room; never returns."""
        said: dict[str, str] = {}
        while True:
            for room in await asyncio.to_thread(disks, [self._folder.path, *self._homes()], self._floor):
                before, said[room.folder] = said.get(room.folder, "good"), room.state
                if room.state != before and room.state != "good":
                    self._report.problem(f"  {room.warning}")
                elif before == "full":
                    self._report.problem(f"  there is room on the disk of {room.folder} again: {room.text}")
            await asyncio.sleep(_DISK_SECONDS)

    def _homes(self) -> list[Path]:
        return [home for part in self._stores if (home := part.home) is not None]

    async def stop(self) -> None:
        """Roles first, then Kafka, then Postgres. Returns when no process is left."""
        for part in self._stores:
            if isinstance(part, KafkaPart):
                part.cancelled.set()
        tasks = [*self._keepers, *([self._watching] if self._watching else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
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
        waits = await self._wait_ready(part, process)
        self._publish([*self._stores, *self._roles])
        if waits:
            self._report.problem(f"  {part.name} waits for {waits}, then becomes ready by itself; the others continue")
        else:
            self._report.line(part.name, f"ready in {time.monotonic() - began:.1f} s", without_password(part.address))

    async def _wait_ready(self, part: Part, process: Process) -> str:
        """Waits as long as the process gives signs of life, and tells of it. Raises ProcessError.

        Returns what the part waits for where nothing can be done here (see Part.waits); empty: it is ready.
        """
        patience, told = process.patience(part.silent_seconds), 0.0
        while not await asyncio.to_thread(part.ready):
            process.check()
            if waits := await asyncio.to_thread(part.waits):
                return waits
            if await asyncio.to_thread(patience.spent):
                raise process.silence(patience, await asyncio.to_thread(part.awaited))
            if patience.waited - told >= part.tell_seconds:
                told = patience.waited
                self._report.line(part.name, f"starting, {told:.0f} s so far", last_line(process.log))
            # Each question costs the part something, and one that starts for long has nothing to spare.
            await asyncio.sleep(_POLL if patience.waited < _SOON else _POLL_SLOWLY)
        return ""

    async def _keep(self, part: Part) -> None:
        """Starts the part again each time that it ends; never returns."""
        backoff, started = _BACKOFF[0], time.monotonic()
        while True:
            if part.process:
                await _ended(part.process, math.inf)
            if time.monotonic() - started > _QUIET:
                backoff = _BACKOFF[0]
            part.ended = _how_ended(part.process)
            log = f", log {part.process.log}" if part.process else ""
            self._report.problem(f"  {part.name} {part.ended}{log}; starting it again in {backoff:.1f} s")
            await asyncio.sleep(backoff)
            if part in self._roles:
                await self._stores_ready()
            backoff, started = min(backoff * 2, _BACKOFF[1]), time.monotonic()
            part.restarts += 1
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


def _how_ended(process: Process | None) -> str:
    """``ended with exit code 1 at 2026-11-21T08:15:30Z``: ``status`` and the console read the time at its end."""
    if process is None:
        return ""
    return f"{how_ended(process.exit_code)} at {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"


async def _ended(process: Process, seconds: float) -> bool:
    """Whether the process ends within this many seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.pid is None:
            return True
        await asyncio.sleep(_POLL / 2)
    return False
