"""What must know an event: the registry, its fold and sample, what takes it back, its audience, the clients."""

from __future__ import annotations

from collections.abc import Iterator

import events
from events.core.records import Event, EventType
from events.core.revert_rules import RevertRule
from infra.ops.generate import contracts
from infra.ops.generate.files import json_text
from infra.ops.missing.tables import Gap, Tables, declared, domain, file_of, modules, word_of
from projectors import audience
from projectors.audience import NOBODY


def rows(tables: Tables) -> Iterator[Gap]:
    """Events without a row, and rows that are not in the registry."""
    listed: set[type] = {row.struct for row in tables.registry.events.values()}
    for module in modules(events):
        for row in getattr(module, "ROWS", ()):
            if row.name not in tables.registry.events:
                yield Gap("events/registry.py", f"event {row.name}", f"add *{word_of(module)}.ROWS to REGISTRY")
                listed.add(row.struct)
    for struct in declared(events, Event):
        if struct not in listed:
            yield Gap(file_of(struct), f"event {struct.__name__}", "add a row to ROWS: EventType(name=...)")


def folds(tables: Tables) -> Iterator[Gap]:
    """Samples that cannot be read or folded: mostly, keys that the fold reads and ``keys`` does not give."""
    for row in tables.registry.events.values():
        if type(row.sample) is not row.struct:
            yield Gap(file_of(row.struct), f"sample of {row.name}", f"give a {row.struct.__name__}")
            continue
        text = json_text(contracts.golden(row, tables.registry))
        for line in contracts.readable({row.name: text}, tables.registry):
            why = line.partition(": an old record can no longer be read: ")[2]
            yield Gap(file_of(row.struct), f"fold of {row.name}", f"its sample cannot be folded ({why}); see keys")


def undo(tables: Tables) -> Iterator[Gap]:
    """Fields that an event sets, and that nothing can set back."""
    for row in tables.registry.events.values():
        if isinstance(row.revert, RevertRule):
            yield from _undo(row, row.revert, tables)


def _undo(row: EventType, sets: RevertRule, tables: Tables) -> Iterator[Gap]:
    subject, word = f"undo of {row.name}", domain(row.struct)
    if sets.id and sets.id not in row.struct.__struct_fields__:
        yield Gap(file_of(row.struct), subject, f"expected a field of {row.struct.__name__}, got {sets.id}")
    found = tables.revertible.get(sets.kind)
    if found is None:
        write = f"add REVERTIBLE = Revertible({sets.kind!r}, ...), and list it in producers/revert.py"
        yield Gap(f"producers/{word}.py", subject, write)
    elif unknown := sorted(set(sets.fields) - found.fields):
        yield Gap(file_of(found.revert), subject, f"add to REVERTIBLE.fields, and to its events: {', '.join(unknown)}")


def audiences(tables: Tables) -> Iterator[Gap]:
    """Events of which nobody has decided who receives them, or whose domain the table does not take."""
    rows_of = {name: word_of(module) for module in modules(audience) for name in getattr(module, "AUDIENCES", ())}
    for name, row in tables.registry.events.items():
        if name not in tables.audiences:
            if name in rows_of:
                write = f"add **{rows_of[name]}.AUDIENCES to AUDIENCES"
                yield Gap("projectors/audience/__init__.py", f"audience of {name}", write)
                continue
            file = f"projectors/audience/{domain(row.struct)}.py"
            yield Gap(file, f"audience of {name}", f'add "{name}": MEMBERS, SELF, NOBODY or Audience(...) to AUDIENCES')


def clients(tables: Tables) -> Iterator[Gap]:
    """Events that people receive, or may, and for which a client's fold has no rule."""
    for name, row in tables.registry.events.items():
        # What sets fields of its room stands in the contract's ROOM_CHANGES, from which the folds take it.
        if tables.audiences.get(name) is NOBODY or row.sets:
            continue
        for path, text in tables.folds.items():
            if f'"{name}":' not in text:
                unless = "" if name in tables.audiences else ", unless its audience is NOBODY"
                yield Gap(path, f"fold of {name}", f'add a rule "{name}" to FOLD{unless}')


WALKS = (rows, folds, undo, audiences, clients)
