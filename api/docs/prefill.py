"""What forms begin with: values of an operation's example, without ids. Those of the examples are nobody's here."""

from __future__ import annotations

import re
from typing import Any

from api.docs.requests import Document, Parameter

#: An id as the server makes it: the examples name what they tell of by no other.
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

_ROOM = "Make a room first: [`rooms.create`](#rooms.create)."
_MESSAGE = "Send a message first: [`messages.send`](#messages.send)."
_VISUAL = "Make a visual first: [`visuals.create`](#visuals.create)."
_USER = "Find somebody first: [`users.find`](#users.find)."
#: Where an id is from, in Markdown, by the member that holds it.
SOURCES = {
    "room": _ROOM, "message": _MESSAGE, "visual": _VISUAL, "visual_id": _VISUAL, "user": _USER, "users": _USER,
    "app": "Make an application first: [`apps.create`](#apps.create).",
    "plan": "Make a plan first: [`plans.define`](#plans.define).",
    "team": "Make a team first: [`teams.create`](#teams.create).",
    "actor": _USER, "stream": "See which are parked: [`console.parked`](#console.parked).",
}  # fmt: skip


def parameter(row: Parameter) -> Parameter:
    """The parameter with what a form begins with: None for an optional one, empty for one that is needed, for an id."""
    return row._replace(value="" if row.required else None) if has_id(row.value) else row


def body(value: Any, schema: Document) -> Any:
    """The body without members that may be left out and hold ids; those that are needed have empty texts for them.

    If nothing is left, one of the members is needed after all: they are kept, with empty texts.
    """
    left = _without_ids(value, schema)
    return left if left or not value else _blank(value)


def blanks(value: Any) -> list[str]:
    """Names of members of a prefilled body that wait for an id, each once, in order."""
    if isinstance(value, dict):
        found = [name for name, one in value.items() if one == "" and name in SOURCES]
        return list(dict.fromkeys([*found, *(name for one in value.values() for name in blanks(one))]))
    return list(dict.fromkeys(name for one in value for name in blanks(one))) if isinstance(value, list) else []


def has_id(value: Any) -> bool:
    """Whether an id stands anywhere in it."""
    if isinstance(value, dict):
        return any(map(has_id, value.values()))
    if isinstance(value, list):
        return any(map(has_id, value))
    return isinstance(value, str) and _ID.search(value) is not None


def _without_ids(value: Any, schema: Document) -> Any:
    if isinstance(value, list):
        return [_without_ids(one, schema.get("items", {})) for one in value]
    if not isinstance(value, dict):
        return _blank(value)
    known, required = schema.get("properties", {}), schema.get("required", ())
    return {
        name: _without_ids(one, known.get(name, {}))
        for name, one in value.items()
        # Of an object without a schema nobody knows what may be left out.
        if name in required or name not in known or not has_id(one)
    }


def _blank(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _blank(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_blank(one) for one in value]
    return "" if has_id(value) else value
