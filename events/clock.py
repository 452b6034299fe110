"""Times and ids as text. The only place that reads a clock for events; pure code gets times as arguments."""

from __future__ import annotations

import os
import time as _time
from datetime import UTC, datetime
from typing import Annotated

import msgspec

#: RFC 3339, UTC, milliseconds: ``2026-11-21T08:15:30.123Z``. One fixed width, so text order is time order.
Time = Annotated[
    str,
    msgspec.Meta(
        # Python's $ also matches before a last line feed.
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$(?!\n)",
        extra_json_schema={
            "format": "date-time",
            "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$",
        },
    ),
]


#: Every digit as 0, and so the form of a Time.
_DIGITS, _FORM = bytes.maketrans(b"123456789", b"000000000"), b"0000-00-00T00:00:00.000Z"


def is_time(text: str) -> bool:
    """Whether it has the form of a Time: what the pattern says, in a quarter of its time."""
    return text.encode().translate(_DIGITS) == _FORM


def from_datetime(moment: datetime) -> str:
    """A time-zone aware datetime as Time."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")[:23] + "Z"


def to_datetime(text: str) -> datetime:
    """Time as an aware datetime."""
    return datetime.fromisoformat(text)


def now() -> str:
    """The present moment as Time."""
    return from_datetime(datetime.now(UTC))


def after(text: str, seconds: float) -> str:
    """The Time that is ``seconds`` after ``text``."""
    return from_datetime(datetime.fromtimestamp(to_datetime(text).timestamp() + seconds, UTC))


def first_id(text: str) -> str:
    """What the UUIDv7 of a moment are not below; empty for what is no time of the calendar, such as a leap second."""
    try:
        stamp = max(0, int(to_datetime(text).timestamp() * 1000))
    except ValueError:
        return ""
    return f"{stamp >> 16:08x}-{stamp & 0xFFFF:04x}"


def uuid7(milliseconds: int | None = None) -> str:
    """A UUIDv7 (RFC 9562 5.7): 48 bits of Unix milliseconds, then random bits."""
    stamp = int(_time.time() * 1000) if milliseconds is None else milliseconds
    value = (stamp << 80) | int.from_bytes(os.urandom(10))
    value = value & ~(0xF << 76) | (7 << 76)
    value = value & ~(0x3 << 62) | (2 << 62)
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
