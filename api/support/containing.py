"""What a ``custom`` object is to contain, for lists that are filtered by it."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from api.support.problems import Problem
from events.core.faults import fault, found, wrong
from producers.limits import CUSTOM_BYTES, checked, unstorable

#: A JSON object, as text: a query has no other values.
Containing = Annotated[str, msgspec.Meta(min_length=2, max_length=CUSTOM_BYTES)]

_WHAT = "a JSON object, as text"


def containing(text: str | None) -> dict[str, Any] | None:
    """The object that is asked for, within the limits of ``custom`` itself; None without one.

    Raises Problem ``invalid`` for what is none, and Refused for what is beyond the limits.
    """
    return None if text is None else checked(part_of(text))


def part_of(text: str) -> dict[str, Any]:
    """The object that is asked for, whatever its size. Raises Problem ``invalid`` for what is none."""
    try:
        part = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise Problem("invalid", errors=[wrong("/custom", _WHAT, fault(text, error))]) from error
    if not isinstance(part, dict):
        raise Problem("invalid", errors=[wrong("/custom", _WHAT, found(part))])
    if (unkept := unstorable({"custom": part})) is not None:
        raise Problem("invalid", errors=[unkept])
    return part
