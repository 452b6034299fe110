"""Who was in which room when, and with whom: what push must know to deliver deltas of large rooms, and signals."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable

from api.core.calls import Services
from api.support.problems import Problem
from events.core.feed import Stay
from events.core.positions import Vector
from infra.base.postgres import Row, queries
from push.presence.presence_hub import Surroundings

#: Seconds that a connection waits for the read models. Meanwhile it stands, and what it misses waits in the feed.
_SECONDS = 30.0
#: Users of one query.
_TOGETHER = 200


#: Stays by room, and with whom.
_Told = tuple[dict[str, list[Stay]], Surroundings]


class Memberships:
    """Implements push.delivery.hub.MembershipsSource. When all clients come back at once, one query answers for
    many."""

    def __init__(self, services: Services) -> None:
        self._services = services
        #: The log's heads at the first question: above all that was fed before this node began to read.
        self._before: Vector | None = None
        #: Who waits for the next query.
        self._waiting: list[tuple[str, asyncio.Future[_Told]]] = []
        self._asking: asyncio.Task[None] | None = None

    async def __call__(self, user: str, vector: Vector) -> _Told:
        """See push.delivery.hub.MembershipsSource. Raises Problem ``lagging`` or ``unavailable``, and what Postgres
        raises."""
        if self._before is None:
            self._before = await self._services.feed.heads()
        wanted = {shard: max(offset, vector.get(shard, 0)) for shard, offset in self._before.items()}
        if not await self._services.progress.wait(wanted, _SECONDS):
            raise Problem("lagging", f"the read models have not reached the feed within {_SECONDS} s", retry_after=2)
        future: asyncio.Future[_Told] = asyncio.get_running_loop().create_future()
        self._waiting.append((user, future))
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._answer())
        return await future

    async def _answer(self) -> None:
        """Asks for all who wait. Who comes while a query is under way is asked for by the next one, which sees more."""
        while self._waiting:
            asked, self._waiting = self._waiting[:_TOGETHER], self._waiting[_TOGETHER:]
            try:
                stays, blocks = await self._ask(list({user for user, _ in asked}))
            except Exception as error:
                for _, future in asked:
                    if not future.done():
                        future.set_exception(error)
                continue
            for user, future in asked:
                if not future.done():
                    future.set_result(_told(stays.get(user, ()), blocks.get(user, ())))

    async def _ask(self, users: Collection[str]) -> tuple[dict[str, list[Row]], dict[str, list[Row]]]:
        """Rows of stays, and of blocks, by user."""
        async with self._services.pool.acquire(timeout=5) as connection:
            stays = await connection.fetch(queries("memberships")["stays"], users)
            blocks = await connection.fetch(queries("memberships")["blocks"], users)
        return _by_user(stays), _by_user(blocks)


def _by_user(rows: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["user"], []).append(row)
    return found


def _told(stays: Iterable[Row], blocks: Collection[Row]) -> _Told:
    rooms: dict[str, list[Stay]] = {}
    sizes: dict[str, int] = {}
    unwilling: set[str] = set()
    for row in stays:
        rooms.setdefault(row["room"], []).append((row["since"], row["until"]))
        if row["members"] is not None:
            sizes[row["room"]] = row["members"]
        if row["willing"] is False:
            unwilling.add(row["room"])
    mine = [row["other"] for row in blocks if row["own"]]
    theirs = [row["other"] for row in blocks if not row["own"]]
    return rooms, Surroundings(sizes, mine, theirs, unwilling)
