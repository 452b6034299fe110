"""What people and rooms are called, for watchers of events: asked for together, remembered for a while."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Iterable
from time import monotonic
from typing import NamedTuple

from infra.base import away
from infra.base.postgres import Pool, queries

log = logging.getLogger(__name__)

#: Names that are remembered, and for how many seconds: a new name shows after that.
KNOWN, FRESH_SECONDS = 5000, 30.0
#: Seconds that Postgres gets; without it ids stand alone.
_SECONDS = 2.0


class _CachedName(NamedTuple):
    name: str
    until: float


class NameCache:
    """Names by id."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._known: OrderedDict[str, _CachedName] = OrderedDict()

    async def of(self, ids: Iterable[str]) -> dict[str, str]:
        """The names of those that have one; none at all while Postgres is away."""
        now = monotonic()
        wanted = {id for id in ids if id and "\x00" not in id}
        missing = [id for id in wanted if id not in self._known or self._known[id].until < now]
        if missing:
            try:
                async with self._pool.acquire(timeout=_SECONDS) as connection:
                    rows = await connection.fetch(queries("console")["tail_names"], missing, timeout=_SECONDS)
            except away.POSTGRES as error:
                log.warning("names are not shown: %r", error)
                return {}
            self._known.update(dict.fromkeys(missing, _CachedName("", now + FRESH_SECONDS)))
            self._known.update({row["id"]: _CachedName(row["name"] or "", now + FRESH_SECONDS) for row in rows})
        found = {id: self._known[id].name for id in wanted if self._known[id].name}
        while len(self._known) > KNOWN:
            self._known.popitem(last=False)
        return found
