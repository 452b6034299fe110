"""Rows in the binary format of Postgres' COPY, column by column.

Source: https://www.postgresql.org/docs/current/sql-copy.html, and the types' receive functions for their values. One
that the format cannot hold is a ValueError: then the projector's own way says what becomes of the event.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import cache
from itertools import repeat
from operator import attrgetter
from struct import Struct
from struct import error as StructError
from typing import Any, NamedTuple, get_args, get_type_hints

import msgspec

from events.core.records import Entity, Record
from events.core.text import utf8_words
from events.registry import REGISTRY
from infra.base.postgres import Connection
from infra.base.rows import EXTRAS, TABLES, column_types, room_mark, searched
from projectors.read_models import changes

#: Values that are kept as fields: what stands in many rows is made once. A piece's times stand in two tables.
_KNOWN = 40_000
#: Bytes of a tsvector's words; Postgres takes no more.
_VECTOR_BYTES = (1 << 20) - 1
#: Rows that are made at once: their fields stay in the processor's cache, which halves the time.
_ROWS = 500

_HEADER, _TRAILER = b"PGCOPY\n\xff\r\n\x00" + bytes(8), b"\xff\xff"
_NULL = b"\xff\xff\xff\xff"
_COUNT, _SIZE = Struct(">h").pack, Struct(">i").pack
#: Fields with their size before them.
_INT, _LONG = Struct(">ii").pack, Struct(">iq").pack
#: Of a tsvector: its size, and the number of its words.
_VECTOR = Struct(">ii").pack
#: From when Postgres counts, and in what.
_EPOCH, _MICROSECOND = datetime(2000, 1, 1), timedelta(microseconds=1)
#: Of an array: dimensions, whether it has nulls, the type of its elements (text), their number, the first one's place.
_ARRAY, _TEXT_OID = Struct(">iiiii").pack, 25
_encode = msgspec.json.Encoder().encode

#: A column's values as fields.
Column = Callable[[Iterable[Any]], Iterable[bytes]]


def _field(value: bytes) -> bytes:
    return _SIZE(len(value)) + value


def _text(value: str | None) -> bytes:
    return _NULL if value is None else _field(value.encode())


def _moment(value: str | None) -> bytes:
    return _NULL if value is None else _moments((value,))[0]


def _moments(values: Iterable[str]) -> list[bytes]:
    """Times, in microseconds since 2000. A leap second and the hour 24 are left to Postgres: a ValueError."""
    return [_LONG(8, (datetime.fromisoformat(text[:23]) - _EPOCH) // _MICROSECOND) for text in values]


class _CopiedKeys(dict[Any, bytes]):
    """Fields by their values."""

    def __init__(self, make: Callable[[Any], bytes]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, value: Any) -> bytes:
        found = self._make(value)
        self.learn((value,), (found,))
        return found

    def column(self, values: Iterable[Any]) -> Iterable[bytes]:
        return map(self.__getitem__, values)

    def learn(self, values: Iterable[Any], fields: Iterable[bytes]) -> None:
        """Takes fields that were made otherwise."""
        if len(self) >= _KNOWN:
            self.clear()
        self.update(zip(values, fields, strict=True))


def _texts(values: Iterable[str]) -> list[bytes]:
    return [_SIZE(len(text)) + text for text in map(str.encode, values)]


def _optional_texts(values: Iterable[str | None]) -> Iterable[bytes]:
    return map(_text, values)


def _longs(values: Iterable[int]) -> Iterable[bytes]:
    return map(_LONG, repeat(8), values)


def _optional_longs(values: Iterable[int | None]) -> Iterable[bytes]:
    return (_NULL if value is None else _LONG(8, value) for value in values)


def _jsons(values: Iterable[Any]) -> list[bytes]:
    return list(map(_field, map(_encode, values)))


#: After each word of a tsvector a zero byte, and two for the number of its places.
_END = bytes(3)


def _mark(room: str) -> bytes:
    found = room_mark(room).encode() + _END
    if found.count(0) != len(_END):
        raise ValueError(f"expected the name of a room without U+0000, got {room!r}")
    return found


_marks = _CopiedKeys(_mark)


def _vectors(messages: Iterable[Any]) -> Iterator[bytes]:
    """The words of messages, as ``rows`` has them, as tsvectors without places: Postgres puts them in order."""
    for message in messages:
        words = utf8_words(searched(message))
        if words:
            text = _marks[message.room] + _END.join(words) + _END
            if len(text) > _VECTOR_BYTES:
                raise ValueError(f"expected at most {_VECTOR_BYTES} bytes of words, got {len(text)}")
            yield _VECTOR(4 + len(text), len(words) + 1) + text
        else:
            yield _VECTOR(4, 0)


def _arrays(values: Iterable[Sequence[str]]) -> Iterable[bytes]:
    for texts in values:
        head = _ARRAY(1, 0, _TEXT_OID, len(texts), 1) if texts else _ARRAY(0, 0, _TEXT_OID, 0, 0)[:12]
        yield _field(b"".join([head, *_texts(texts)]))


#: Texts that are other ones in almost every row.
_UNIQUE = frozenset({"id", "token", "command", "folded"})
_times = _CopiedKeys(_moment)
_COLUMNS: dict[str, Column] = {
    "text": _CopiedKeys(_text).column,
    "timestamptz": _times.column,
    "boolean": _CopiedKeys(lambda value: _SIZE(1) + bytes((value,))).column,
    "bigint": _longs,
    "json": _jsons,
}
_EXTRA_COLUMNS: dict[str, Column] = {"api_keys": _arrays, "grams": _arrays, "folded": _texts}


#: Rows as fields, column by column, of some entities or records.
Fields = Callable[[Sequence[Any]], list[Iterable[bytes]]]


class Layout(NamedTuple):
    """How entities of a kind, or events, become rows of a table."""

    table: str
    columns: tuple[str, ...]
    fields: Fields


def _extra(name: str, value: Callable[[Any], Any]) -> Column:
    column = _EXTRA_COLUMNS[name]
    return lambda entities: column(map(value, entities))


def _column(entity: type[Entity], name: str) -> Column:
    """How values of a field are written."""
    kind = column_types(entity)[name]
    if kind == "text" and name in _UNIQUE:
        return _texts
    if kind == "bigint" and type(None) in get_args(get_type_hints(entity)[name]):
        return _optional_longs
    return _COLUMNS[kind]


@cache
def layout(kind: str) -> Layout:
    """That of a kind of entity. Raises KeyError for one without a table."""
    entity = REGISTRY.entities[kind]
    names = tuple(entity.__struct_fields__)
    read = attrgetter(*names)
    columns = [_column(entity, name) for name in names]
    extras = [_vectors if name == "words" else _extra(name, value) for name, _, value in EXTRAS.get(kind, ())]

    def fields(entities: Sequence[Entity]) -> list[Iterable[bytes]]:
        values = zip(*map(read, entities), strict=True)
        found = [column(part) for column, part in zip(columns, values, strict=True)]
        return found + [column(entities) for column in extras]

    return Layout(TABLES[kind], (*names, *(name for name, _, _ in EXTRAS.get(kind, ()))), fields)


def _new_times(values: Sequence[str]) -> Iterable[bytes]:
    """Each stands in one event, and in what that makes."""
    found = _moments(values)
    _times.learn(values, found)
    return found


_known = _COLUMNS["text"]
_CHANGE_COLUMNS: tuple[Callable[[Any], Iterable[bytes]], ...] = (
    _known, _CopiedKeys(lambda value: _INT(4, value)).column, _longs, _texts, _known, _known, _known, _texts, _known,
    _new_times, _optional_texts,
)  # fmt: skip


def _change_fields(records: Sequence[Record]) -> list[Iterable[bytes]]:
    values = zip(*map(changes.fields, records), strict=True)
    found = [column(part) for column, part in zip(_CHANGE_COLUMNS, values, strict=True)]
    return [*found, [_SIZE(len(raw)) + raw for raw in changes.documents(records)]]


#: The rows of ``changes`` of events: what stands in the log.
CHANGES_LAYOUT = Layout("changes", changes.COLUMNS, _change_fields)


def encoded(spec: Layout, items: Sequence[Any]) -> bytes:
    """The rows of the items, of not so many that their fields leave the processor's cache. Raises ValueError."""
    if not items:
        return b""
    try:
        rows = zip(repeat(_COUNT(len(spec.columns))), *spec.fields(items), strict=False)
        return b"".join(map(b"".join, rows))
    except StructError as error:
        raise ValueError(f"{spec.table}: expected numbers of 64 bits: {error}") from error


def parts(spec: Layout, items: Sequence[Any]) -> list[bytes]:
    """The same of any number. Raises ValueError."""
    return [encoded(spec, items[start : start + _ROWS]) for start in range(0, len(items), _ROWS)]


async def copy(connection: Connection, spec: Layout, rows: Iterable[bytes], seconds: float, table: str = "") -> None:
    """Adds encoded rows, all or none. Raises PostgresError. ``table`` has the same columns as the layout's."""
    await connection.copy_to_table(
        table or spec.table, source=_data(rows), columns=list(spec.columns), format="binary", timeout=seconds
    )


async def _data(rows: Iterable[bytes]) -> AsyncIterator[bytes]:
    yield _HEADER
    for part in rows:
        yield part
    yield _TRAILER
