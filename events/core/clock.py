"""Times and ids as text. The only place that reads a clock for events; pure code gets times as arguments."""

from __future__ import annotations

import os
import re
import time as _time
from datetime import UTC, datetime, timedelta
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
        extra={"expected": "a time such as 2026-11-28T09:00:00.000Z", "shown": True},
    ),
]


#: What ``time_of`` takes, in words.
MOMENT_WORDS = "a time such as 2026-11-28T09:00:00Z"
_DATE, _CLOCK, _ZONE = "[0-9]{4}-[0-9]{2}-[0-9]{2}", "[0-9]{2}:[0-9]{2}:[0-9]{2}", "([Zz]|[+-][0-9]{2}:[0-9]{2})"
_RFC_3339 = f"{_DATE}[Tt]{_CLOCK}(\\.[0-9]{{1,20}})?"
#: A time as others write it (RFC 3339): of any zone, with a fraction of a second or without.
AnyTime = Annotated[
    str,
    msgspec.Meta(
        # A plus sign in a query that was not escaped is a space.
        pattern=f"^{_RFC_3339}{_ZONE.replace('+', '+ ')}$(?!\\n)",
        extra_json_schema={"format": "date-time", "pattern": f"^{_RFC_3339}{_ZONE}$"},
        extra={"expected": MOMENT_WORDS, "shown": True},
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


_ANY_TIME = re.compile(f"({_DATE}T{_CLOCK})(?:\\.([0-9]+))?(Z|[+-][0-9]{{2}}:[0-9]{{2}})")


def time_of(text: str, *, up: bool = False) -> str:
    """An AnyTime as Time, cut to milliseconds; ``up``: to the next one. Raises ValueError for what is none."""
    match = _ANY_TIME.fullmatch(text.upper().replace(" ", "+"))
    if match is None:
        raise ValueError(f"expected {MOMENT_WORDS}")
    begin, fraction, zone = match.groups()
    try:
        moment = datetime.fromisoformat(begin + zone).astimezone(UTC)
        more = int((fraction or "0")[:3].ljust(3, "0")) + (up and (fraction or "")[3:].strip("0") != "")
        return from_datetime(moment + timedelta(milliseconds=more))
    except OverflowError as error:
        raise ValueError("expected a time of the years 1 to 9999") from error


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
