"""Schemas as generators of many languages understand them: the same instances are valid, said in fewer keywords.

- A value or null is a type with null where it is plain: ``{"type": ["string", "null"]}``. An enum is not: with null
  among its values generators make a class of it for each type.
- An enum says its type, and an object without named members that it is open: what is left out is read as "any" by
  some generators, and as "nothing" by others.
- A default of a member that may be left out stands in its description: some generators take a member with a default
  for one that is always there, and ask for it in requests.
- A pattern is one that RE2 compiles (``shapes.plain_pattern``).
"""

from __future__ import annotations

import json
from typing import Any

_NULL = {"type": "null"}
#: Where instances stand, not schemas.
_VALUES = frozenset({"example", "examples", "default", "enum", "const", "mapping"})


def portable(value: Any) -> Any:
    """A document with all schemas in it made portable."""
    if isinstance(value, list):
        return [portable(item) for item in value]
    if not isinstance(value, dict):
        return value
    found = {key: item if key in _VALUES else portable(item) for key, item in value.items()}
    if "anyOf" in found:
        found = _with_null(found)
    if "type" not in found and isinstance(found.get("enum"), list) and all(isinstance(x, str) for x in found["enum"]):
        found = {"type": "string", **found}
    if found.get("type") in ("object", ["object", "null"]) and not _named(found):
        found["additionalProperties"] = True
    if isinstance(found.get("properties"), dict):
        needed = found.get("required", ())
        found["properties"] = {
            name: one if name in needed else _undefaulted(one) for name, one in found["properties"].items()
        }
    return found


def _undefaulted(schema: dict[str, Any]) -> dict[str, Any]:
    if "default" not in schema:
        return schema
    found = {key: value for key, value in schema.items() if key != "default"}
    if schema["default"] not in (None, "", [], {}):
        about = f"{found.get('description', '')} Default: `{json.dumps(schema['default'])}`."
        found["description"] = about.strip()
    return found


def _named(schema: dict[str, Any]) -> bool:
    """Whether it says anything of its members. A field may be called ``properties``, so their kind counts too."""
    return isinstance(schema.get("properties"), dict) or "additionalProperties" in schema


def _with_null(schema: dict[str, Any]) -> dict[str, Any]:
    """``anyOf`` of one plain type and null as one schema."""
    options = [one for one in schema["anyOf"] if one != _NULL]
    if len(options) != 1 or len(schema["anyOf"]) != 2:
        return schema
    (one,) = options
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    if not isinstance(one.get("type"), str) or one["type"] == "array" or "enum" in one:
        return schema
    return {**one, **rest, "type": [one["type"], "null"]}
