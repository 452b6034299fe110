"""Messages in their months: the fold reads and writes those of archived months too, though nobody else does."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from events.core.records import Changes, Entity, Key, Record
from events.messages import MessagePosted
from events.registry import REGISTRY
from infra.base import months, rows
from infra.base.event_types import making
from infra.base.postgres import Connection
from infra.base.settings import Settings
from infra.base.statements import Statement, run

#: What the fold of these events makes, whatever there was before: not worth a look into the table.
MADE = dict.fromkeys(making("message"), "message")


async def load(connection: Connection, keys: Collection[Key]) -> dict[Key, Entity | None]:
    """``rows.load``, from archived months too."""
    found = await rows.load(connection, keys)
    for month, group in (await _archived(connection, keys)).items():
        found.update(await rows.load(connection, group, months.table_of(month)))
    return found


async def store(connection: Connection, changes: Changes) -> None:
    """``rows.store``, to archived months too."""
    await run(connection, await statements(connection, changes))


async def statements(connection: Connection, changes: Changes) -> list[Statement]:
    """What ``store`` does."""
    archived = await _archived(connection, changes)
    found: list[Statement] = []
    for month, group in archived.items():
        found += rows.statements({key: changes[key] for key in group}, months.table_of(month))
        changes = {key: entity for key, entity in changes.items() if key not in group}
    return [*found, *rows.statements(changes)]


async def _archived(connection: Connection, keys: Iterable[Key]) -> dict[str, set[Key]]:
    """The keys of messages in archived months, by month. A turn in which months change is not under way."""
    groups = by_month(keys)
    return {month: groups[month] for month in await months.archived(connection, groups)}


def by_month(keys: Iterable[Key]) -> dict[str, set[Key]]:
    """The keys of messages among ``keys``, by month."""
    groups: dict[str, set[Key]] = {}
    for key in keys:
        if key[0] == "message":
            groups.setdefault(months.month_of(key[1]), set()).add(key)
    return groups


class Partitions:
    """Which months have a table, as one session of a projector knows it; none is ever taken away under it."""

    def __init__(self, connection: Connection, settings: Settings) -> None:
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
    ids, keys = set[str](), set[Key]()
    for record in records:
        # Most events are of this type, and this names no other message.
        if isinstance(record.data, MessagePosted):
            ids.add(record.data.message)
            continue
        try:
            keys.update(REGISTRY.keys(record))
        # What is wrong with the event, the turn finds out, and parks it.
        except Exception:
            continue
    return {months.month_of(id) for id in ids} | set(by_month(keys))
