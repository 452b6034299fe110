"""The contracts are such as generators and validators of any language take: patterns, nulls, defaults, free objects."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import re2

from api.registry import all_operations
from infra.ops.generate.descriptions import DESCRIPTIONS
from infra.ops.generate.files import ROOT
from infra.ops.generate.portable import portable

FILES = [
    ROOT / "schemas" / "openapi.json", ROOT / "schemas" / "asyncapi.json", ROOT / "schemas" / "envelope.json",
    *sorted((ROOT / "schemas" / "events").rglob("*.json")),
]  # fmt: skip
OPENAPI = json.loads(FILES[0].read_text())


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """All objects of a document."""
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from objects(item)
    elif isinstance(value, list):
        for item in value:
            yield from objects(item)


def patterns(path: Path) -> list[str]:
    found = objects(json.loads(path.read_text()))
    return [one["pattern"] for one in found if isinstance(one.get("pattern"), str)]


def test_every_pattern_is_one_of_re2() -> None:
    """Engines that run in linear time (RE2 of Go, Rust) know neither look around nor references back."""
    assert sum(len(patterns(path)) for path in FILES) > 100
    for path in FILES:
        for pattern in patterns(path):
            re2.compile(pattern)
    with pytest.raises(re2.error):
        re2.compile(r"^a$(?!\n)")


def test_what_may_be_null_or_left_out_is_said_in_few_words() -> None:
    assert portable({"anyOf": [{"type": "string", "maxLength": 9}, {"type": "null"}], "default": None}) == {
        "type": ["string", "null"], "maxLength": 9, "default": None,
    }  # fmt: skip
    assert portable({"anyOf": [{"enum": ["a", "b"]}, {"type": "null"}]}) == {
        "anyOf": [{"type": "string", "enum": ["a", "b"]}, {"type": "null"}],
    }  # fmt: skip
    reference = {"anyOf": [{"$ref": "#/x"}, {"type": "null"}]}
    assert portable(reference) == reference
    assert portable({"type": "object"}) == {"type": "object", "additionalProperties": True}
    whole = {"type": "object", "properties": {"n": {"type": "integer", "default": 1}}}
    assert portable(whole)["properties"] == {"n": {"type": "integer", "description": "Default: `1`."}}
    assert portable({**whole, "required": ["n"]})["properties"]["n"]["default"] == 1


def test_examples_are_no_schemas() -> None:
    example = {"example": {"type": "object", "enum": ["a"]}}
    assert portable(example) == example


def test_no_schema_says_more_than_it_has_to() -> None:
    for one in objects({**OPENAPI["paths"], **OPENAPI["components"]}):
        options = one.get("anyOf")
        if isinstance(options, list) and len(options) == 2 and {"type": "null"} in options:
            assert any("$ref" in option or option.get("type") == "array" or "enum" in option for option in options), one
        if one.get("type") == "object":
            assert "properties" in one or "additionalProperties" in one, one


def test_every_operation_is_described_in_words_that_end() -> None:
    assert DESCRIPTIONS.keys() == {operation.name for operation in all_operations()}
    assert [name for name, text in DESCRIPTIONS.items() if not text.endswith(".") or len(text) < 30] == []


def bodies() -> Iterator[tuple[str, dict[str, Any]]]:
    for methods in OPENAPI["paths"].values():
        for one in methods.values():
            if "requestBody" in one:
                yield one["operationId"], one["requestBody"]["content"]["application/json"]["schema"]


def closed(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """The object that a body is, or each kind of it."""
    if "$ref" in schema:
        return closed(OPENAPI["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    return [kind for one in schema["oneOf"] for kind in closed(one)] if "oneOf" in schema else [schema]


@pytest.mark.parametrize(("name", "schema"), list(bodies()), ids=[name for name, _ in bodies()])
def test_a_body_is_closed(name: str, schema: dict[str, Any]) -> None:
    """The server refuses members that it does not know: so does the contract."""
    assert all(one["additionalProperties"] is False for one in closed(schema))


@pytest.mark.parametrize("name", ["TextContent", "ImageContent", "FileContent", "RoomSettingsChange"])
def test_what_is_in_a_body_is_closed(name: str) -> None:
    assert OPENAPI["components"]["schemas"][name]["additionalProperties"] is False
