"""``klatsch diff``: which entities differ between two moments, in what, and by which events."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import asdict

from events.core.free_json import same
from events.core.positions import Position
from events.core.records import Entity, Key, Record
from infra.base.postgres import Connection, connected, queries
from infra.base.rows import TABLES
from infra.base.settings import Settings
from infra.ops.commands import moments
from infra.ops.commands.errors import CannotDo
from infra.ops.commands.event_format import clean, short
from infra.ops.commands.people import room_id, user_id
from projectors.as_of import folding
from projectors.as_of.folding import Past
from projectors.as_of.moments import Moment

Say = Callable[[str], None]

#: Streams that are compared where none is named.
STREAMS = 1000
#: Events that are named of one entity; the others are counted.
_EVENTS = 5


class RowChange(NamedTuple):
    """One entity that differs: column -> before and after, and the events that name it in between."""

    key: Key
    columns: dict[str, tuple[Any, Any]]
    events: list[tuple[Position, str]]


async def run(
    settings: Settings, a: str, b: str, *, room: str = "", user: str = "", json: bool, say: Say
) -> int:  # fmt: skip
    """Says what differs, of a room or a user where one is named; how many entities that is. Raises CannotDo."""
    ends = await moments.level(settings)
    first, second = moments.parse(a, "A", ends), moments.parse(b, "B", ends)
    count = 0
    async with connected(settings) as connection:
        if room:
            streams = [await room_id(connection, room, "--room") or room]
        elif user:
            streams = [await user_id(connection, user) or user]
        else:
            streams = await _touched(connection, first, second)
        for one in streams:
            async for change in changes(connection, one, first, second):
                count += 1
                for line in [_json(change)] if json else _lines(change):
                    say(line)
    return count


async def _touched(connection: Connection, first: Moment, second: Moment) -> list[str]:
    """The streams with events in between, in the order of their ids. Raises CannotDo for too many."""
    if (first.time is None) != (second.time is None):
        raise CannotDo("expected two times or two positions, or one room or user: --room, --user")
    if first.time is not None:
        low, high = sorted((first.time, second.time or first.time))
        rows = await connection.fetch(queries("past")["touched_by_time"], low, high, STREAMS + 1)
    else:
        shards = sorted(first.vector.keys() & second.vector.keys())
        spans = [sorted((first.vector[shard], second.vector[shard])) for shard in shards]
        rows = await connection.fetch(
            queries("past")["touched_by_position"], [s.topic for s in shards], [s.partition for s in shards],
            [low for low, _ in spans], [high for _, high in spans], STREAMS + 1,
        )  # fmt: skip
    if len(rows) > STREAMS:
        raise CannotDo(f"expected at most {STREAMS} rooms and users with events in between; name one: --room, --user")
    return [row["stream"] for row in rows]


async def changes(connection: Connection, stream: str, first: Moment, second: Moment) -> AsyncIterator[RowChange]:
    """What differs in a stream, in the order of the entities' keys."""
    shard = await moments.place(connection, stream, "room or user")
    cuts = await first.cut(connection, stream), await second.cut(connection, stream)
    low, high = sorted(cuts)
    state = await folding.state_as_of(connection, shard, stream, low - 1)
    before: Past = {}
    events: dict[Key, list[Record]] = {}
    async for records in folding.events(connection, shard, stream, after=low - 1, upto=high - 1):
        for record in records:
            for key, entity in folding.changes(record, state).items():
                if key not in events and key in state:
                    before[key] = state[key]
                events.setdefault(key, []).append(record)
                folding.put(state, key, entity)
    for key in sorted(events):
        columns = _columns(before.get(key), state.get(key))
        if cuts[0] > cuts[1]:
            columns = {name: (after, was) for name, (was, after) in columns.items()}
        if columns:
            yield RowChange(key, columns, [(record.position, record.type) for record in events[key]])


def _columns(before: Entity | None, after: Entity | None) -> dict[str, tuple[Any, Any]]:
    old = {} if before is None else asdict(before)
    new = {} if after is None else asdict(after)
    names = [name for name in (new or old) if name not in ("version", "credential")]
    return {name: (old.get(name), new.get(name)) for name in names if not same(old.get(name), new.get(name))}


def _json(change: RowChange) -> str:
    found = {
        "table": TABLES[change.key[0]],
        "key": change.key[1:],
        "columns": {name: {"before": was, "after": now} for name, (was, now) in change.columns.items()},
        "events": [{"position": str(position), "type": type} for position, type in change.events],
    }
    return msgspec.json.encode(found).decode()


def _lines(change: RowChange) -> list[str]:
    named = ", ".join(f"{position} {type}" for position, type in change.events[:_EVENTS])
    more = len(change.events) - _EVENTS
    title = f"{TABLES[change.key[0]]} {' '.join(change.key[1:])}  ({named}{f' and {more:,} more' if more > 0 else ''})"
    columns = [
        f"  {name}: {short(_text(was), 60)} -> {short(_text(now), 60)}" for name, (was, now) in change.columns.items()
    ]
    return [clean(line) for line in (title, *columns)]


def _text(value: Any) -> str:
    return msgspec.json.encode(value).decode()
