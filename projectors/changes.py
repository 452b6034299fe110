"""``changes``: every valid event as a row, for history, audit and answers as of a past moment."""

from __future__ import annotations

from collections.abc import Sequence

from events.records import Record
from infra.postgres import queries
from infra.statements import Statement, packed


def inserting(records: Sequence[Record]) -> Statement:
    """The records' rows. Fails with asyncpg.DataError for what Postgres cannot hold, for example U+0000."""
    rows = [
        (r.topic, r.partition, r.offset, r.id, r.type, r.stream, r.actor, r.command, r.app, r.time, r.raw.decode())
        for r in records
    ]
    return packed(queries("projectors")["insert_changes"], [list(column) for column in zip(*rows, strict=True)])
