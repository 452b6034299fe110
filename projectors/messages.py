"""Messages in their months: the fold reads and writes those of archived months too, though nobody else does."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from events import REGISTRY
from events.records import Changes, Entity, Key, Record
from infra import months, rows
from infra.settings import Settings


async def load(connection: Any, keys: Collection[Key]) -> dict[Key, Entity | None]:
    """``rows.load``, from archived months too."""
    found = await rows.load(connection, keys)
    for month, group in (await _archived(connection, keys)).items():
        found.update(await rows.load(connection, group, months.table_of(month)))
    return found


async def store(connection: Any, changes: Changes) -> None:
    """``rows.store``, to archived months too."""
    archived = await _archived(connection, changes)
    for month, group in archived.items():
        await rows.store(connection, {key: changes[key] for key in group}, months.table_of(month))
    elsewhere = {key for group in archived.values() for key in group}
    await rows.store(connection, {key: entity for key, entity in changes.items() if key not in elsewhere})


async def _archived(connection: Any, keys: Collection[Key]) -> dict[str, list[Key]]:
    """The keys of messages in archived months, by month. A turn in which months change is not under way."""
    groups = by_month(keys)
    return {month: groups[month] for month in await months.archived(connection, groups)}


def by_month(keys: Collection[Key]) -> dict[str, list[Key]]:
    """The keys of messages among ``keys``, by month."""
    groups: dict[str, list[Key]] = {}
    for key in keys:
        if key[0] == "message":
            groups.setdefault(months.month_of(key[1]), []).append(key)
    return groups


class Partitions:
    """Which months have a table, as one session of a projector knows it; none is ever taken away under it."""

    def __init__(self, connection: Any, settings: Settings) -> None:
        self._connection = connection
        self._schema = settings.schema
        self._made: set[str] = set()

    async def ensure(self, records: Collection[Record]) -> None:
        """Makes those that the records need, and those of the time to come.

        Before a turn begins: what is made within it is undone with it.
        """
        wanted = months.ahead() | needed(records)
        if not wanted <= self._made:
            self._made = await months.ensure(self._connection, self._schema, wanted)


def needed(records: Collection[Record]) -> set[str]:
    """The months of the messages that records name."""
    keys: set[Key] = set()
    for record in records:
        try:
            keys.update(REGISTRY.names(record))
        # What is wrong with the event, the turn finds out, and parks it.
        except Exception:
            continue
    return set(by_month(keys))
