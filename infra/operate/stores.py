"""Kafka and Postgres of a data folder without any role, for as long as a command needs them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from infra.settings import Settings, load
from infra.supervisor.folder import DataFolder
from infra.supervisor.leftovers import end_leftovers
from infra.supervisor.report import Report
from infra.supervisor.run import Supervisor
from infra.supervisor.up import Installation, settings_of


@asynccontextmanager
async def stores(data: Path) -> AsyncIterator[Settings]:
    """The settings of what runs on the folder, or of KLATSCH_KAFKA and KLATSCH_POSTGRES; else its stores are started.

    Raises what ``klatsch up`` raises.
    """
    running = settings_of(data)
    if running is not None or ("KLATSCH_KAFKA" in os.environ and "KLATSCH_POSTGRES" in os.environ):
        yield running or load()
        return
    folder, report = DataFolder(data), Report()
    with folder.locked():
        await asyncio.to_thread(end_leftovers, folder.run, ("kafka", "postgres"))
        installation = Installation(folder, load().port, report)
        installation.check_ports()
        supervisor = Supervisor(
            folder, installation.stores, lambda: [], installation.install, report, installation.publish
        )
        try:
            await supervisor.start()
            yield installation.settings()
        finally:
            await supervisor.stop()
