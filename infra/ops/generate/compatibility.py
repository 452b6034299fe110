"""Whether readers of the past, and of the log's past, go on working: pure comparison of JSON Schemas."""

from __future__ import annotations

from typing import Any

from infra.ops.generate import shapes

Schema = dict[str, Any]

#: Keywords whose larger value admits less, and those whose smaller value does.
_LOWER_BOUNDS = ("minimum", "minLength", "minItems", "minProperties", "exclusiveMinimum")
_UPPER_BOUNDS = ("maximum", "maxLength", "maxItems", "maxProperties", "exclusiveMaximum")
#: Keywords that are words for people and change nothing.
_WORDS = ("description", "title", "$id", "$schema", "examples", "$comment")


def breaks(old: Schema, new: Schema, *, lifted: bool = False, where: str = "data") -> list[str]:
    """What in ``new`` breaks those who know ``old``; empty when it is compatible.

    ``lifted``: an upcaster turns old data into new data, so that new code may ask for what old data does not have.
    A removed field is refused even so: tools that read the topic know it by its name.
    """
    found: list[str] = []
    old_fields = _without_null(old).get("properties", {})
    new_fields = _without_null(new).get("properties", {})
    for name, schema in old_fields.items():
        if name not in new_fields:
            found.append(f"{where}.{name}: the field was removed; keep it, or make a new event type")
        else:
            found += breaks(schema, new_fields[name], lifted=lifted, where=f"{where}.{name}")
    if lifted:
        return found
    required = set(_without_null(new).get("required", ())) - set(_without_null(old).get("required", ()))
    for name in sorted(required):
        found.append(f"{where}.{name}: required, but old data may be without it; give it a default, or an upcaster")
    return found + _narrowed(old, new, where)


def _narrowed(old: Schema, new: Schema, where: str) -> list[str]:
    hint = "accept what it accepted before, or write an upcaster"
    found = []
    kinds = _kinds(new)
    if lost := {kind for kind in _kinds(old) if kind not in kinds and _wider(kind) not in kinds}:
        found.append(f"{where}: no longer takes {', '.join(sorted(lost))}; {hint}")
    old, new = _without_null(old), _without_null(new)
    for keyword in (*_LOWER_BOUNDS, *_UPPER_BOUNDS):
        before, after = old.get(keyword), new.get(keyword)
        tighter = after is not None and (
            before is None or (after > before if keyword in _LOWER_BOUNDS else after < before)
        )
        if tighter:
            found.append(f"{where}: {keyword} was {before}, now {after}; {hint}")
    for keyword in ("pattern", "format", "const"):
        if new.get(keyword) is not None and _bare({keyword: new[keyword]}) != _bare({keyword: old.get(keyword)}):
            found.append(f"{where}: {keyword} was {old.get(keyword)!r}, now {new[keyword]!r}; {hint}")
    for keyword in ("items", "additionalProperties", "propertyNames"):
        if keyword not in new:
            continue
        before, after = old.get(keyword, {}), new[keyword]
        if after is False and before is not False:
            found.append(f"{where}: {keyword} was open, now closed; {hint}")
        elif isinstance(before, dict) and isinstance(after, dict):
            found += _narrowed(before, after, f"{where}.{keyword}")
    return found


def _without_null(schema: Schema) -> Schema:
    """What something-or-null is when it is not null; any other schema as it is."""
    options = [option for option in schema.get("anyOf", ()) if option != {"type": "null"}]
    return options[0] if len(options) == 1 else schema


def _kinds(schema: Schema) -> set[str]:
    """The types and values that a schema takes, each by a name: ``string``, ``null``, ``"friend"``."""
    if "anyOf" in schema:
        return set().union(*(_kinds(option) for option in schema["anyOf"]))
    if "enum" in schema:
        return {repr(value) for value in schema["enum"]}
    if "const" in schema:
        return {repr(schema["const"])}
    kinds = schema.get("type", ["object", "array", "string", "number", "integer", "boolean", "null"])
    return set(kinds) if isinstance(kinds, list) else {kinds}


def _wider(kind: str) -> str:
    """The type that takes this one too: a number any integer, a string any of the values in quotes."""
    if kind[:1] in "'\"":
        return "string"
    return "number" if kind == "integer" or kind.lstrip("-").isdigit() else kind


def changed(old: Schema, new: Schema) -> bool:
    """Whether two schemas differ in more than words."""
    return bool(_bare(old) != _bare(new))


def _bare(value: Any, names: bool = False) -> Any:
    """``names``: the keys are names of fields, none of them a keyword."""
    if isinstance(value, dict):
        return {
            key: shapes.plain_pattern(item)
            if key == "pattern" and isinstance(item, str)
            else _bare(item, names=key == "properties" and not names)
            for key, item in value.items()
            if names or key not in _WORDS
        }
    if isinstance(value, list):
        return [_bare(item) for item in value]
    return value
