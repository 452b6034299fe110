"""What baselines share that keep messages in a Postgres: a schema of their own in it, which goes with them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

import asyncpg
import psutil

from tests.bench.systems.program import Program
from tests.bench.systems.stores import Stores


class Inserting(Program):
    """Subclasses give ``self._schema`` to the program, which makes it."""

    ordered = False

    def __init__(self, folder: Path, stores: Stores) -> None:
        super().__init__(folder)
        self._stores = stores
        self._schema = f"b{secrets.token_hex(5)}"

    async def removed(self) -> None:
        if self._process is None:
            return
        connection = await asyncpg.connect(await self._stores.postgres())
        try:
            await connection.execute(f'drop schema if exists "{self._schema}" cascade')
        finally:
            await connection.close()

    def processes(self) -> Mapping[str, Sequence[psutil.Process]]:
        return {**super().processes(), **self._stores.processes("postgres")}
