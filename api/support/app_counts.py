"""How much an application has: counted in the read models now and then, with what this process has made since.

A count is read when it is first asked for, and again when it is old: after ``FRESH_SECONDS``, or after ``SHARE`` times
as long as the query took, so that counting takes 2 % of the time of one connection at most. In between, what this
process makes is added at once; what others make comes with the next reading. Only applications whose plan bounds
something are counted.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

from events.core.clock import first_id, from_datetime
from events.core.positions import Vector
from infra.base import away
from infra.base.postgres import Pool, queries
from infra.base.progress import Progress

log = logging.getLogger(__name__)

Counted = Literal["users", "rooms", "messages_day"]

#: Seconds for which a reading holds, while there is room; and where there is none.
FRESH_SECONDS, FULL_SECONDS = 1.0, 0.1
#: A reading holds this many times as long as it took.
SHARE = 50
#: Seconds that a reading waits for what this process has made.
_WAIT_SECONDS = 1.0
#: Counts that are kept; beyond it, all are read again.
COUNTS = 10_000
_DAY = 86_400


class AppCount:
    """One number of one application."""

    __slots__ = ("done", "held", "lock", "read", "reading", "took", "value", "vector")

    def __init__(self) -> None:
        #: As it was read; ``done`` here since that reading began, and what is ``held`` by calls under way.
        self.value = self.done = self.held = 0
        self.read, self.took = float("-inf"), 0.0
        #: Where the events of what was done stand.
        self.vector: Vector = {}
        self.lock = asyncio.Lock()
        self.reading: asyncio.Task[None] | None = None

    @property
    def used(self) -> int:
        return self.value + self.done + self.held

    def add(self, units: int, vector: Vector) -> None:
        """Units were made, by events at these positions."""
        self.done += units
        for shard, after in vector.items():
            self.vector[shard] = max(after, self.vector.get(shard, 0))


class AppCounts:
    """All counts of a process."""

    def __init__(
        self, pool: Pool, progress: Progress, *, clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._pool = pool
        self._progress = progress
        self._clock = clock
        self._wall = wall
        self._counts: dict[tuple[str, Counted, int], AppCount] = {}

    def day(self) -> tuple[int, int]:
        """The day (UTC) as a number, and the seconds until the next."""
        day, seconds = divmod(int(self._wall()), _DAY)
        return day, _DAY - seconds

    async def take(self, app: str, name: Counted, most: int, units: int = 1) -> tuple[AppCount, bool]:
        """The count, and whether it has room for ``units`` more: then they are held, until they are given back.

        Raises what a query raises, where the count was never read.
        """
        count = await self.get(app, name)
        if count.used + units > most:
            # Something may be gone since.
            await self._refresh(app, name, count, FULL_SECONDS)
        room = count.used + units <= most
        if room:
            count.held += units
        return count, room

    async def get(self, app: str, name: Counted) -> AppCount:
        """The count as it is known; an old one is read again beside."""
        place = (app, name, self.day()[0] if name == "messages_day" else 0)
        count = self._counts.get(place)
        if count is None:
            if len(self._counts) >= COUNTS:
                self._counts.clear()
            count = self._counts[place] = AppCount()
        if count.read == float("-inf"):
            await self._refresh(app, name, count, FULL_SECONDS)
        elif count.reading is None and self._old(count, FRESH_SECONDS):
            count.reading = asyncio.create_task(self._beside(app, name, count))
        return count

    def _old(self, count: AppCount, seconds: float) -> bool:
        return self._clock() - count.read > max(seconds, SHARE * count.took)

    async def _beside(self, app: str, name: Counted, count: AppCount) -> None:
        try:
            await self._refresh(app, name, count, FRESH_SECONDS)
        except away.PARTS as error:
            log.warning("%s of application %s are not counted anew: %r", name, app, error)
            count.read = self._clock()
        finally:
            count.reading = None

    async def _refresh(self, app: str, name: Counted, count: AppCount, seconds: float) -> None:
        async with count.lock:
            if not self._old(count, seconds):
                return
            # What was made here must be in the answer, or it would be counted no more.
            vector, count.vector, before = count.vector, {}, count.done
            if vector:
                await self._progress.wait(vector, _WAIT_SECONDS)
            began = self._clock()
            arguments = (app, self._first_of_day()) if name == "messages_day" else (app,)
            async with self._pool.acquire(timeout=5) as connection:
                value = await connection.fetchval(queries("plans")[f"count_{name}"], *arguments)
            count.value, count.done = value, count.done - before
            count.read = self._clock()
            count.took = count.read - began

    def _first_of_day(self) -> str:
        """What the ids (UUIDv7) of the day are not below."""
        return first_id(from_datetime(datetime.fromtimestamp(self.day()[0] * _DAY, UTC)))
