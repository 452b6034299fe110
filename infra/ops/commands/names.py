"""Names of people and rooms for what operators read, from the read models where these answer."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import AsyncExitStack
from types import TracebackType

from infra.base import away, postgres
from infra.base.postgres import Connection, queries
from infra.base.settings import Settings

log = logging.getLogger(__name__)

#: Names that are remembered; beyond, all are asked for again.
_KNOWN = 100_000


class Names:
    """Ids as text for people; an id stays as it is where no name is known, or where Postgres is away."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._connection: Connection | None = None
        self._stack = AsyncExitStack()
        self._known: dict[str, str] = {}

    async def __aenter__(self) -> Names:
        try:
            self._connection = await postgres.connect(self._settings)
            self._stack.push_async_callback(self._connection.close, timeout=1)
        except away.POSTGRES as error:
            log.warning("names are not shown, as Postgres does not answer: %r", error)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def learn(self, ids: Iterable[str]) -> None:
        """Asks for the names of those that are not known yet."""
        if self._connection is None:
            return
        if len(self._known) > _KNOWN:
            self._known.clear()
        wanted = [id for id in dict.fromkeys(ids) if id not in self._known and "\x00" not in id]
        if not wanted:
            return
        try:
            rows = await self._connection.fetch(queries("operate")["names"], wanted)
        except away.POSTGRES as error:
            log.warning("names are not shown from here on: %r", error)
            self._connection = None
            return
        self._known.update(dict.fromkeys(wanted, ""))
        self._known.update({row["id"]: row["name"] for row in rows})

    def of(self, id: str) -> str:
        """``Ada Lovelace (ada)``, ``#Stars``, or the id."""
        return self._known.get(id) or id
