"""Counts usage from batches of records, in Postgres. Without Faust.

What is counted and up to where is one transaction, so whoever reads a record again passes over it: Faust's own commits
only tell its health.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar, TypeVar

from infra.base import away, postgres
from infra.base.postgres import Connection
from infra.base.settings import Settings
from projectors.core.runner import FIRST_PAUSE, LAST_PAUSE, SESSION, close
from projectors.usage import storing
from projectors.usage.storing import UsageRecord

log = logging.getLogger(__name__)

T = TypeVar("T")

#: What ``UsageWorker.waits`` is while Postgres does not answer.
POSTGRES = "Postgres"


class UsageWorker:
    """One connection to Postgres, made again as often as it breaks."""

    #: As of a Projector: it writes tables of its own.
    effects: ClassVar[str] = ""
    #: As of Work.
    needs: ClassVar[str] = "tables"

    def __init__(self, settings: Settings) -> None:
        self.waits = ""
        self.failure: Exception | None = None
        self.prepared = False
        self._settings = settings
        self._connection: Connection | None = None
        # Faust asks for places while the agent counts.
        self._turn = asyncio.Lock()

    async def start(self) -> None:
        """Until Postgres has the tables, with a place for every shard. Raises SchemaMismatch."""
        await self._asked(lambda connection: storing.init(connection, storing.shards(self._settings)))
        self.prepared = True

    async def stop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await close(connection)

    async def count(self, records: Sequence[UsageRecord]) -> None:
        """Counts records, as soon as Postgres lets it. Raises LogGap and SchemaMismatch, which it notes as failure."""
        try:
            await self._asked(lambda connection: storing.count(connection, records))
        except Exception as error:
            self.failure = error
            raise

    async def places(self) -> dict[tuple[str, int], int]:
        """The next offset of each shard, by logical topic and partition. Raises as ``count`` does."""
        found = await self._asked(storing.places)
        return {(shard.topic, shard.partition): place.offset for shard, place in found.items()}

    async def _asked(self, ask: Callable[[Connection], Awaitable[T]]) -> T:
        """What Postgres answers; while it is away, again and again: each question may be asked twice."""
        pause = FIRST_PAUSE
        async with self._turn:
            while True:
                try:
                    if self._connection is None:
                        connection = await postgres.connect(self._settings, **SESSION)
                        self._connection = connection
                        # While it stands, nobody changes the tables.
                        await postgres.share(connection, self._settings)
                    found = await ask(self._connection)
                except away.POSTGRES as error:
                    if not self.waits:
                        log.warning("usage: %s; trying again", away.words(error, "postgres"))
                    self.waits = POSTGRES
                    await self.stop()
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, LAST_PAUSE)
                else:
                    if self.waits:
                        log.warning("usage: Postgres answers again")
                    self.waits = ""
                    return found
