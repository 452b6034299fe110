"""Notes when somebody was seen last, once their last device has gone: a few at a time, through an injected command."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import ClassVar

from push import metrics
from push.presence.presence import Departure

_log = logging.getLogger("klatsch.push")

#: ``await note(user, moment in Unix milliseconds)``; raises when it was not done.
NoteSeen = Callable[[str, int], Awaitable[None]]

#: Departures that wait; beyond that they are dropped. A node that takes 20,000 users into the sea fills it.
_WAITING = 20_000
#: Commands under way at once, so that a mass departure leaves room for what people do.
_AT_ONCE = 4
_ATTEMPTS = 3
_RETRY_SECONDS = 1.0


class LastSeenWriter:
    """A queue and its workers."""

    #: As of a projectors.core.runner.Projector.
    effects: ClassVar[str] = "gives a command for each departure"

    def __init__(self, note: NoteSeen) -> None:
        self._note = note
        self._queue: asyncio.Queue[Departure] = asyncio.Queue(_WAITING)
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        self._tasks = [asyncio.create_task(self._work()) for _ in range(_AT_ONCE)]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def add(self, departure: Departure) -> None:
        """Note it soon, or drop it when too many wait."""
        try:
            self._queue.put_nowait(departure)
        except asyncio.QueueFull:
            metrics.SEEN.labels("dropped").inc()

    async def _work(self) -> None:
        while True:
            departure = await self._queue.get()
            outcome = "noted" if await self._try(departure) else "dropped"
            metrics.SEEN.labels(outcome).inc()

    async def _try(self, departure: Departure) -> bool:
        for attempt in range(_ATTEMPTS):
            try:
                await self._note(departure.user, departure.seen)
                return True
            except Exception as error:
                _log.warning("when user %s was last seen is not noted: %r", departure.user, error)
            await asyncio.sleep(_RETRY_SECONDS * (attempt + 1))
        return False
