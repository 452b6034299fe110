"""Which users applications have, as far as their tokens ask: kept in memory until one has changed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Literal, NamedTuple

from events.core.clock import to_datetime
from events.users import Account
from infra.base import away
from infra.base.postgres import Pool, Row, queries
from infra.base.progress import Invalidation, Progress

#: Users that are kept, those used last: some 10 MB.
USERS = 50_000
#: Users of one query.
_TOGETHER = 1000


class AppUser(NamedTuple):
    """What is kept of a user."""

    app: str
    account: Account
    #: Tokens issued before this are void, in Unix seconds; 0: none is.
    tokens_before: float
    #: Id of their team; None: in none.
    team: str | None
    #: Why they are not in use; who is erased is deactivated too.
    gone: Literal["deactivated", "erased"] | None


class AppUsers:
    """Users in use, by application and id. Nothing is kept while news of changes do not come."""

    def __init__(self, pool: Pool, progress: Progress, *, most: int = USERS) -> None:
        self._pool = pool
        self._progress = progress
        self._most = most
        self._known: OrderedDict[str, AppUser] = OrderedDict()
        #: How often something has changed: what was read before is not kept after.
        self._changes = 0
        progress.on_touch(self._touched)

    async def get_known(self, app: str, user: str) -> AppUser | None:
        """The same as ``get``; while Postgres is away, as they were known last."""
        try:
            return await self.get(app, user)
        except away.POSTGRES:
            found = self._known.get(user)
            if found is None or found.app != app or self._progress.fresh:
                raise
            return found

    async def get(self, app: str, user: str) -> AppUser | None:
        """A user of an application; None for one whom it has not, or who is deactivated."""
        found = await self.look(app, user)
        return found if found is not None and found.gone is None else None

    async def look(self, app: str, user: str) -> AppUser | None:
        """A user of an application, also one who is deactivated or erased; None for one whom it has not."""
        known = self._known.get(user) if self._progress.fresh else None
        if known is not None:
            self._known.move_to_end(user)
            return known if known.app == app else None
        before = self._changes
        async with self._pool.acquire(timeout=5) as connection:
            row = await connection.fetchrow(queries("users")["registered"], user, app)
        found = None if row is None else _user(row)
        if found is not None and found.gone is None and before == self._changes and self._progress.fresh:
            self._known[user] = found
            if len(self._known) > self._most:
                self._known.popitem(last=False)
        return found

    async def fetch(self, users: Sequence[str]) -> None:
        """Keeps those of some users who are in use, so that ``get`` asks for none of them by itself."""
        before = self._changes
        for start in range(0, len(users), _TOGETHER):
            async with self._pool.acquire(timeout=5) as connection:
                rows = await connection.fetch(queries("users")["accounts"], users[start : start + _TOGETHER])
            if before != self._changes or not self._progress.fresh:
                return
            self._known.update((row["id"], _user(row)) for row in rows)
        while len(self._known) > self._most:
            self._known.popitem(last=False)

    def _touched(self, touched: Invalidation) -> None:
        if touched.all:
            self._known.clear()
        for user in touched.users:
            self._known.pop(user, None)
        if touched.all or touched.users:
            self._changes += 1


def _user(row: Row) -> AppUser:
    before = row["tokens_before"]
    voided = 0.0 if before is None else to_datetime(before).timestamp()
    gone: Literal["deactivated", "erased"] | None = None
    if row["deactivated"] is not None:
        gone = "deactivated" if row["erased"] is None else "erased"
    return AppUser(row["app"], row["account"], voided, row["team"], gone)
