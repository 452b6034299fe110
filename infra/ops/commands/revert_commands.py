"""The command that takes an event back, as the event's row says (``undo``), or why there is none. Pure."""

from __future__ import annotations

from typing import Any

from events.core.free_json import same
from events.core.records import Entity, Key, Record
from events.core.revert_rules import NotRevertible, RevertRule
from events.registry import REGISTRY
from events.rooms import Room
from producers.revert import fields_of, key_of
from producers.revertible import Revert, RevertInRoom, RevertOfUser


def entity_of(record: Record) -> Key | None:
    """The entity that the event is about; None where it is not taken back."""
    row = REGISTRY.events[record.type].revert
    return None if isinstance(row, NotRevertible) else key_of(_command(record, row, {}, {}))


def revert_command(record: Record, before: Entity | None, after: Entity | None) -> Revert | str:
    """The command that takes the event back, or why there is none; from its entity just before and after it."""
    row = REGISTRY.events[record.type].revert
    if isinstance(row, NotRevertible):
        return row.because
    if isinstance(after, Room) and record.type == "room.created" and after.type == "direct":
        return "the same two always get the same direct room"
    old, new = fields_of(before, row.kind), fields_of(after, row.kind)
    changed = [name for name in row.fields if name in old and not same(old[name], new.get(name))]
    if not changed:
        return "it changed nothing"
    return _command(record, row, {name: old[name] for name in changed}, {name: new[name] for name in changed})


def _command(record: Record, row: RevertRule, was: dict[str, Any], became: dict[str, Any]) -> Revert:
    id = str(getattr(record.data, row.id)) if row.id else record.stream
    # One of the command's kinds: tests/producers/test_revert.py gives each.
    kind: Any = row.kind
    if record.topic == "rooms":
        return RevertInRoom(room=record.stream, kind=kind, id=id, was=was, became=became)
    return RevertOfUser(user=record.stream, kind=kind, id=id, was=was, became=became)
