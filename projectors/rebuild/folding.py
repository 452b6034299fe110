"""Folding one shard into the tables of a schema beside the live one: in memory, stored in large pieces.

A piece is one transaction: rows that are new by COPY, others by upsert, changes, and the shard's place. A piece with an
event that cannot be applied is applied again as the projector of the live rows does it, which parks that event.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from events import REGISTRY
from events.messages import Message
from events.positions import Shard
from events.records import Entity, Key, Record
from infra import months
from infra.progress import READ_MODELS
from projectors import applying, messages, parking
from projectors.rebuild.cache import Cache
from projectors.rebuild.fresh import LONG
from projectors.rebuild.lines import CHANGES, change, copy, lines
from projectors.source import Entry, Place
from projectors.touched import Noted, note_spans

log = logging.getLogger(__name__)

#: Events, and bytes of their values, after which a piece is stored.
PIECE_EVENTS, PIECE_BYTES = 10_000, 16 * 1024 * 1024

#: What the fold of these events makes, whatever there was before: not worth a look into the table. Should it be there
#: after all, the piece is applied again row by row.
MADE: dict[str, str] = {
    "message.posted": "message",
    "member.joined": "message",
    "member.left": "message",
    "member.role_changed": "message",
}


class Folder:
    """One shard. ``take`` its events in order, then ``store`` what is left."""

    def __init__(self, connection: Any, schema: str, shard: Shard, place: Place, parked: set[str]) -> None:
        """``place`` is where the tables are; ``parked`` are the streams that wait there."""
        self.place = place
        self.parked = parked
        self._connection = connection
        self._schema = schema
        self.shard = shard
        self._cache = Cache(whole=place.offset == 0)
        self._months: set[str] = set()
        self._after = place
        self._clear()

    def _clear(self) -> None:
        self._entries: list[Entry] = []
        self._bytes = 0
        self._new: dict[Key, Entity] = {}
        self._changed: dict[Key, Entity | None] = {}
        self._changes: list[str] = []
        self._aside: list[Entry] = []
        self._behind = set(self.parked)
        self._failed = False

    async def take(self, entries: list[Entry], after: Place) -> bool:
        """Folds the entries; ``after`` is the place after them. Stores a piece that is large enough, and says so."""
        if not self._cache.whole and not self._failed:
            await self._load(entries)
        for entry in entries:
            self._bytes += len(entry.value)
            # The rest of such a piece is only kept.
            if not self._failed:
                self._fold(entry)
        self._entries += entries
        self._after = after
        if len(self._entries) < PIECE_EVENTS and self._bytes < PIECE_BYTES:
            return False
        await self.store()
        return True

    async def _load(self, entries: list[Entry]) -> None:
        """Loads what the entries' folds may read and is not here."""
        wanted: set[Key] = set()
        for entry in entries:
            if entry.record is not None:
                try:
                    names = REGISTRY.names(entry.record)
                # What is wrong with the event, its fold finds out.
                except Exception:
                    continue
                made = MADE.get(entry.record.type)
                wanted.update(key for key in names if key[0] != made and not self._cache.has(key))
        if wanted:
            self._cache.add((await messages.load(self._connection, wanted)).items())

    def _fold(self, entry: Entry) -> None:
        record = entry.record
        if entry.unknown:
            return
        if record is None or entry.stream in self._behind:
            self._behind.add(entry.stream)
            self._aside.append(entry)
            return
        cache, new, changed = self._cache, self._new, self._changed
        try:
            result = REGISTRY.fold(record, cache)
        # NotLoaded, or whatever the fold makes of a bad event: the projector's own way finds out.
        except Exception:
            self._failed = True
            return
        for key, entity in result.items():
            if entity is None:
                if new.pop(key, None) is None:
                    changed[key] = None
            elif key in new or (key not in changed and cache.absent(key)):
                new[key] = entity
            else:
                changed[key] = entity
            cache[key] = entity
        self._changes.append(change(record))

    async def store(self) -> None:
        """Stores what was folded since the last time, with the place after it. Raises Outrun, and PostgresError."""
        if self._after == self.place:
            return
        size = 0
        if not self._failed:
            try:
                size = await self._store()
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
        self._cache.grown(size)

    async def _store(self) -> int:
        """The fast way: returns how many bytes of entities it stored."""
        connection = self._connection
        groups = await self._groups()
        size = 0
        async with connection.transaction():
            await applying.move(connection, {self.shard: self.place}, {self.shard: self._after})
            if self._changed:
                await messages.store(connection, self._changed)
            for (kind, table), group in groups.items():
                spec = lines(kind)
                rows = [spec.line(entity) for entity in group]
                size += sum(map(len, rows))
                await copy(connection, table, spec.columns, rows, LONG)
            await note_spans(connection, {}, dict(self._new))
            if self._changes:
                await copy(connection, "changes", CHANGES, self._changes, LONG)
            aside = set(self.parked)
            for entry in self._aside:
                await parking.park(connection, READ_MODELS, entry, entry.error, aside)
        return size + 400 * len(self._changed)

    async def _groups(self) -> Mapping[tuple[str, str], list[Entity]]:
        """The new entities by kind and table, in the order of their keys where they are many; makes missing months."""
        groups: dict[tuple[str, str], list[Entity]] = {}
        told: dict[str, list[Message]] = {}
        for key, entity in self._new.items():
            if isinstance(entity, Message):
                told.setdefault(months.month_of(entity.id), []).append(entity)
            else:
                groups.setdefault((key[0], lines(key[0]).table), []).append(entity)
        await self._ensure(set(told))
        apart = await months.archived(self._connection, told)
        for month, found in told.items():
            table = months.table_of(month) if month in apart else lines("message").table
            groups.setdefault(("message", table), []).extend(found)
        return groups

    async def _ensure(self, wanted: set[str]) -> None:
        if not wanted <= self._months:
            self._months = await months.ensure(self._connection, self._schema, wanted)

    async def _apply(self) -> None:
        """The projector's way."""
        records: list[Record] = [entry.record for entry in self._entries if entry.record is not None]
        await self._ensure(messages.needed(records))
        parked = set(self.parked)
        async with self._connection.transaction():
            await applying.move(self._connection, {self.shard: self.place}, {self.shard: self._after})
            for start in range(0, len(self._entries), 2000):
                await applying.apply(self._connection, self._entries[start : start + 2000], parked, Noted())
        self.parked |= parked
