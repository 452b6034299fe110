"""Rows as lines of Postgres' COPY in its text format (https://www.postgresql.org/docs/current/sql-copy.html)."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable
from functools import cache
from operator import attrgetter
from typing import Any, NamedTuple, get_args, get_type_hints

import msgspec

from events import REGISTRY
from events.records import Entity, Record
from infra.rows import EXTRAS, TABLES, column_type

_NULL = "\\N"
_encode = msgspec.json.Encoder().encode

#: Columns of ``changes``, as ``change`` gives them.
CHANGES = ("topic", "partition", "offset", "id", "type", "stream", "actor", "command", "app", "time", "data")


def escaped(text: str) -> str:
    """A value without what COPY takes for its own signs."""
    if not _SIGNS.search(text):
        return text
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def _text(value: str | None) -> str:
    return _NULL if value is None else escaped(value)


def _json(value: Any) -> str:
    # JSON escapes control characters itself.
    return _encode(value).decode().replace("\\", "\\\\")


def _bool(value: bool) -> str:
    return "t" if value else "f"


def _time(value: str | None) -> str:
    return _NULL if value is None else value


#: How a column's value becomes text, by its Postgres type, where it is not that already.
_TEXTS: dict[str, Callable[[Any], str]] = {"text": _text, "boolean": _bool, "jsonb": _json, "timestamptz": _time}
#: What COPY does not take for itself.
_SIGNS, _OTHERS = re.compile(r"[\\\t\n\r]"), re.compile(r"[\\\n\r]")


def _words(array: str) -> str:
    """A Postgres array of words as the text of a tsvector: each in quotes, none with a place."""
    # The array has each word in double quotes; a quote or backslash within it comes after a backslash. A tsvector has
    # them in single quotes, with backslashes and single quotes doubled.
    if "\\" not in array:
        return array[1:-1].replace("'", "''").replace('","', "' '").replace('"', "'")
    found = (re.sub(r"\\(.)", r"\1", word) for word in re.findall(r'"((?:[^"\\]|\\.)*)"', array, re.DOTALL))
    return " ".join("'" + word.replace("\\", "\\\\").replace("'", "''") + "'" for word in found)


class Lines(NamedTuple):
    """How a kind's entities become lines."""

    table: str
    columns: tuple[str, ...]
    line: Callable[[Any], str]


@cache
def lines(kind: str) -> Lines:
    """Those of a kind of entity. Raises KeyError for one without a table."""
    entity = REGISTRY.entities[kind]
    hints = get_type_hints(entity, include_extras=True)
    fields = tuple(entity.__struct_fields__)
    read = attrgetter(*fields)
    # Most columns are text as they are: these are looked at all at once.
    plain = [place for place, field in enumerate(fields) if _plain(hints[field])]
    others = [
        (place, _TEXTS[type_])
        for place, field in enumerate(fields)
        if place not in plain and (type_ := column_type(hints[field])) != "bigint"
    ]
    extras = [(value, _words if name == "words" else str) for name, _, value in EXTRAS.get(kind, ())]

    def line(one: Entity) -> str:
        values = list(read(one))
        if _SIGNS.search("".join([values[place] for place in plain])):
            for place in plain:
                values[place] = escaped(values[place])
        for place, text in others:
            values[place] = text(values[place])
        values += [escaped(form(value(one))) for value, form in extras]
        return "\t".join(map(str, values))

    return Lines(TABLES[kind], (*fields, *(name for name, _, _ in EXTRAS.get(kind, ()))), line)


def _plain(annotation: Any) -> bool:
    """Whether the field is always text."""
    return column_type(annotation) == "text" and type(None) not in get_args(annotation)


def change(record: Record) -> str:
    """The line of ``changes`` of an event: what stands in the log."""
    words = (record.id, record.type, record.stream, record.actor, record.command, record.app, record.time)
    text = "\t".join(words)
    if text.count("\t") > 6 or _OTHERS.search(text):
        text = "\t".join(map(escaped, words))
    data = escaped(record.raw.decode())
    return f"{record.topic}\t{record.partition}\t{record.offset}\t{text}\t{data}"


async def copy(connection: Any, table: str, columns: Iterable[str], rows: list[str], seconds: float) -> None:
    """Adds the lines to a table, all or none."""
    source = io.BytesIO("".join([f"{row}\n" for row in rows]).encode())
    await connection.copy_to_table(table, source=source, columns=list(columns), timeout=seconds)
