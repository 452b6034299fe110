"""How far the read models are: told by their projectors after each commit, asked for when nothing is heard."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from events.positions import Shard, Vector, encode_vector, parse_vector, reached
from infra.postgres import queries
from infra.settings import Settings

#: Name of the read models in ``positions`` and ``parked``.
READ_MODELS = "read_models"
#: Seconds without a notification until the table is asked.
ASK_SECONDS = 0.05


class ReadModelsBehind(Exception):
    """The read models did not reach a position in time; the text says which, and where they are."""


def positions_channel(settings: Settings) -> str:
    """Channel of vectors that the read models have reached: ``rooms/3/1235,users/0/17``."""
    return f"{settings.schema}_positions"


def parked_channel(settings: Settings) -> str:
    """Channel of the streams that were parked."""
    return f"{settings.schema}_parked"


def revoked_channel(settings: Settings) -> str:
    """Channel of the ids of sessions that were closed."""
    return f"{settings.schema}_revoked"


class Level:
    """The vector of the read models, kept up over one connection that has nothing else to do while somebody waits."""

    def __init__(self, connection: Any, settings: Settings) -> None:
        self.vector: Vector = {}
        self._connection = connection
        self._channel = positions_channel(settings)
        self._moved = asyncio.Event()
        self._asking = asyncio.Lock()

    async def start(self) -> None:
        """Listen, then ask once: nothing is missed between."""
        await self._connection.add_listener(self._channel, self._heard)
        await self._ask()

    async def wait(self, wanted: Mapping[Shard, int], seconds: float) -> None:
        """Until the read models include all events below ``wanted``. Raises ReadModelsBehind after ``seconds``."""
        deadline = asyncio.get_running_loop().time() + seconds
        while not reached(self.vector, wanted):
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                have = {shard: self.vector.get(shard, 0) for shard in wanted}
                raise ReadModelsBehind(
                    f"expected the read models at {encode_vector(wanted)} within {seconds:.1f} s, "
                    f"got {encode_vector(have)}; see klatsch_projector_lag_events and klatsch_parked_streams"
                )
            moved = self._moved
            try:
                async with asyncio.timeout(min(left, ASK_SECONDS)):
                    await moved.wait()
            except TimeoutError:
                await self._ask()

    async def _ask(self) -> None:
        async with self._asking:
            rows = await self._connection.fetch(queries("projectors")["read_positions"], READ_MODELS)
        self._take({Shard(row["topic"], row["partition"]): row["next_offset"] for row in rows})

    def _heard(self, connection: Any, pid: int, channel: str, payload: object) -> None:
        self._take(parse_vector(str(payload)))

    def _take(self, vector: Vector) -> None:
        # Notifications may come from several projectors; a shard never goes back.
        for shard, offset in vector.items():
            self.vector[shard] = max(offset, self.vector.get(shard, 0))
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()
