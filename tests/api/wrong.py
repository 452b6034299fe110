"""Wrong input of every operation, made from the OpenAPI document: for each member something of another kind."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from infra.ops.generate.files import ROOT

Schema = dict[str, Any]

#: What strings may be wanted as; the first that fits is sent.
_TEXTS = (
    "ada", "Ada", "ada@example.org", "2026-11-28T09:00:00Z", "https://example.org/cat.png", "a" * 10, "a" * 40, "1",
    "00000000-0000-7000-8000-000000000000", "rooms/0/1", "abc:1",
)  # fmt: skip
#: Of each kind, something of another: which of them a schema takes is judged by its ``type``.
_KINDS: dict[str, Any] = {
    "string": "no", "integer": 7, "number": 1.5, "boolean": True, "null": None, "array": [1], "object": {"a": 1},
}  # fmt: skip


class Wrong(NamedTuple):
    """One wrong request."""

    operation: str
    #: Where it is wrong: ``/name``.
    pointer: str
    #: Whether the place is in path or query.
    parameter: bool
    values: dict[str, Any]


def bodies() -> Iterator[Wrong]:
    """For each member of each body, also of objects and arrays in it, a value of another kind."""
    for operation in _operations():
        if "requestBody" not in operation:
            continue
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        path = {one["name"]: fitting(one["schema"]) for one in operation["parameters"] if one.get("in") == "path"}
        for pointer, value in _spoiled(schema):
            yield Wrong(operation["operationId"], pointer, False, {**path, **value})


def numbers() -> Iterator[Wrong]:
    """For each parameter that is no text, a word; for each that has limits, what is beyond them."""
    for operation in _operations():
        given = [one for one in operation["parameters"] if one.get("in") in ("path", "query")]
        whole = {one["name"]: fitting(one["schema"]) for one in given if one["required"]}
        for one in given:
            kind, name = one["schema"].get("type"), one["name"]
            if kind in ("integer", "boolean"):
                yield Wrong(operation["operationId"], f"/{name}", True, {**whole, name: "three"})
            if "maximum" in one["schema"] and one["schema"]["maximum"] < 2**53:
                yield Wrong(operation["operationId"], f"/{name}", True, {**whole, name: one["schema"]["maximum"] + 1})
            if "enum" in one["schema"]:
                yield Wrong(operation["operationId"], f"/{name}", True, {**whole, name: "none-of-them"})
            if one.get("in") == "path":
                yield Wrong(operation["operationId"], f"/{name}", True, {**whole, name: "a b"})


def _operations() -> Iterator[Schema]:
    document = json.loads((ROOT / "schemas" / "openapi.json").read_text())
    for path in document["paths"].values():
        for operation in path.values():
            if operation["operationId"] != "stream":
                yield operation


def fitting(schema: Schema) -> Any:
    """A value that a schema takes."""
    for name in ("const", "default"):
        if schema.get(name) is not None:
            return schema[name]
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return fitting(next(one for one in schema["anyOf"] if one.get("type") != "null"))
    kind = schema.get("type")
    match kind[0] if isinstance(kind, list) else kind:
        case "object":
            known = schema.get("properties", {})
            return {name: fitting(known[name]) for name in schema.get("required", ())}
        case "array":
            return [fitting(schema["items"])]
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
        case "string":
            return next(text for text in _TEXTS if _fits(text, schema))
    return {}


def _fits(text: str, schema: Schema) -> bool:
    if not schema.get("minLength", 0) <= len(text) <= schema.get("maxLength", len(text)):
        return False
    if schema.get("format") == "email" and "@" not in text:
        return False
    return re.search(schema.get("pattern", ""), text) is not None


def _kinds(schema: Schema) -> set[str]:
    """The JSON types that a schema takes; all where it names none."""
    if "anyOf" in schema:
        return set[str]().union(*(_kinds(one) for one in schema["anyOf"]))
    if "enum" in schema or "const" in schema:
        return {"string"} | ({"null"} if None in schema.get("enum", ()) else set())
    kind = schema.get("type")
    kinds = set(_KINDS) if kind is None else {kind} if isinstance(kind, str) else set(kind)
    return kinds | {"integer"} if "number" in kinds else kinds


def _spoiled(schema: Schema) -> Iterator[tuple[str, Any]]:
    """Values of an object's schema that are wrong in one place, and where."""
    good = fitting(schema)
    for name, part in schema.get("properties", {}).items():
        for kind in _KINDS.keys() - _kinds(part):
            yield f"/{name}", {**good, name: _KINDS[kind]}
        for option in part.get("anyOf", [part]):
            if option.get("type") == "object" and option.get("properties"):
                yield from ((f"/{name}{at}", {**good, name: value}) for at, value in _spoiled(option))
            elif option.get("type") == "array":
                items = option["items"]
                for kind in _KINDS.keys() - _kinds(items):
                    yield f"/{name}/1", {**good, name: [fitting(items), _KINDS[kind]]}
                if items.get("properties"):
                    yield from ((f"/{name}/0{at}", {**good, name: [value]}) for at, value in _spoiled(items))
    for name in schema.get("required", ()):
        yield f"/{name}", {other: value for other, value in good.items() if other != name}
    if schema.get("additionalProperties") is False:
        yield "/admin", {**good, "admin": True}
