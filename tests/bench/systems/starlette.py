"""The plain baseline: Starlette, an INSERT into Postgres for each message, and a broadcast within the process."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from tests.bench.system import Way
from tests.bench.systems.inserting import Inserting


class Starlette(Inserting):
    """What one writes in an afternoon: no log, no resuming, no second process."""

    name = "starlette"
    about = "baseline: Starlette on uvicorn, INSERT with asyncpg (a commit a message), broadcast within the process"
    ways: tuple[Way, ...] = ("rpc", "http")

    async def command(self) -> Sequence[str | Path]:
        dsn = await self._stores.postgres()
        return [sys.executable, "-m", "tests.bench.systems.plain", str(self.port), dsn, self._schema]
