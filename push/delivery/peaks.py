"""Tells once an hour how many connections each application had to this node at most; between, it costs nothing."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from push.delivery.peers import Peers

_log = logging.getLogger("klatsch.push")

#: How long a window is: the shortest that usage is counted in.
HOUR = timedelta(hours=1)
#: Seconds after the hour within which the nodes tell, each at another time.
SPREAD_SECONDS = 30.0
#: Seconds until what could not be told is tried again.
AGAIN_SECONDS = 60.0
#: Peaks that wait to be told; beyond that the oldest are dropped: a day of a hundred applications.
_WAITING = 2400
#: Seconds that an orderly stop takes at most for the running hour.
STOP_SECONDS = 2.0


class Peak(NamedTuple):
    """The most connections of an application in an hour."""

    app: str
    since: datetime
    value: int


#: ``await tell(peak)``; raises when it is not certain that it was noted, and is then asked again for the same.
TellPeak = Callable[[Peak], Awaitable[None]]


def _now() -> datetime:
    return datetime.now(UTC)


def hour_of(moment: datetime) -> datetime:
    """Where the hour of a time begins."""
    return moment.replace(minute=0, second=0, microsecond=0)


class PeakWriter:
    """Takes the peaks at each full hour. A node that is killed loses those of the running hour, and no others that were
    told."""

    def __init__(self, peers: Peers, tell: TellPeak, clock: Callable[[], datetime] = _now) -> None:
        self._peers = peers
        self._tell = tell
        self._clock = clock
        self._window = hour_of(clock())
        self._waiting: list[Peak] = []
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="peaks")

    async def stop(self) -> None:
        """Tells of the running hour too: the connections have ended."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self.take()
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                await self.flush()

    async def _run(self) -> None:
        while True:
            left = (self._window + HOUR - self._clock()).total_seconds()
            # A clock that was set back does not keep it from looking.
            await asyncio.sleep(min(max(left, 0.0), HOUR.total_seconds()))
            if self._clock() < self._window + HOUR:
                continue
            self.take()
            await asyncio.sleep(random.uniform(0, SPREAD_SECONDS))
            while not await self.flush():
                await asyncio.sleep(AGAIN_SECONDS)
                if self._clock() >= self._window + HOUR:
                    break

    def take(self) -> None:
        """Ends the running window."""
        peaks = self._peers.take_peaks()
        self._waiting += [Peak(app, self._window, value) for app, value in sorted(peaks.items()) if value]
        if len(self._waiting) > _WAITING:
            _log.warning("usage: %d peaks of connections are dropped untold", len(self._waiting) - _WAITING)
            del self._waiting[:-_WAITING]
        self._window = hour_of(self._clock())

    async def flush(self) -> bool:
        """Tells what waits; whether nothing is left."""
        while self._waiting:
            try:
                await self._tell(self._waiting[0])
            except Exception as error:
                _log.warning("usage: the peak of %s is not told yet: %r", self._waiting[0].app, error)
                return False
            self._waiting.pop(0)
        return True
