"""JSON Schemas as rows of a table, in words, and as an example."""

from __future__ import annotations

import json
from html import escape
from typing import Any

from api.docs.markup import MemberRow

Schema = dict[str, Any]

#: Examples for members whose name says more than their type.
_KNOWN: dict[str, Any] = {
    "username": "ada", "password": "correct horse", "name": "Ada Lovelace", "type": None, "client_id": "c1f7",
    "emotion": "joy", "content": {"text": "Good morning"}, "members": ["USER"], "seq": 17,
    "model_data": {"shape": "fox"}, "emotion_data": {"joy": True}, "visual_id": "VISUAL",
}  # fmt: skip
#: Members that have an older name, or a header, beside them: no schema can say that one of these is needed.
_WANTED = ("client_id",)


def rows(schema: Schema) -> list[MemberRow]:
    """The members of an object."""
    required = schema.get("required", ())
    return [
        MemberRow(escape(name), link(one) + ("" if name in required else ", optional"), _about(one))
        for name, one in schema.get("properties", {}).items()
    ]


def _about(schema: Schema) -> str:
    text = escape(str(schema.get("description", "")), quote=False)
    parts = text.split("`")
    text = "".join(f"<code>{part}</code>" if n % 2 else part for n, part in enumerate(parts))
    default = schema.get("default")
    return text if default in (None, {}, []) else f"{text} Default: <code>{escape(json.dumps(default))}</code>."


def link(schema: Schema) -> str:
    """The type in words, as HTML; a view as a link to it."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#view-{name}">{name}</a>'
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return " or ".join(link(option) for option in schema[several])
    if isinstance(schema.get("type"), list):
        known = [value for value in schema.get("enum", ()) if value is not None]
        plain = {**schema, "type": schema["type"][0], **({"enum": known} if known else {})}
        return f"{link(plain)} or null"
    if "enum" in schema:
        return " or ".join(f"<code>{escape(json.dumps(value))}</code>" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {link(schema['items'])}" if "items" in schema else "list"
    values = schema.get("additionalProperties")
    if schema.get("type") == "object" and isinstance(values, dict):
        return f"map of {link(values)}"
    if schema.get("format") == "date-time":
        return "time"
    return escape(str(schema.get("type", "any JSON"))) + _bounds(schema)


def _bounds(schema: Schema) -> str:
    least = schema.get("minLength", schema.get("minimum"))
    most = schema.get("maxLength", schema.get("maximum"))
    if most is None or most >= 2**53 - 1:
        return ""
    return f", {least}-{most}" if least is not None else f", at most {most}"


def example(schema: Schema) -> Any:
    """A value that a request may hold: what is required, or the first member when nothing is."""
    properties = schema.get("properties", {})
    names = [*(schema.get("required") or list(properties)[:1]), *(name for name in _WANTED if name in properties)]
    return {name: _value(name, properties[name]) for name in names}


def _value(name: str, schema: Schema) -> Any:
    known = _KNOWN.get(name)
    if known is not None:
        return known
    if "anyOf" in schema:
        return _value(name, schema["anyOf"][0])
    if "enum" in schema:
        return schema["enum"][-1]
    type = schema.get("type", "")
    # Of one that may be null the other.
    first = type[0] if isinstance(type, list) else type
    return {"string": name.upper(), "integer": 1, "boolean": True, "array": [], "object": {}}.get(first)
