"""JSON objects that clients send, before anybody knows what is to be in them."""

from __future__ import annotations

from typing import Any

import msgspec

from api.support.problems import Problem
from events.core.faults import found, unreadable, wrong


def decode_object(body: bytes | str) -> dict[str, Any]:
    """A JSON object. Raises Problem ``malformed``."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise Problem("malformed", errors=[wrong("", "JSON", unreadable(body, error))]) from error
    if not isinstance(value, dict):
        raise Problem("malformed", errors=[wrong("", "a JSON object", found(value))])
    return value
