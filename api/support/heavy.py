"""Heavy reads: how many of them hold connections to Postgres at once, in a process and for one user."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from api.support.problems import Problem
from infra.base.settings import Settings


class Heavy:
    """Turns for heavy reads, first come, first served; nobody has more than a few, however many they ask for."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._all = asyncio.Semaphore(settings.heavy_reads)
        self._own: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    @asynccontextmanager
    async def turn(self, user: str) -> AsyncIterator[None]:
        """A turn for the length of the block.

        Raises Problem ``rate_limited`` where the user's own reads take too long, ``overloaded`` where all do.
        """
        settings = self._settings
        own = self._own.get(user)
        if own is None:
            own = self._own[user] = asyncio.Semaphore(settings.heavy_reads_user)
        until = asyncio.get_running_loop().time() + settings.heavy_seconds
        if not await _acquired(own, until):
            raise Problem(
                "rate_limited",
                f"expected at most {settings.heavy_reads_user} reads of this kind of one user at once, got more,"
                f" and none ended within {settings.heavy_seconds:g} s; wait for the answers to those before",
                retry_after=1,
            )
        try:
            if not await _acquired(self._all, until):
                raise Problem(
                    "overloaded",
                    f"expected at most {settings.heavy_reads} reads of this kind at once, got more, and none ended"
                    f" within {settings.heavy_seconds:g} s; try again",
                    retry_after=1,
                )
            try:
                yield
            finally:
                self._all.release()
        finally:
            own.release()


async def _acquired(semaphore: asyncio.Semaphore, until: float) -> bool:
    try:
        async with asyncio.timeout_at(until):
            await semaphore.acquire()
    except TimeoutError:
        return False
    return True
