"""Events as an operator reads them: a line each for people, a JSON object each for programs."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import msgspec

from events.registry import REGISTRY
from infra.ops.commands.filters import Head
from infra.ops.commands.log import RawRecord
from infra.ops.commands.names import Names

#: Characters of an event's data that a line shows.
DATA_CHARS = 120
#: Ids and tokens in data: the beginning of one tells it from others on the screen.
_ID = re.compile(r'"([0-9a-f]{8})[0-9a-f-]{8,}"')
#: Columns of the type and of the position, so that what follows begins below each other: the longest type there is, and
#: ``handles/23/1234567``.
_TYPE, _POSITION = max(map(len, REGISTRY.events)), 18


def moment_of(raw: RawRecord, head: Head | None) -> str:
    """When it happened; for what cannot be read, when it was appended."""
    if head is not None:
        return head.time
    return datetime.fromtimestamp(raw.timestamp / 1000, UTC).isoformat(timespec="milliseconds")[:23] + "Z"


def ids(head: Head | None) -> tuple[str, ...]:
    """What of it has a name."""
    return () if head is None else (head.subject, head.actor)


def line(raw: RawRecord, head: Head | None, names: Names) -> str:
    """``2026-11-21 08:15:30.123 rooms/3/1234 message.posted  #Stars  Ada (ada)  {"seq":1,...}``"""
    moment = moment_of(raw, head)
    start = f"{moment[:10]} {moment[11:23]} {raw.position!s:<{_POSITION}}"
    type = ("" if raw.valid else "void ") + ("(unreadable)" if head is None else head.type)
    if head is None:
        return clean(f"{start} {type:<{_TYPE}} {short((raw.value or b'').decode(errors='replace'))}")
    who = "" if head.actor == head.subject else f"  {names.of(head.actor)}"
    data = short(_ID.sub(r'"\1…"', bytes(head.data).decode(errors="replace")))
    return clean(f"{start} {type:<{_TYPE}} {names.of(head.subject)}{who}  {data}")


def short(text: str, most: int = DATA_CHARS) -> str:
    """At most this many characters of a text."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def clean(text: str) -> str:
    """Without what would move a terminal's cursor: people write whatever they like."""
    return "".join(char if char.isprintable() else "�" for char in text)


def as_json(raw: RawRecord, head: Head | None) -> str:
    """The position, whether it is valid, and the envelope as it stands, on one line."""
    found: dict[str, object] = {
        "topic": raw.shard.topic, "partition": raw.shard.partition, "offset": raw.offset, "valid": raw.valid,
    }  # fmt: skip
    if head is None:
        found["value"] = (raw.value or b"").decode(errors="replace")
    else:
        found["event"] = msgspec.json.decode(raw.value or b"")
    return msgspec.json.encode(found).decode()
