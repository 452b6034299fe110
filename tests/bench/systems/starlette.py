"""The plain baseline: Starlette, an INSERT into Postgres for each message, and a broadcast within the process."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import asyncpg
import psutil

from tests.bench.system import Way
from tests.bench.systems.program import Program
from tests.bench.systems.stores import Stores


class Starlette(Program):
    """What one writes in an afternoon: no log, no resuming, no second process."""

    name = "starlette"
    about = "baseline: Starlette on uvicorn, INSERT with asyncpg (a commit a message), broadcast within the process"
    ways: tuple[Way, ...] = ("rpc", "http")
    ordered = False

    def __init__(self, folder: Path, stores: Stores) -> None:
        super().__init__(folder)
        self._stores = stores
        self._schema = f"b{secrets.token_hex(5)}"

    async def command(self) -> Sequence[str | Path]:
        dsn = await self._stores.postgres()
        return [sys.executable, "-m", "tests.bench.systems.plain", str(self.port), dsn, self._schema]

    async def removed(self) -> None:
        connection = await asyncpg.connect(await self._stores.postgres())
        try:
            await connection.execute(f'drop schema if exists "{self._schema}" cascade')
        finally:
            await connection.close()

    def processes(self) -> Mapping[str, Sequence[psutil.Process]]:
        return {**super().processes(), **self._stores.processes("postgres")}
