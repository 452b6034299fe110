"""Bringing a schema's tables up to a vector: one process's part of it, one shard after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from events.core.positions import Shard
from infra.base.postgres import Connection, queries
from infra.base.progress import READ_MODELS
from infra.base.settings import Settings
from projectors.core import parking
from projectors.core.passing import sift
from projectors.core.source import ResumeAt, places_of
from projectors.read_models import applying
from projectors.rebuild import fresh
from projectors.rebuild.folding import Folder
from projectors.rebuild.reading import ShardReader, Tally

#: Told after each piece: the shard and its next offset.
Told = Callable[[Shard, int], None]


def _quiet(shard: Shard, offset: int) -> None:
    """Nobody asks."""


class RebuildFollower:
    """A connection to the schema and a consumer; ``async with``."""

    def __init__(self, settings: Settings, schema: str, told: Told = _quiet, *, filling: bool = False) -> None:
        """``filling``: as of a Folder."""
        self._filling = filling
        self.settings = settings
        self.schema = schema
        #: Set while it is entered.
        self.connection: Connection
        self._reader = ShardReader(settings)
        self._told = told
        #: Applications whose events are passed over.
        self._erased = frozenset[str]()

    @property
    def tally(self) -> Tally:
        """What was read so far."""
        return self._reader.tally

    async def __aenter__(self) -> RebuildFollower:
        self.connection = await fresh.connect(self.settings, self.schema)
        try:
            marker = await fresh.marker(self.connection, self.schema)
            self._erased = frozenset(() if marker is None else marker.erased)
            await self._reader.start()
        except BaseException:
            self.connection.terminate()
            raise
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._reader.stop()
        self.connection.terminate()

    async def places(self) -> dict[Shard, ResumeAt]:
        """Where the tables are."""
        rows = await self.connection.fetch(queries("projectors")["read_positions"], READ_MODELS)
        return places_of(rows)

    async def ends(self, shards: list[Shard]) -> dict[Shard, int]:
        """The log's ends."""
        return await self._reader.ends(shards)

    async def reach(self, vector: Mapping[Shard, int]) -> None:
        """Folds each shard up to its offset, the longest first; those that are there already stay.

        Raises LogMismatch, KafkaError, PostgresError; what was stored until then stays, and is gone on from.
        """
        places = await self.places()
        todo = {shard: upto for shard, upto in vector.items() if places[shard].offset < upto}
        for shard in sorted(todo, key=lambda one: places[one].offset - todo[one]):
            await self._shard(shard, todo[shard])

    async def _shard(self, shard: Shard, upto: int) -> None:
        while True:
            place = (await self.places())[shard]
            parked = await parking.parked_streams(self.connection, READ_MODELS)
            skipped = {
                offset for at, offset in await parking.skipped_events(self.connection, READ_MODELS) if at == shard
            }
            folder = Folder(self.connection, self.schema, shard, place, parked, filling=self._filling)
            try:
                with fresh.room(self.schema):
                    await self._fold(folder, place, upto, skipped)
            except applying.PositionConflict:
                # A process of an earlier attempt had not ended yet: go on from what it has stored.
                continue
            self._told(shard, folder.place.offset)
            return

    async def _fold(self, folder: Folder, place: ResumeAt, upto: int, skipped: set[int]) -> None:
        async for batch in self._reader.read(folder.shard, place, upto, skipped):
            entries, passed = sift(batch.entries, self._erased) if self._erased else (batch.entries, Counter())
            folder.pass_over(passed)
            if await folder.take(entries, batch.places[folder.shard]):
                self._told(folder.shard, folder.place.offset)
        await folder.store()
