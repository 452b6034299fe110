"""``changes``: every valid event as a row, for history, audit and answers as of a past moment."""

from __future__ import annotations

import re
from collections.abc import Sequence
from operator import attrgetter

import msgspec

from events.core.records import Record
from infra.base.postgres import queries
from infra.base.statements import Statement, packed

#: Columns: an event's fields, and its data (``document``).
COLUMNS = (
    "topic", "partition", "offset", "id", "type", "stream", "actor", "command", "app", "time", "digest", "data",
)  # fmt: skip

#: Their values but for the data.
fields = attrgetter(*COLUMNS[:-1])

#: U+0000 as JSON has it: the backslash is no part of another escape.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def document(record: Record) -> bytes:
    """The event's data as its row has it. Raises ValueError for escapes that ``json`` takes and no reader can read:
    U+0000, and halves of characters."""
    raw = record.raw
    if b"\\u" in raw:
        if _NUL.search(raw):
            raise ValueError("expected data without U+0000, which Postgres does not hold")
        # Also what no field of ours has: the whole is read.
        msgspec.json.decode(raw)
    return raw


def documents(records: Sequence[Record]) -> list[bytes]:
    """Those of many. Raises ValueError."""
    raws = [record.raw for record in records]
    return list(map(document, records)) if b"\\u" in b"".join(raws) else raws


def inserting(records: Sequence[Record]) -> Statement:
    """The records' rows. Raises ValueError, or fails with asyncpg.DataError, for what Postgres cannot hold."""
    texts = map(bytes.decode, documents(records))
    rows = [(*fields(record), text) for record, text in zip(records, texts, strict=True)]
    return packed(queries("projectors")["insert_changes"], [list(column) for column in zip(*rows, strict=True)])
