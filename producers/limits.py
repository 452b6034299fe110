"""Limits on what clients may send: annotated types for the fields of commands."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from producers.commands import Refused


def whole(pattern: str, **more: Any) -> msgspec.Meta:
    """Meta of text that is ``pattern`` from end to end.

    Python's ``$``, unlike JSON Schema's, also matches before a last line feed; the schema shows the plain pattern.
    """
    return msgspec.Meta(pattern=rf"^(?:{pattern})$(?!\n)", extra_json_schema={"pattern": f"^{pattern}$"}, **more)


#: S2: 3-50 characters, letters, digits, underscore and dash.
Username = Annotated[str, whole("[A-Za-z0-9_-]{3,50}")]
#: A name that people see: 1-100 characters, none of them a control character. The pattern is what can be said by one;
#: the rest of the rule is ``names.check_name``, which decisions ask.
ShownName = Annotated[str, whole(r"[^\x00-\x1f\x7f]*", min_length=1, max_length=100)]
#: The same, or none: as a room's name is read.
ReadName = Annotated[str, whole(r"[^\x00-\x1f\x7f]*", max_length=100)]
#: An id that somebody else made: a UUID or a slug.
Id = Annotated[str, whole("[A-Za-z0-9_-]+", min_length=1, max_length=100)]
#: S2: letters, digits and dashes, safe in a URL.
Slug = Annotated[str, whole("[a-z0-9]+(-[a-z0-9]+)*", min_length=1, max_length=100)]
#: What a room is for; line ends are allowed, other control characters are not.
Description = Annotated[str, whole(r"[^\x00-\x08\x0b-\x1f\x7f]*", min_length=1, max_length=2000)]
#: A client's idempotency key.
Token = Annotated[str, whole(r"[\x21-\x7e]+", min_length=1, max_length=128)]
DataKey = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
DataValue = Annotated[str, msgspec.Meta(max_length=1024)]
#: S0's map of strings: at most 64 entries.
Data = Annotated[dict[DataKey, DataValue], msgspec.Meta(max_length=64)]
#: A change of such a map: null removes an entry (RFC 7396). One more than a map has, as a user's holds what we note.
DataPatch = Annotated[dict[DataKey, DataValue | None], msgspec.Meta(max_length=65)]
#: Any JSON object; its encoded size is bounded where it is used.
Object = dict[str, Any]

DATA_ENTRIES = 64
#: Levels of nesting of a request.
DEPTH = 64
MODEL_BYTES = 32 * 1024
EMOTION_BYTES = 16 * 1024
CONTENT_BYTES = 16 * 1024
METADATA_BYTES = 8 * 1024


def bounded(name: str, value: Any, most: int) -> None:
    """Refuses a JSON value whose encoding is longer than ``most`` bytes."""
    size = len(msgspec.json.encode(value))
    if size > most:
        raise Refused("too_large", f"{name}: expected at most {most} bytes of JSON, got {size}")


def patched(data: dict[str, str], patch: dict[str, str | None]) -> dict[str, str]:
    """A data map after a merge patch (RFC 7396). Refuses to grow it beyond DATA_ENTRIES entries.

    A map may hold more: what the server itself notes in it, like the last log-in, is not the client's fault.
    """
    merged: dict[str, str | None] = {**data, **patch}
    result = {name: value for name, value in merged.items() if value is not None}
    if len(result) > max(DATA_ENTRIES, len(data)):
        raise Refused("too_large", f"data: expected at most {DATA_ENTRIES} entries, got {len(result)}")
    return result


def unstorable(value: Any) -> str | None:
    """Why a decoded JSON value cannot be kept; None when it can.

    Postgres does not store U+0000, and each reader of the log has a limit of its own on nesting.
    """
    level = [value]
    for _ in range(DEPTH + 1):
        below: list[Any] = []
        for item in level:
            if isinstance(item, str) and "\x00" in item:
                return "expected no U+0000 in any string"
            if isinstance(item, dict):
                below += item.keys()
                below += item.values()
            elif isinstance(item, list):
                below += item
        if not below:
            return None
        level = below
    return f"expected at most {DEPTH} levels of nesting"
