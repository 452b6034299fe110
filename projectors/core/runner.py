"""What all projectors have in common: sessions that start from what is stored, and start again when they break."""

from __future__ import annotations

import asyncio
import logging
import time
from abc import ABC, abstractmethod
from typing import Any, ClassVar

from infra.base import away
from infra.base.postgres import Connection
from infra.base.settings import Settings
from projectors.core import metrics
from projectors.core.pace import Pace
from projectors.core.source import LogMismatch

log = logging.getLogger(__name__)

#: Seconds until the next session after one that broke at once, doubled each time up to the last.
FIRST_PAUSE, LAST_PAUSE = 0.1, 5.0
#: Seconds after which a session counts as having worked.
GOOD_SECONDS = 10.0
#: Seconds between two attempts to take over what another instance holds: a take-over within a second.
CLAIM_SECONDS = 0.3


#: Session settings of a projector's connection. Arrays of unknown length would get generic plans; and the server has to
#: notice within some seconds that a machine is gone without a word, as the locks are free only then.
SESSION = {
    "plan_cache_mode": "force_custom_plan",
    "tcp_keepalives_idle": "3",
    "tcp_keepalives_interval": "1",
    "tcp_keepalives_count": "3",
}


class Projector(ABC):
    """A consumer of the log that anyone may stop, kill or start again at any time.

    A session holds all that may break: connections, positions, caches. Whatever breaks, the next session reads its
    position again from where it is stored; nothing is carried over.
    """

    name: ClassVar[str]
    #: What it does outside of the read models, and would do again for every event that is replayed; empty: nothing.
    #: What replays the log imports none of those that do something (docs/decisions/0019).
    effects: ClassVar[str]

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._state = "stopped"
        self._error: str | None = None
        self._stopping = asyncio.Event()
        self._ended = asyncio.Event()
        self._ended.set()

    @abstractmethod
    async def session(self) -> None:
        """Work until ``stopping``; leaves nothing open. May raise anything."""

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    async def run(self) -> None:
        """Work until ``stop`` or cancelled. Raises LogMismatch when this log is not the one that was read before."""
        self._ended.clear()
        pause = FIRST_PAUSE
        try:
            while not self.stopping:
                started = time.monotonic()
                try:
                    self._state = "starting"
                    await self.session()
                except LogMismatch as error:
                    self._error = str(error)
                    raise
                # Kafka, Postgres or our own fault: the cure is the same, and health and log tell which.
                except Exception as error:
                    self._error = away.words(error)
                    metrics.RESTARTS.labels(self.name).inc()
                    if time.monotonic() - started > GOOD_SECONDS:
                        pause = FIRST_PAUSE
                    log.warning("%s: session ended: %s; next in %.1f s", self.name, self._error, pause)
                    self._state = "waiting"
                    await self.pause(pause)
                    pause = min(2 * pause, LAST_PAUSE)
        finally:
            self._state = "stopped"
            self._ended.set()
            self._stopping.clear()

    async def stop(self) -> None:
        """Ask ``run`` to end, and wait until it has. Before ``run`` it makes that end at once."""
        self._stopping.set()
        await self._ended.wait()

    async def pause(self, seconds: float) -> None:
        """Wait, but not beyond ``stop``."""
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return

    async def rest(self, pace: Pace) -> bool:
        """Lets events gather while small turns come one after the other; whether it did."""
        left = pace.rest(time.monotonic())
        if left > 0:
            await self.pause(left)
        return left > 0

    def working(self, state: str = "running") -> None:
        """The session works: ``running``, or ``standby`` while another instance does."""
        self._state = state
        self._error = None

    def health(self) -> dict[str, Any]:
        """For ``/readyz``: ``{"projector", "healthy", "state", "error", "lag": {"rooms/3": 17}}``."""
        return {
            "projector": self.name,
            "healthy": self._state in ("running", "standby"),
            "state": self._state,
            "error": self._error,
            "lag": {str(shard): lag for shard, lag in self.lag().items() if lag},
        }

    @abstractmethod
    def lag(self) -> dict[Any, int]:
        """Records to go, by shard, as far as known."""


async def close(connection: Connection) -> None:
    """Close a projector's connection, and give its locks back, within a second."""
    try:
        await connection.close(timeout=1)
    except away.POSTGRES:
        # Broken or frozen: the server drops it when it notices.
        connection.terminate()
