"""``changes``: every valid event as a row, for history, audit and answers as of a past moment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from events.records import Record
from infra.postgres import queries


async def insert(connection: Any, records: Sequence[Record]) -> None:
    """The records' rows. Raises asyncpg.DataError for what Postgres cannot hold, for example U+0000."""
    rows = [
        (r.topic, r.partition, r.offset, r.id, r.type, r.stream, r.actor, r.command, r.app, r.time, r.raw.decode())
        for r in records
    ]
    await connection.execute(queries("projectors")["insert_changes"], *map(list, zip(*rows, strict=True)))
