"""Kafka and Postgres of a data folder without any role, for as long as a command needs them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from infra.operate.command import data_given, say
from infra.operate.errors import CannotDo
from infra.operate.target import choose
from infra.settings import Settings, load
from infra.supervisor.folder import DataFolder
from infra.supervisor.leftovers import end_leftovers
from infra.supervisor.report import Report
from infra.supervisor.run import Supervisor
from infra.supervisor.up import Installation, settings_of


@asynccontextmanager
async def stores(data: Path) -> AsyncIterator[Settings]:
    """The settings of what runs on the folder, or of KLATSCH_KAFKA and KLATSCH_POSTGRES; else its stores are started.

    Raises CannotDo, and what ``klatsch up`` raises.
    """
    found, notice = choose(settings_of(data), os.environ, data, given=data_given())
    say(notice)
    if found is not None:
        yield found
        return
    if data_given() and (names := [name for name in ("KLATSCH_KAFKA", "KLATSCH_POSTGRES") if os.environ.get(name)]):
        raise CannotDo(
            f"expected one installation, got two: --data {data}, on which nothing runs, and {' and '.join(names)}; "
            "leave one of them away"
        )
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
