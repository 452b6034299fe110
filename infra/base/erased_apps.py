"""Which applications are erased, as the read models tell it to a process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from infra.base import away
from infra.base.postgres import Row, queries
from infra.base.progress import Invalidation, Progress

log = logging.getLogger(__name__)

#: Executes a query: of a pool or a connection.
Fetch = Callable[[str], Awaitable[Sequence[Row]]]


class ErasedApps:
    """Known in memory, and read again after an application has changed. A turn may be late by as long as news take:
    what a shard appends then, whoever folds the log passes over."""

    def __init__(self, fetch: Fetch, progress: Progress) -> None:
        self._fetch = fetch
        #: Their ids, as they were read last.
        self.known = frozenset[str]()
        #: How often something has changed, and how often it had when it was read.
        self._changes, self._read = 1, 0
        self._reading: asyncio.Task[None] | None = None
        progress.on_touch(self._touched)

    def refresh(self) -> None:
        """Begins to read what has changed, beside the work that asks: it does not wait, also while Postgres is away."""
        if self._read != self._changes and (self._reading is None or self._reading.done()):
            self._reading = asyncio.create_task(self._refresh(), name="erased applications")

    async def read(self) -> None:
        """Reads what has changed. Raises what a query does."""
        while self._read != self._changes:
            before = self._changes
            rows = await self._fetch(queries("app_erasure")["all"])
            self.known, self._read = frozenset(row["id"] for row in rows), before

    async def _refresh(self) -> None:
        try:
            await self.read()
        except away.POSTGRES as error:
            # Whoever asks next tries again.
            log.debug("which applications are erased is not known now: %r", error)

    def _touched(self, touched: Invalidation) -> None:
        if touched.all or touched.apps:
            self._changes += 1
