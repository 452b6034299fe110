"""Looks at the disks of an installation's data, and tells whether there is room for more."""

from __future__ import annotations

import asyncio
import logging

from prometheus_client import Gauge

from infra.base.disk import ENOUGH, Disk, disks, folders
from infra.base.settings import Settings

log = logging.getLogger(__name__)

#: Seconds between two looks at the disks.
LOOK_SECONDS = 1.0
FREE = Gauge("klatsch_disk_free_bytes", "Bytes that may still be stored on the disk of a folder of data", ["folder"])
TOTAL = Gauge("klatsch_disk_total_bytes", "Bytes of the disk of a folder of data", ["folder"])


class DiskWatch:
    """Looks at the disks of KLATSCH_DISKS, and knows whether there is room for more. Without any there always is."""

    def __init__(self, settings: Settings) -> None:
        self._folders = folders(settings)
        self._floor = settings.disk_floor
        self._task: asyncio.Task[None] | None = None
        #: As of the last look.
        self.disks: list[Disk] = []
        #: The one for whose sake nothing is taken in; None: there is room.
        self.full: Disk | None = None

    async def start(self) -> None:
        if self._folders:
            await self._look()
            self._task = asyncio.create_task(self._run(), name="disks")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self._look()

    async def _look(self) -> None:
        try:
            # In a thread: a file system of the network may not answer.
            found = await asyncio.to_thread(disks, self._folders, self._floor)
        except OSError as error:
            log.warning("room on the disks is not known: %r", error)
            found = []
        self.judge(found)

    def judge(self, found: list[Disk]) -> None:
        """Takes a look in. Pure but for the metrics."""
        for one in found:
            FREE.labels(one.folder).set(one.free)
            TOTAL.labels(one.folder).set(one.total)
        before = self.full
        lacking = [one for one in found if one.free < one.floor + (ENOUGH if before else 0)]
        self.disks, self.full = found, min(lacking, key=lambda one: one.free, default=None)
        if self.full is not None and before is None:
            log.error("%s", self.full.warning)
        elif self.full is None and before is not None:
            log.warning("there is room on the disk of %s again: commands are taken", before.folder)
