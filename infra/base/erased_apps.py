"""Which applications are erased, as the read models tell it to a process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from infra.base.postgres import Row, queries
from infra.base.progress import Invalidation, Progress

#: Executes a query: of a pool or a connection.
Fetch = Callable[[str], Awaitable[Sequence[Row]]]


class ErasedApps:
    """Asked before each turn; a query only after an application has changed. So a turn may be late by as long as news
    take: what a shard appends then, whoever folds the log passes over."""

    def __init__(self, fetch: Fetch, progress: Progress) -> None:
        self._fetch = fetch
        self._known = frozenset[str]()
        #: How often something has changed, and how often it had when it was read.
        self._changes, self._read = 1, 0
        progress.on_touch(self._touched)

    async def current(self) -> frozenset[str]:
        """Their ids. Raises what a query does."""
        while self._read != self._changes:
            before = self._changes
            rows = await self._fetch(queries("app_erasure")["all"])
            self._known, self._read = frozenset(row["id"] for row in rows), before
        return self._known

    def _touched(self, touched: Invalidation) -> None:
        if touched.all or touched.apps:
            self._changes += 1
