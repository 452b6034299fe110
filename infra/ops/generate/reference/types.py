"""JSON Schemas in words, for table cells."""

from __future__ import annotations

import json
from typing import Any

Schema = dict[str, Any]


def words(schema: Schema) -> str:
    """``string of 1-100 characters``, ``integer or null``, ``"friend" or "block"``."""
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return " or ".join(words(option) for option in schema[several])
    if "enum" in schema:
        return " or ".join(json.dumps(value) for value in schema["enum"])
    if "const" in schema:
        return json.dumps(schema["const"])
    kind = schema.get("type", "any JSON")
    bounds = _bounds(schema)
    if kind == "object":
        values = schema.get("additionalProperties")
        return f"map of {words(values)}{bounds}" if isinstance(values, dict) else f"object{bounds}"
    if "prefixItems" in schema:
        return f"[{', '.join(words(item) for item in schema['prefixItems'])}]"
    if kind == "array":
        return f"list of {words(schema['items'])}{bounds}" if "items" in schema else f"list{bounds}"
    if schema.get("format") == "date-time":
        return "time"
    return f"{kind}{bounds}"


def _bounds(schema: Schema) -> str:
    for low, high, unit in (
        ("minLength", "maxLength", " characters"), ("minItems", "maxItems", " items"),
        ("minProperties", "maxProperties", " entries"), ("minimum", "maximum", ""),
    ):  # fmt: skip
        least, most = schema.get(low), schema.get(high)
        if most is not None and most >= 2**53 - 1:
            most = None
        if least is not None and most is not None:
            return f", {least}-{most}{unit}"
        if most is not None:
            return f", at most {most}{unit}"
        if least is not None and least > 0:
            return f", at least {least}{unit}"
    return ""
