"""Which plan each application has: kept in memory until the read models tell that one has changed.

Every call with a token asks here what its application may do, so that it costs no query.
"""

from __future__ import annotations

from typing import NamedTuple

from events.plans import NO_LIMITS, Plan, PlanLimits, limits_of
from infra.base import away
from infra.base.postgres import Pool, queries
from infra.base.progress import Invalidation, Progress
from infra.base.rows import from_row

#: Applications whose plan is kept; beyond it, all are asked for again.
APPS = 10_000


class HeldPlan(NamedTuple):
    """What an application may do."""

    #: None: it has no plan.
    plan: Plan | None
    limits: PlanLimits


#: Shared by all that have no plan.
NO_PLAN = HeldPlan(None, NO_LIMITS)


class Plans:
    """Plans by application; empty, and unused, while news of changes do not come."""

    def __init__(self, pool: Pool, progress: Progress, *, most: int = APPS) -> None:
        self._pool = pool
        self._progress = progress
        self._most = most
        self._held: dict[str, HeldPlan] = {}
        #: Those of which it was last read that their plan bounds connections.
        self._bounded: set[str] = set()
        #: How often something has changed: what was read before is not kept after.
        self._changes = 0
        progress.on_touch(self._touched)

    def __len__(self) -> int:
        return len(self._held)

    async def of(self, app: str) -> HeldPlan:
        """The plan of an application, and its limits; without a query once it is known.

        While Postgres is away, the one that was known last, or none: calls go on that need it for nothing else.
        """
        held = self._held.get(app)
        if held is not None and self._progress.fresh:
            return held
        try:
            return await self._read(app)
        except away.POSTGRES:
            if self._progress.fresh:
                raise
            return held or NO_PLAN

    def bounded(self, app: str) -> bool:
        """Whether the application is known to have a plan that bounds its connections."""
        return app in self._bounded

    async def _read(self, app: str) -> HeldPlan:
        before = self._changes
        async with self._pool.acquire(timeout=5) as connection:
            row = await connection.fetchrow(queries("plans")["of_app"], app)
        plan = None if row is None else from_row(Plan, row)
        held = NO_PLAN if plan is None else HeldPlan(plan, limits_of(plan.limits))
        (self._bounded.discard if held.limits.connections is None else self._bounded.add)(app)
        if before == self._changes and self._progress.fresh:
            if len(self._held) >= self._most:
                self._held.clear()
            self._held[app] = held
        return held

    def _touched(self, touched: Invalidation) -> None:
        if touched.all or touched.plans:
            # Plans change seldom.
            self._held.clear()
        for app in touched.apps:
            self._held.pop(app, None)
        if touched.all or touched.plans or touched.apps:
            self._changes += 1
