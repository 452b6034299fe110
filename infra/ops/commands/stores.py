"""Kafka and Postgres of a data folder without any role, for as long as a command needs them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from infra.base.settings import Settings, load
from infra.ops.commands.command import data_given, say
from infra.ops.commands.errors import CannotDo
from infra.ops.commands.target import choose
from infra.ops.supervisor.folder import DataFolder
from infra.ops.supervisor.leftovers import end_leftovers
from infra.ops.supervisor.report import StartReport
from infra.ops.supervisor.run import Supervisor
from infra.ops.supervisor.up import Installation, settings_of


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
            "leave one of them out"
        )
    folder, report = DataFolder(data), StartReport()
    with folder.locked():
        await asyncio.to_thread(end_leftovers, folder.run, ("kafka", "postgres"))
        settings = load()
        installation = Installation(folder, settings.port, report)
        installation.check_ports()
        supervisor = Supervisor(
            folder, installation.stores, lambda: [], installation.install, report, installation.publish,
            settings.disk_floor,
        )  # fmt: skip
        try:
            await supervisor.start()
            yield installation.settings()
        finally:
            await supervisor.stop()
