"""JSON Schema as types that a programming language has: what is read of a schema, and how parts are put together.

Formats, patterns and bounds are left to the server. ``allOf`` is merged, also with the alternatives beside or within
it, so that what remains of ``oneOf`` with a discriminator is a union of objects that differ in a literal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import reduce
from typing import Any, NamedTuple

Schema = dict[str, Any]
Value = str | int | float | bool | None


class Ref(NamedTuple):
    """A named type."""

    name: str


class Literals(NamedTuple):
    """One of some values."""

    values: tuple[Value, ...]


class Scalar(NamedTuple):
    """``string``, ``integer``, ``number``, ``boolean``; ``null``; ``any``: whatever JSON can say."""

    name: str


class Array(NamedTuple):
    item: Type


class Map(NamedTuple):
    """An object with any names."""

    value: Type


class Field(NamedTuple):
    type: Type
    about: str


class Object(NamedTuple):
    """An object with these members. ``required`` may name some that only a schema merged with this one has."""

    fields: dict[str, Field]
    required: frozenset[str]


class Union(NamedTuple):
    options: tuple[Type, ...]


Type = Ref | Literals | Scalar | Array | Map | Object | Union

ANY = Scalar("any")
_PREFIX = "#/components/schemas/"
_TOGETHER = ("allOf", "oneOf", "anyOf")


def parse(schema: Schema, components: dict[str, Schema]) -> Type:
    """The type of a schema. ``components``: what references in an ``allOf`` stand for."""
    if "$ref" in schema:
        return Ref(schema["$ref"].removeprefix(_PREFIX))
    found: list[Type] = []
    if own := {name: value for name, value in schema.items() if name not in (*_TOGETHER, "discriminator")}:
        found += _own(own, components)
    parts = [parse(part, components) for part in schema.get("allOf", ())]
    for name in ("oneOf", "anyOf"):
        if name in schema:
            parts.append(union(*(parse(option, components) for option in schema[name])))
    if len(found) + len(parts) > 1:
        found, parts = [*found, *(resolved(part, components) for part in parts)], []
    return reduce(_merged, [*found, *parts]) if found or parts else ANY


def union(*options: Type) -> Type:
    """One of these, flat and without repetition."""
    flat: dict[str, Type] = {}
    for option in options:
        for one in option.options if isinstance(option, Union) else (option,):
            flat.setdefault(repr(one), one)
    return next(iter(flat.values())) if len(flat) == 1 else Union(tuple(flat.values()))


def _own(schema: Schema, components: dict[str, Schema]) -> list[Type]:
    """What a schema says itself; nothing when that is only words."""
    if "const" in schema:
        return [Literals((schema["const"],))]
    if "enum" in schema:
        return [Literals(tuple(schema["enum"]))]
    kind = schema.get("type", "object" if "properties" in schema or "required" in schema else None)
    if isinstance(kind, list):
        return [union(*(_plain(one, schema, components) for one in kind))]
    return [] if kind is None else [_plain(kind, schema, components)]


def _plain(kind: str, schema: Schema, components: dict[str, Schema]) -> Type:
    if kind == "array":
        return Array(parse(schema.get("items", {}), components))
    if kind != "object":
        return Scalar(kind)
    if "properties" not in schema and "required" not in schema:
        more = schema.get("additionalProperties", {})
        return Map(parse(more if isinstance(more, dict) else {}, components))
    fields = {
        name: Field(parse(one, components), str(one.get("description", "")))
        for name, one in schema.get("properties", {}).items()
    }
    return Object(fields, frozenset(schema.get("required", ())))


def resolved(type: Type, components: dict[str, Schema]) -> Type:
    """Without names on the outside: what is merged, or changed, must be seen."""
    if isinstance(type, Ref):
        return resolved(parse(components[type.name], components), components)
    if isinstance(type, Union):
        return union(*(resolved(option, components) for option in type.options))
    return type


def _merged(one: Type, other: Type) -> Type:
    """Both at once: of a member that both have the latter's type holds, as a part narrows what is common."""
    if isinstance(one, Union):
        return union(*(_merged(option, other) for option in one.options))
    if isinstance(other, Union):
        return union(*(_merged(one, option) for option in other.options))
    if isinstance(one, Object) and isinstance(other, Object):
        fields = dict(one.fields)
        for name, field in other.fields.items():
            fields[name] = Field(field.type, field.about or (one.fields[name].about if name in one.fields else ""))
        return Object(fields, one.required | other.required)
    # An object of any names, or something unsaid, says no more than its other part.
    return one if isinstance(other, Map) and isinstance(one, Object) else other


def reachable(start: Iterable[Type], types: dict[str, Type]) -> set[str]:
    """The names in some types, and in what those stand for."""
    found: set[str] = set()
    todo = [name for type in start for name in _names(type)]
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += _names(types[name])
    return found


def _names(type: Type) -> Iterator[str]:
    if isinstance(type, Ref):
        yield type.name
    elif isinstance(type, Object):
        for field in type.fields.values():
            yield from _names(field.type)
    elif isinstance(type, Union):
        for option in type.options:
            yield from _names(option)
    elif isinstance(type, Array | Map):
        yield from _names(type.item if isinstance(type, Array) else type.value)
