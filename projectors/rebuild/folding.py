"""Folding one shard into the tables of a schema beside the live one: in memory, stored in large pieces.

A piece is one transaction: rows that are new by COPY, others by upsert, changes, and the shard's place. A piece with an
event that cannot be applied is applied again as the projector of the live rows does it, which parks that event.
"""

from __future__ import annotations

import logging
from collections import Counter
from typing import Any

from events.core.positions import Shard
from events.core.records import Key, Record
from events.registry import REGISTRY
from infra.base import months
from infra.base.postgres import Connection
from infra.base.progress import READ_MODELS
from infra.base.statements import run
from projectors.core import parking
from projectors.core.passing import Passed, note
from projectors.core.source import Entry, ResumeAt, entry_of
from projectors.read_models import applying, messages
from projectors.read_models.invalidations import Invalidations, by_place, spans
from projectors.rebuild import fresh
from projectors.rebuild.cache import PASSING, ROW_BYTES, RebuildCache
from projectors.rebuild.copying import CHANGES_LAYOUT, copy, encoded, layout, parts
from projectors.rebuild.fresh import LONG

log = logging.getLogger(__name__)

#: Events, and bytes of their values, after which a piece is stored.
PIECE_EVENTS, PIECE_BYTES = 20_000, 16 * 1024 * 1024


class Folder:
    """One shard. ``take`` its events in order, then ``store`` what is left."""

    def __init__(
        self,
        connection: Connection,
        schema: str,
        shard: Shard,
        place: ResumeAt,
        parked: set[str],
        *,
        filling: bool = False,
    ) -> None:
        """``place`` is where the tables are; ``parked`` are the streams that wait there.

        ``filling``: nobody reads the tables yet, and much is to come.
        """
        self._filling = filling
        self.place = place
        self.parked = parked
        self._connection = connection
        self._schema = schema
        self.shard = shard
        self._cache = RebuildCache(whole=place.offset == 0)
        self._months: set[str] = set()
        self._after = place
        self._clear()

    def _clear(self) -> None:
        #: Offset, key and value of what was taken; not what it says, which is large: its memory serves again at once.
        self._taken: list[tuple[int, str, bytes]] = []
        self._bytes = 0
        #: Rows of ``changes``.
        self._changes: list[bytes] = []
        self._aside: list[Entry] = []
        self._passed: Counter[tuple[str, str]] = Counter()
        self._behind = set(self.parked)
        self._failed = False

    def pass_over(self, passed: Passed) -> None:
        """Notes, with the next place, what was passed over before it."""
        self._passed.update(passed)

    async def take(self, entries: list[Entry], after: ResumeAt) -> bool:
        """Folds the entries; ``after`` is the place after them. Stores a piece that is large enough, and says so."""
        if self._cache.partial and not self._failed:
            await self._load(entries)
        self._taken += [(entry.offset, entry.stream, entry.value) for entry in entries]
        self._bytes += sum(len(entry.value) for entry in entries)
        # The rest of a piece that has failed is only kept.
        if not self._failed:
            self._fold(entries)
        self._after = after
        if len(self._taken) < PIECE_EVENTS and self._bytes < PIECE_BYTES:
            return False
        await self.store()
        return True

    async def _load(self, entries: list[Entry]) -> None:
        """Loads what the entries' folds may read and is not here."""
        wanted: set[Key] = set()
        # Nothing but the message that such an event makes may be unknown.
        known = messages.MADE if self._cache.partial <= PASSING else {}
        for entry in entries:
            if entry.record is not None and entry.record.type not in known:
                try:
                    names = REGISTRY.keys(entry.record)
                # What is wrong with the event, its fold finds out.
                except Exception:
                    continue
                made = messages.MADE.get(entry.record.type)
                wanted.update(key for key in names if key[0] != made and not self._cache.has(key))
        if wanted:
            self._cache.add(await messages.load(self._connection, wanted))

    def _fold(self, entries: list[Entry]) -> None:
        cache, behind, types = self._cache, self._behind, REGISTRY.events
        folded: list[Record] = []
        try:
            for entry in entries:
                record = entry.record
                if record is None or entry.stream in behind:
                    self._leave(entry)
                    continue
                cache.update(types[record.type].fold(record, cache))
                folded.append(record)
            self._changes.append(encoded(CHANGES_LAYOUT, folded))
        # NotLoaded, or whatever is made of a bad event: the projector's own way finds out.
        except Exception:
            self._failed = True

    def _leave(self, entry: Entry) -> None:
        """An event that cannot be read waits, and so does what comes after it in its stream."""
        if not entry.unknown:
            self._behind.add(entry.stream)
            self._aside.append(entry)

    async def store(self) -> None:
        """Stores what was folded since the last time, with the place after it. Raises Outrun, and PostgresError."""
        if self._after == self.place:
            return
        sizes: list[tuple[str, int]] = []
        if not self._failed:
            try:
                sizes = await self._store()
            except applying.DATA_ERRORS:
                self._failed = True
        if self._failed:
            log.info("%s: events %d to %d are applied one by one", self.shard, self.place.offset, self._after.offset)
            await self._apply()
            self._cache.forget()
        else:
            self.parked |= self._behind
        self.place = self._after
        self._clear()
        self._cache.grown(sizes)

    async def _store(self) -> list[tuple[str, int]]:
        """The fast way: returns how many bytes of rows of which kinds it added."""
        connection = self._connection
        changed, made = self._cache.settle()
        sizes = [(key[0], ROW_BYTES) for key in changed if key[0] in PASSING]
        said = by_place(made.pop("message", []))
        tables = await self._tables({month for _, month in said})
        async with connection.transaction():
            await applying.move(connection, {self.shard: self.place}, {self.shard: self._after})
            await messages.store(connection, changed)
            for month, table in tables.items():
                found = [message for place, group in said.items() if place[1] == month for message in group]
                sizes.append(await self._copy("message", found, table))
            for kind, entities in made.items():
                sizes.append(await self._copy(kind, entities))
            await run(connection, list(spans(said)))
            await copy(connection, CHANGES_LAYOUT, self._changes, LONG)
            await note(connection, self._passed)
            aside = set(self.parked)
            for entry in self._aside:
                await parking.park(connection, READ_MODELS, entry, entry.error, aside)
        return sizes

    async def _copy(self, kind: str, entities: list[Any], table: str = "") -> tuple[str, int]:
        rows = parts(layout(kind), entities)
        await copy(self._connection, layout(kind), rows, LONG, table)
        return kind, sum(map(len, rows))

    async def _tables(self, wanted: set[str]) -> dict[str, str]:
        """Where messages of these months go; makes missing months."""
        await self._ensure(wanted)
        apart = await months.archived(self._connection, wanted)
        return {month: months.table_of(month) if month in apart else layout("message").table for month in wanted}

    async def _ensure(self, wanted: set[str]) -> None:
        if not wanted <= self._months:
            self._months = await months.ensure(self._connection, self._schema, wanted)
            if self._filling:
                await fresh.leave_alone(self._connection, self._schema)

    async def _apply(self) -> None:
        """The projector's way."""
        entries = [entry_of(self.shard, offset, key.encode(), value) for offset, key, value in self._taken]
        records: list[Record] = [entry.record for entry in entries if entry.record is not None]
        await self._ensure(messages.needed(records))
        parked = set(self.parked)
        async with self._connection.transaction():
            await applying.move(self._connection, {self.shard: self.place}, {self.shard: self._after})
            await note(self._connection, self._passed)
            for start in range(0, len(entries), 2000):
                await applying.apply(self._connection, entries[start : start + 2000], parked, Invalidations())
        self.parked |= parked
