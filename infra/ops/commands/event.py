"""``klatsch events show``: one record with all that the log says of it, and what the fold made of it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from events.core.positions import Position
from events.core.records import Changes, DecodeError, Entity, Key, Record
from events.registry import REGISTRY
from infra.base.settings import Settings
from infra.ops.commands.event_format import clean, ids, moment_of
from infra.ops.commands.filters import head_of
from infra.ops.commands.log import LogReader, RawRecord, reading
from infra.ops.commands.names import Names


class FieldChange(NamedTuple):
    """A field of an entity, before and after the event."""

    entity: str
    field: str
    before: Any
    after: Any


class ShownRecord(NamedTuple):
    """One record and what became of it."""

    raw: RawRecord
    #: Why the fold takes nothing from it; None where it does.
    without: str | None
    changes: list[FieldChange]


class _State(dict[Key, "Entity | None"]):
    """Entities by key; what no event has made is None."""

    def __missing__(self, key: Key) -> None:
        return None


async def show(settings: Settings, position: Position, *, json: bool, say: Callable[[str], None]) -> None:
    """Says it. Raises CannotDo for a position that the log does not have."""
    async with reading(settings) as log, Names(settings) as names:
        found = await look(log, position)
        head = head_of(found.raw)
        await names.learn(ids(head))
    if json:
        say(msgspec.json.encode(_as_dict(found)).decode())
        return
    for text in _text(found, names):
        say(text)


async def look(log: LogReader, position: Position) -> ShownRecord:
    """The record, and its changes: its stream is folded from the log's beginning up to it."""
    raw = await log.one(position)
    if not raw.valid:
        return ShownRecord(
            raw, "void: a replaced owner got it in too late, and nobody was told that it had happened", []
        )
    try:
        record = REGISTRY.decode(raw.value or b"", *position)
    except DecodeError as error:
        return ShownRecord(raw, f"cannot be read: {error}", [])
    try:
        keys = set(REGISTRY.keys(record))
        state = await _before(log, raw, keys)
        changed = REGISTRY.fold(record, state)
    # A fold is pure: whatever it raises, it is this event that makes it raise.
    except Exception as error:
        return ShownRecord(raw, f"the fold fails: {type(error).__name__}: {error}", [])
    return ShownRecord(raw, None, _differences(state, changed))


async def _before(log: LogReader, raw: RawRecord, keys: set[Key]) -> _State:
    """The entities of the stream just before the record. All of an entity's events stand in one stream."""
    state = _State()
    if not keys:
        return state
    async for batch in log.read({raw.shard: 0}, {raw.shard: raw.offset}):
        for one in batch:
            if one.key == raw.key and one.valid and not one.opens:
                # What does not fold is parked and changes nothing.
                with contextlib.suppress(Exception):
                    state.update(REGISTRY.fold(_decoded(one), state))
    return state


def _decoded(raw: RawRecord) -> Record:
    return REGISTRY.decode(raw.value or b"", *raw.position)


def _differences(before: _State, changed: Changes) -> list[FieldChange]:
    found = []
    for key, after in changed.items():
        old, new = before[key], after
        title = " ".join(key)
        left = {} if old is None else msgspec.structs.asdict(old)
        right = {} if new is None else msgspec.structs.asdict(new)
        for field in dict.fromkeys([*left, *right]):
            if left.get(field) != right.get(field):
                found.append(FieldChange(title, field, left.get(field), right.get(field)))
    return found


def _as_dict(found: ShownRecord) -> dict[str, Any]:
    raw = found.raw
    value: Any = (raw.value or b"").decode(errors="replace")
    with contextlib.suppress(msgspec.DecodeError):
        value = msgspec.json.decode(raw.value or b"")
    return {
        "position": str(raw.position), "valid": raw.valid, "timestamp": raw.timestamp,
        "key": None if raw.key is None else raw.key.decode(errors="replace"),
        "headers": [[name, header.decode(errors="replace")] for name, header in raw.headers],
        "value": value, "without": found.without, "changes": [change._asdict() for change in found.changes],
    }  # fmt: skip


def _text(found: ShownRecord, names: Names) -> list[str]:
    raw, head = found.raw, head_of(found.raw)
    lines = [f"{raw.position}  {head.type if head else '(unreadable)'}  {'valid' if raw.valid else 'void'}"]
    if head is not None:
        lines.append(clean(f"  {names.of(head.subject)}, by {names.of(head.actor)}, {moment_of(raw, head)}"))
    lines += ["", "headers", *(clean(f"  {name}: {header.decode(errors='replace')}") for name, header in raw.headers)]
    lines += [clean(f"  key: {(raw.key or b'').decode(errors='replace')}"), f"  appended: {raw.timestamp} (Unix ms)"]
    lines += ["", "envelope"]
    try:
        envelope = msgspec.json.format(raw.value or b"", indent=2).decode()
    except msgspec.DecodeError:
        envelope = (raw.value or b"").decode(errors="replace")
    lines += [f"  {clean(text)}" for text in envelope.split("\n")]
    lines += ["", "what it changed"]
    if found.without is not None:
        return [*lines, clean(f"  nothing: {found.without}")]
    title = ""
    for change in found.changes:
        if change.entity != title:
            title = change.entity
            lines.append(clean(f"  {title}"))
        lines.append(clean(f"    {change.field}: {_value(change.before)} -> {_value(change.after)}"))
    return lines if found.changes else [*lines, "  nothing"]


def _value(value: Any) -> str:
    return "-" if value is None else msgspec.json.encode(value).decode()
