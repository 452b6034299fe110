"""JSON Schemas (2020-12) of our structs, with the words of their comments."""

from __future__ import annotations

import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from infra.ops.generate import comments

Schema = dict[str, Any]

#: What Python needs behind ``$``, and JSON Schema does not: RE2 (Go, Rust and others) has no look ahead.
_END = r"(?!\n)"

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def of_struct(struct: type[msgspec.Struct]) -> Schema:
    """The schema of a struct, in one piece: nested structs stand where they are used."""
    whole = msgspec.json.schema(struct)
    schema: Schema = _inlined(whole, whole.get("$defs", {}))
    schema.pop("title", None)
    schema.pop("description", None)
    if text := comments.docstring(struct):
        schema["description"] = comments.sentence(text)
    for name, text in comments.fields(struct).items():
        if name in schema.get("properties", {}):
            schema["properties"][name] = {"description": text, **schema["properties"][name]}
    return schema


def of_type(annotation: Any) -> Schema:
    """The schema of any type that a field may have."""
    whole = msgspec.json.schema(annotation)
    schema: Schema = _inlined(whole, whole.get("$defs", {}))
    return schema


def nullable(schema: Schema) -> Schema:
    """The schema, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def _inlined(value: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(value, list):
        return [_inlined(item, definitions) for item in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        return _inlined(definitions[name], definitions)
    found = {key: _inlined(item, definitions) for key, item in value.items() if key != "$defs"}
    if isinstance(found.get("description"), str):
        found["description"] = comments.sentence(comments.plain(found["description"]))
    if isinstance(found.get("pattern"), str):
        found["pattern"] = plain_pattern(found["pattern"])
    return found


def plain_pattern(pattern: str) -> str:
    """The same as JSON Schema means it, for every engine."""
    return pattern.removesuffix(_END)


def sample_of(struct: type[msgspec.Struct], **given: Any) -> Any:
    """A struct with a plausible value for every field that is not given: for views and folds that are tried out."""
    hints = get_type_hints(struct, include_extras=False)
    values = {field.name: _sample(hints[field.name]) for field in msgspec.structs.fields(struct)}
    return struct(**{**values, **given})


def _sample(annotation: Any) -> Any:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _sample(get_args(annotation)[0])
    if origin is Literal:
        return get_args(annotation)[0]
    if origin in (Union, types.UnionType):
        return _sample(next(one for one in get_args(annotation) if one is not type(None)))
    if origin is not None:
        return origin()
    return {str: "2026-11-21T08:15:30.123Z", int: 1, bool: True, float: 1.0}[annotation]
