"""``klatsch parked``: which streams wait, on which event and why, and what waits behind it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from events.core.positions import Position, Shard, parse_position
from events.core.records import Entity, Key
from events.registry import REGISTRY
from infra.base.postgres import Connection, Row, connected, queries
from infra.base.settings import Settings
from infra.ops.commands.errors import CannotDo
from infra.ops.commands.event_format import clean, short
from infra.ops.commands.people import stream_id
from projectors.core.source import entry_of
from projectors.read_models import messages

Say = Callable[[str], None]

#: Events behind a parked one that are shown.
BEHIND = 20
#: Characters of an error in a list.
_ERROR_CHARS = 160


def position_of(row: Row) -> Position:
    """Where the event of a row stands."""
    return Position(row["topic"], row["partition"], row["offset"])


async def listing(settings: Settings, *, json: bool, say: Say) -> None:
    """Says which streams wait, the longest waiting first."""
    async with connected(settings) as connection:
        rows = await connection.fetch(queries("operate")["parked_list"])
    if not rows and not json:
        say("Nothing is parked.")
    for row in rows:
        if json:
            say(_json(dict(row)))
            continue
        say(clean(f"{row['stream']}  ({row['consumer']}) since {row['since']}: {row['waiting']:,} wait"))
        say(clean(f"  {position_of(row)} {row['type'] or '(unreadable)'}: {short(row['error'], _ERROR_CHARS)}"))
    if rows and not json:
        say("See one with 'parked show STREAM'; after a fix 'parked retry --all'; 'parked skip' skips an event.")


async def show(settings: Settings, what: str, *, json: bool, say: Say) -> None:
    """Says all about a parked event, or about the one on which a stream waits. Raises CannotDo."""
    async with connected(settings) as connection:
        rows = await _rows(connection, what if what.count("/") == 2 else await stream_id(connection, what, "STREAM"))
        waiting = await connection.fetch(queries("operate")["parked_count"], rows[0]["stream"])
        first = rows[0]
        entry = entry_of(Shard(first["topic"], first["partition"]), first["offset"], first["stream"].encode(),
                         first["value"])  # fmt: skip
        keys: Sequence[Key] = ()
        if entry.record is not None:
            # An event whose names cannot be told is parked for that very reason.
            with contextlib.suppress(Exception):
                keys = REGISTRY.keys(entry.record)
        entities = await messages.load(connection, keys)
    behind = [row for row in rows[1:] if row["consumer"] == first["consumer"]]
    count = {row["consumer"]: row["waiting"] for row in waiting}[first["consumer"]]
    if json:
        say(_json(_as_dict(first, entities, behind, count)))
        return
    for line in _text(first, entities, behind, count):
        say(clean(line))


async def _rows(connection: Connection, what: str) -> list[Row]:
    """The parked event that is meant, and those behind it. Raises CannotDo."""
    sql = queries("operate")
    rows = await connection.fetch(sql["parked_stream"], what, BEHIND + 1)
    if not rows and what.count("/") == 2:
        position = parse_position(what)
        found = await connection.fetch(queries("projectors")["parked_at"], *position)
        if found:
            later = await connection.fetch(sql["parked_stream"], found[0]["stream"], 10 * BEHIND)
            here = (position.topic, position.partition, position.offset)
            rows = [*found[:1], *(row for row in later if (row["topic"], row["partition"], row["offset"]) > here)]
    if not rows:
        raise CannotDo(f"expected a parked stream or the position of a parked event, got {what}; see 'parked list'")
    return rows[: BEHIND + 1]


def _as_dict(first: Row, entities: dict[Key, Entity | None], behind: list[Row], count: int) -> dict[str, Any]:
    return {
        **{name: first[name] for name in ("consumer", "stream", "type", "error", "parked_at")},
        "position": str(position_of(first)),
        "value": _value(first["value"]),
        "entities": {" ".join(key): entity for key, entity in entities.items()},
        "waiting": count,
        "behind": [{"position": str(position_of(row)), "type": row["type"], "error": row["error"]} for row in behind],
    }


def _text(first: Row, entities: dict[Key, Entity | None], behind: list[Row], count: int) -> list[str]:
    lines = [
        f"{position_of(first)}  {first['type'] or '(unreadable)'} of {first['stream']}",
        f"  parked by {first['consumer']} at {first['parked_at']}",
        f"  {first['error']}", "", "event",
    ]  # fmt: skip
    value = _value(first["value"])
    text = value if isinstance(value, str) else msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    lines += [f"  {line}" for line in text.split("\n")]
    lines += ["", "its entities, as the read models have them"]
    for key, entity in entities.items():
        state = "-" if entity is None else msgspec.json.encode(entity).decode()
        lines.append(f"  {' '.join(key)}: {state}")
    lines += [] if entities else ["  none known"]
    lines += ["", f"{count - 1:,} wait behind it" if count > 1 else "nothing waits behind it"]
    lines += [f"  {position_of(row)} {row['type'] or '(unreadable)'}: {short(row['error'])}" for row in behind]
    return lines


def _value(value: bytes) -> Any:
    try:
        return msgspec.json.decode(value)
    except msgspec.DecodeError:
        return value.decode(errors="replace")


def _json(value: dict[str, Any]) -> str:
    return msgspec.json.encode(value).decode()
