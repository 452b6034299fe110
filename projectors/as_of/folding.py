"""The entities of a stream as of any place in the log: the rows of ``changes``, folded by the one fold. Nothing is kept
here; who asks for many places keeps states and folds on from them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from functools import cache
from typing import Any

import msgspec

from events.core.positions import Shard
from events.core.records import Changes, Entity, Key, Record
from events.registry import REGISTRY
from infra.base.postgres import Connection, Row, queries

#: Events that are read at once: some 10 ms of decoding and folding, after which others have their turn.
CHUNK = 1000
#: Above every offset.
END = 2**62

#: Entities that exist, by key.
Past = dict[Key, Entity]


async def state_as_of(connection: Connection, shard: Shard, stream: str, offset: int) -> Past:
    """All entities of a stream after its event at ``offset`` of its shard, or the last one before.

    An entity belongs to one stream, so nothing else is needed. What is parked or was passed over is left out, as in
    the rows. Holds the whole stream's entities in memory.
    """
    state: Past = {}
    async for records in events(connection, shard, stream, upto=offset):
        fold(state, records)
    return state


async def events(
    connection: Connection, shard: Shard, stream: str, *, after: int = -1, upto: int = END
) -> AsyncIterator[list[Record]]:
    """A stream's events above ``after`` and up to ``upto``, in order, in lists of at most CHUNK."""
    while after < upto:
        rows = await connection.fetch(queries("console")["events"], *shard, stream, after, upto, CHUNK)
        if rows:
            yield [record(row) for row in rows]
        if len(rows) < CHUNK:
            return
        after = rows[-1]["offset"]


def fold(state: Past, records: Iterable[Record]) -> None:
    """Folds the records into ``state``, in order. What it names and does not hold does not exist."""
    for record in records:
        for key, entity in changes(record, state).items():
            put(state, key, entity)


def changes(record: Record, state: Past) -> Changes:
    """What a record changes of ``state``."""
    named: Mapping[Key, Entity | None] = {key: state.get(key) for key in REGISTRY.keys(record)}
    return REGISTRY.fold(record, named)


def put(state: Past, key: Key, entity: Entity | None) -> None:
    """The entity as it is from here on; None: there is none."""
    if entity is None:
        state.pop(key, None)
    else:
        state[key] = entity


def unchanged(entity: Entity, cut: int) -> bool:
    """Whether an entity is as it was when only the events below ``cut`` counted."""
    return entity.version < cut


@cache
def decoder(type: str) -> msgspec.json.Decoder[Any]:
    """Reads the data of a type as ``changes`` has it: of old versions upcast."""
    return msgspec.json.Decoder(REGISTRY.events[type].struct)


def record(row: Row) -> Record:
    """An event from a row of ``changes``, whose data is text."""
    raw = row["data"].encode()
    return Record(
        topic=row["topic"], partition=row["partition"], offset=row["offset"], id=row["id"], type=row["type"],
        stream=row["stream"], time=row["time"], actor=row["actor"], command=row["command"], app=row["app"],
        data=decoder(row["type"]).decode(raw), raw=raw,
    )  # fmt: skip
