"""Free JSON: the values that clients make up, in ``content``, ``data``, ``model_data`` and ``emotion_data``. Pure.

They are given back as they were sent, in value: an integer with all its digits, a number with a fraction or an exponent
as the double (IEEE 754) that it is to JavaScript and Swift too.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from events.core.faults import kind

_sorted = msgspec.json.Encoder(order="sorted").encode


def same(one: object, other: object) -> bool:
    """Whether two JSON values are one and the same to a reader of JSON, whatever the order of members.

    To Python ``True == 1 == 1.0`` and ``-0.0 == 0``.
    """
    return bool(one == other) and _sorted(one) == _sorted(other)


def contains(whole: Any, part: Any) -> bool:
    """Whether an object contains another as Postgres' ``jsonb @>`` has it.

    Each name of the part is there, with a value that contains its value; of an array each item is contained in one of
    the other's, wherever it stands; numbers are equal by their value (``1`` and ``1.0``).
    """
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(name in whole and contains(whole[name], part[name]) for name in part)
    if isinstance(part, list):
        return isinstance(whole, list) and all(any(contains(one, item) for one in whole) for item in part)
    if isinstance(whole, dict | list):
        return False
    return _scalar(whole) == _scalar(part)


def _scalar(value: Any) -> tuple[str, Any]:
    """With its kind, as to Python ``True == 1``; a number as the decimal that it is written as."""
    found = kind(value)
    return found, Decimal(repr(value)) if found == "a number" else value
