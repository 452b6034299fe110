"""What must know an entity: the registry, its table and columns, and what people see of it."""

from __future__ import annotations

from collections.abc import Iterator

import events
from events.core.records import Entity
from infra.base.rows import EXTRAS, column_types
from infra.ops.missing.tables import Gap, Tables, declared, domain, file_of, modules, word_of
from projectors import views as views_
from projectors.views.rooms import GONE, LEFT, UNSEEN

_SQL = "schemas/sql/schema_live.sql"


def registered(tables: Tables) -> Iterator[Gap]:
    """Entities that are not in the registry."""
    listed = set(tables.registry.entities.values())
    for entity in declared(events, Entity):
        if entity not in listed:
            word = entity.__module__.rpartition(".")[2]
            yield Gap("events/registry.py", f"entity {entity.__name__}", f"add {word}.{entity.__name__} to entities")


def columns(tables: Tables) -> Iterator[Gap]:
    """Kinds without a table, and fields without a column."""
    for kind, entity in tables.registry.entities.items():
        table = tables.kinds.get(kind)
        if table is None:
            yield Gap("infra/base/rows.py", f"table of {kind}", f'add "{kind}" to TABLES')
            continue
        if table not in tables.columns:
            yield Gap(_SQL, f"table of {kind}", f"create table {table} (...), a column for each field")
            continue
        if table not in tables.compared:
            write = f'add "{table}": the column of its stream, and its topic, to STREAMS'
            yield Gap("projectors/verify/comparing.py", f"table of {kind}", write)
        wanted = {**column_types(entity), **{name: type_ for name, type_, _ in EXTRAS.get(kind, ())}}
        for name, type_ in wanted.items():
            if name not in tables.columns[table]:
                yield Gap(_SQL, f"field {name} of {entity.__name__}", f"add the column {name} {type_} to {table}")


def views(tables: Tables) -> Iterator[Gap]:
    """Entities of which nobody has decided what people see, or whose domain the table does not take."""
    rows_of = {
        row.entity: word_of(module) for module in modules(views_) for row in getattr(module, "VIEWS", {}).values()
    }
    for kind, entity in tables.registry.entities.items():
        if entity in tables.viewed:
            continue
        if entity in rows_of:
            write = f"add **{rows_of[entity]}.VIEWS to VIEWS"
            yield Gap("projectors/views/__init__.py", f"view of {entity.__name__}", write)
        else:
            file = f"projectors/views/{domain(entity)}.py"
            write = f"add a function {kind}_view and a row of VIEWS, or a reason to HIDDEN"
            yield Gap(file, f"view of {entity.__name__} ({file_of(entity)})", write)


def shown_while_there(tables: Tables) -> list[str]:
    """Fields of a room that a deleted one does not show."""
    return [name for name in tables.registry.entities["room"].__struct_fields__ if name not in LEFT | UNSEEN]


def fields_of_rooms(tables: Tables) -> Iterator[Gap]:
    """Fields of a room of which nobody has decided what a deleted one shows."""
    for name in shown_while_there(tables):
        if name not in GONE:
            write = "add it, as it is shown, to GONE; to LEFT if a deleted room keeps it, to UNSEEN if nobody sees it"
            yield Gap("projectors/views/rooms.py", f"field {name} of Room", write)


WALKS = (registered, columns, views, fields_of_rooms)
