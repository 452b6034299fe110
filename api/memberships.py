"""Who was in which room when, and with whom: what push must know to deliver what large rooms hear, and signals."""

from __future__ import annotations

from api.calls import Services
from api.problems import Problem
from events.feed import Stay
from events.positions import Vector
from infra.postgres import queries
from push.gathering import Surroundings

#: Seconds that a connection waits for the read models. Meanwhile it stands, and what it misses waits in the feed.
_SECONDS = 30.0


class Memberships:
    """Implements push.hub.Memberships."""

    def __init__(self, services: Services) -> None:
        self._services = services
        #: The log's heads at the first question: above all that was fed before this node began to read.
        self._before: Vector | None = None

    async def __call__(self, user: str, vector: Vector) -> tuple[dict[str, list[Stay]], Surroundings]:
        """See push.hub.Memberships. Raises Problem ``lagging`` or ``unavailable``."""
        if self._before is None:
            self._before = await self._services.feed.heads()
        wanted = {shard: max(offset, vector.get(shard, 0)) for shard, offset in self._before.items()}
        if not await self._services.progress.wait(wanted, _SECONDS):
            raise Problem("lagging", f"the read models have not reached the feed within {_SECONDS} s", retry_after=2)
        stays: dict[str, list[Stay]] = {}
        sizes: dict[str, int] = {}
        async with self._services.pool.acquire(timeout=5) as connection:
            for row in await connection.fetch(queries("memberships")["stays"], user):
                stays.setdefault(row["room"], []).append((row["since"], row["until"]))
                if row["members"] is not None:
                    sizes[row["room"]] = row["members"]
            blocks = await connection.fetch(queries("memberships")["blocks"], user)
        mine = [row["other"] for row in blocks if row["user"] == user]
        theirs = [row["user"] for row in blocks if row["user"] != user]
        return stays, Surroundings(sizes, mine, theirs)
