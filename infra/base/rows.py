"""Entities as rows: their SQL, generated from the entity's struct."""

from __future__ import annotations

import types
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cache
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple, Union, get_args, get_origin, get_type_hints

from events.core.clock import Time
from events.core.records import Entity, EntityT, Key
from events.core.text import fold, grams, words
from events.message_entity import Message
from events.registry import REGISTRY
from events.rooms import Room
from events.users import User
from infra.base.connection import Connection, Row
from infra.base.statements import Statement, packed, run

#: Table of each kind of entity.
TABLES = {
    "user": "users",
    "session": "sessions",
    "relationship": "relationships",
    "visual": "visuals",
    "handle": "handles",
    "app": "apps",
    "plan": "plans",
    "team": "teams",
    "room": "rooms",
    "member": "members",
    "stay": "stays",
    "invitation": "invitations",
    "message": "messages",
    "revision": "revisions",
    "pin": "pins",
    "channel": "channels",
    "channel_user": "channel_users",
    "channel_counter": "channel_counters",
    "listening": "listenings",
}

Extra = tuple[str, str, Callable[[Any], Any]]


def _user_folded(user: User) -> str:
    return f"{fold(user.name)}\n{fold(user.username)}"


def _room_folded(room: Room) -> str:
    return fold(room.name)


#: What people search for in each type of message: a member of its content.
SEARCHED = {"text": "text", "action": "text", "image": "alt", "file": "name"}
#: Characters of a room's id in its mark; the ids that clients give are no longer.
_MARK = 100


def searched(message: Message) -> str:
    """The text of a message that people search in; empty where there is none."""
    member = SEARCHED.get(message.type)
    text = None if member is None or message.deleted else message.content.get(member)
    return text if isinstance(text, str) else ""


def room_mark(room: str) -> str:
    """A word that no text has: with it a search in some rooms meets no other room's messages in the index."""
    return f"#{room[:_MARK]}"


def _message_words(message: Message) -> Collection[str]:
    found = words(searched(message))
    return [room_mark(message.room), *found] if found else ()


#: Columns that only reading needs: name, Postgres type as upserts give it, value: a text, or the texts of an array.
EXTRAS: dict[str, tuple[Extra, ...]] = {
    "app": (("api_keys", "text", lambda app: list(app.keys)),),
    "message": (("words", "text", _message_words),),
    "user": (("folded", "text", _user_folded), ("grams", "text", lambda user: grams(_user_folded(user)))),
    "room": (("folded", "text", _room_folded), ("grams", "text", lambda room: grams(_room_folded(room)))),
}


#: How columns come from the text that they are given as, where it is not by their type.
_CASTS = {"api_keys": '"api_keys"::text[]', "grams": '"grams"::text[]', "words": 'array_to_tsvector("words"::text[])'}

#: Columns with an index that may be large, and that most updates leave as they are: the value that is there stays
#: then, in its place beside the row, so that the row's new version needs no new entry in any index.
_KEPT = {"room": ("custom",)}

#: Kinds whose tables are partitioned by ranges of their key: bounds tell Postgres which partitions it needs.
PARTITIONED = frozenset({"message"})


def _literal(value: str | Collection[str]) -> str:
    """A text, or an array's texts as Postgres' array literal: unnest() would flatten a list of lists."""
    if isinstance(value, str):
        return value
    text = '","'.join(value)
    if "\\" not in text and text.count('"') == 2 * max(0, len(value) - 1):
        return f'{{"{text}"}}' if value else "{}"
    quoted = ('"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"' for text in value)
    return "{" + ",".join(quoted) + "}"


class EntityTable(NamedTuple):
    """The SQL of one kind of entity."""

    entity: type[Entity]
    fields: tuple[str, ...]
    #: The fields' values in a row that has them by name.
    values: Callable[[Any], tuple[Any, ...]]
    key_types: tuple[type, ...]
    #: After the keys' columns it takes the lowest and the highest key, where the table is partitioned.
    load: str
    upsert: str
    delete: str


def column_type(annotation: Any) -> str:
    """The Postgres type of a field: Time is timestamptz, int bigint, bool boolean, dict json, all else text."""
    if get_origin(annotation) in (Union, types.UnionType):
        (annotation,) = [part for part in get_args(annotation) if part is not type(None)]
    if annotation == Time:
        return "timestamptz"
    if annotation in (int, bool):
        return "bigint" if annotation is int else "boolean"
    return "json" if get_origin(annotation) is dict else "text"


@cache
def column_types(entity: type[Entity]) -> dict[str, str]:
    """The Postgres types of an entity's columns, by field, in the entity's order."""
    hints = get_type_hints(entity, include_extras=True)
    return {field: column_type(hints[field]) for field in entity.__struct_fields__}


@cache
def table(kind: str, name: str = "") -> EntityTable:
    """The SQL of a kind; ``name`` is a table of the same columns instead. Raises KeyError for one without a table."""
    entity, name = REGISTRY.entities[kind], name or TABLES[kind]
    hints = get_type_hints(entity, include_extras=True)
    fields = tuple(entity.__struct_fields__)
    kinds = column_types(entity)
    extras = {title: kind_ for title, kind_, _ in EXTRAS.get(kind, ())}
    columns = [*fields, *extras]
    keys = entity.key_fields
    quoted = ", ".join(f'"{column}"' for column in columns)
    arrays = ", ".join(f"${i}::{(kinds | extras)[column]}[]" for i, column in enumerate(columns, 1))
    chosen = ", ".join(_CASTS.get(column, f'"{column}"') for column in columns)
    key_list = ", ".join(f'"{key}"' for key in keys)
    key_arrays = ", ".join(f"${i}::{kinds[key]}[]" for i, key in enumerate(keys, 1))
    updates = ", ".join(
        f'"{column}" = {_set(name, column, column in _KEPT.get(kind, ()))}' for column in columns if column not in keys
    )
    read = ", ".join(f't."{field}"' for field in fields)
    (first, *_), place = keys, len(keys) + 1
    within = f' where t."{first}" between ${place} and ${place + 1}' if kind in PARTITIONED else ""
    # S608: all names come from the entities' structs and from TABLES, and every value is a parameter.
    return EntityTable(
        entity=entity,
        fields=fields,
        values=itemgetter(*fields),
        key_types=tuple(hints[key] for key in keys),
        load=f"select {read} from {name} t join unnest({key_arrays}) as k({key_list}) using ({key_list}){within}",  # noqa: S608
        upsert=f"insert into {name} ({quoted}) select {chosen} from unnest({arrays}) as r({quoted})"  # noqa: S608
        f" on conflict ({key_list}) do update set {updates}",
        delete=f"delete from {name} t using unnest({key_arrays}) as k({key_list})"  # noqa: S608
        + " where "
        + " and ".join(f't."{key}" = k."{key}"' for key in keys),
    )


def _set(name: str, column: str, kept: bool) -> str:
    """What an update sets a column of a table to."""
    there, new = f'{name}."{column}"', f'excluded."{column}"'
    return f"case when {there}::text = {new}::text then {there} else {new} end" if kept else new


@cache
def columns(kind: str, alias: str = "", prefix: str = "") -> str:
    """What a query selects to make entities of a kind: from the table called ``alias``, as names with ``prefix``."""
    table_ = f"{alias}." if alias else ""
    return ", ".join(
        f'{table_}"{field}"' + (f' as "{prefix}{field}"' if prefix else "") for field in table(kind).fields
    )


def from_row(kind: type[EntityT], row: Row, prefix: str = "") -> EntityT:
    """An entity from a row that has at least its fields, by name, each with ``prefix`` before it."""
    spec = table(kind.kind)
    values = prefixed(kind.kind, prefix) if prefix else spec.values
    return kind(**dict(zip(spec.fields, values(row), strict=True)))


@cache
def prefixed(kind: str, prefix: str) -> Callable[[Any], tuple[Any, ...]]:
    """The values of a kind's fields in a row that has them by their names with ``prefix``."""
    return itemgetter(*(prefix + field for field in table(kind).fields))


def _key_columns(spec: EntityTable, keys: Collection[Key]) -> list[list[Any]]:
    return [
        [type_(key[i + 1]) if type_ is int else key[i + 1] for key in keys] for i, type_ in enumerate(spec.key_types)
    ]


async def load(connection: Connection, keys: Collection[Key], name: str = "") -> dict[Key, Entity | None]:
    """The entities of ``keys``, None for those that do not exist: one query for each kind.

    ``name`` is the table to look in instead of that of their kind.
    """
    found: dict[Key, Entity | None] = dict.fromkeys(keys)
    for kind, group in _by_kind(found).items():
        spec = table(kind, name)
        columns = _key_columns(spec, group)
        bounds = (min(columns[0]), max(columns[0])) if kind in PARTITIONED else ()
        for row in await connection.fetch(spec.load, *columns, *bounds):
            entity = spec.entity(**dict(zip(spec.fields, row, strict=True)))
            found[entity.key] = entity
    return found


async def store(connection: Connection, changes: Mapping[Key, Entity | None], name: str = "") -> None:
    """Upserts the entities, deletes those that are None; ``name`` as above."""
    await run(connection, list(statements(changes, name)))


def statements(changes: Mapping[Key, Entity | None], name: str = "") -> Iterator[Statement]:
    """What ``store`` does: one statement for each kind and case."""
    for kind, group in _by_kind(changes).items():
        spec = table(kind, name)
        present = [entity for key in group if (entity := changes[key]) is not None]
        absent = [key for key in group if changes[key] is None]
        if present:
            columns: list[list[Any]] = [list(map(attrgetter(field), present)) for field in spec.fields]
            columns += [[_literal(value(entity)) for entity in present] for _, _, value in EXTRAS.get(kind, ())]
            yield packed(spec.upsert, columns)
        if absent:
            yield Statement(spec.delete, _key_columns(spec, absent))


def _by_kind(keys: Iterable[Key]) -> dict[str, list[Key]]:
    groups: dict[str, list[Key]] = {}
    for key in keys:
        groups.setdefault(key[0], []).append(key)
    return groups
