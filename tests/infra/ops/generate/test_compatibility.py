"""The check refuses every kind of change that breaks a reader of the past, and lets the others pass."""

from __future__ import annotations

from typing import Any

import pytest

from infra.ops.generate.compatibility import breaks, changed

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
OLD: Schema = {
    "type": "object",
    "properties": {
        "user": {"type": "string", "maxLength": 100},
        "role": {"enum": ["owner", "member"]},
        "seq": {"type": "integer", "minimum": 0},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "tags": {"type": "array", "items": {"type": "string"}},
        "place": {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]},
    },
    "required": ["user", "role"],
}


def with_(**fields: Schema | None) -> Schema:
    """The old schema with some fields replaced, added or (None) taken away."""
    properties = {name: schema for name, schema in {**OLD["properties"], **fields}.items() if schema is not None}
    return {**OLD, "properties": properties}


BREAKS = {
    "a removed field": (with_(user=None), "data.user: the field was removed"),
    "a removed nested field": (with_(place={"type": "object", "properties": {}}), "data.place.x: the field was"),
    "a new required field": ({**with_(why=TEXT), "required": ["user", "role", "why"]}, "data.why: required"),
    "an old field that must be there now": ({**OLD, "required": ["user", "role", "seq"]}, "data.seq: required"),
    "another type": (with_(seq={"type": "string"}), "data.seq: no longer takes integer"),
    "null no longer": (with_(note={"type": "string"}), "data.note: no longer takes null"),
    "a value less": (with_(role={"enum": ["owner"]}), "data.role: no longer takes 'member'"),
    "text that becomes a choice": (with_(user={"enum": ["a"]}), "data.user: no longer takes string"),
    "a shorter text": (with_(user={"type": "string", "maxLength": 50}), "data.user: maxLength was 100, now 50"),
    "a bound that was not": (with_(note={"type": ["string", "null"], "maxLength": 9}), "data.note: maxLength was None"),
    "a higher least": (with_(seq={"type": "integer", "minimum": 1}), "data.seq: minimum was 0, now 1"),
    "a bound on what may be null": (
        with_(note={"anyOf": [{"type": "string", "maxLength": 9}, {"type": "null"}]}),
        "data.note: maxLength was None",
    ),
    "a pattern": (with_(user={"type": "string", "maxLength": 100, "pattern": "^a"}), "data.user: pattern was None"),
    "other items": (with_(tags={"type": "array", "items": {"type": "integer"}}), "data.tags.items: no longer takes"),
    "a closed object": (
        with_(place={**OLD["properties"]["place"], "additionalProperties": False}), "data.place: additionalProperties",
    ),
}  # fmt: skip

FINE = {
    "nothing": OLD,
    "other words": with_(user={"type": "string", "maxLength": 100, "description": "Who."}),
    "a new optional field": with_(why={"type": "string", "default": ""}),
    "a value more": with_(role={"enum": ["owner", "member", "guest"]}),
    "a choice that becomes text": with_(role={"type": "string"}),
    "a number instead of an integer": with_(seq={"type": "number", "minimum": 0}),
    "null as well": with_(seq={"anyOf": [{"type": "integer"}, {"type": "null"}]}),
    "a longer text": with_(user={"type": "string", "maxLength": 200}),
    "a bound less": with_(user={"type": "string"}),
    "no longer required": {**OLD, "required": ["user"]},
}


@pytest.mark.parametrize("what", BREAKS)
def test_refuses(what: str) -> None:
    new, line = BREAKS[what]
    found = breaks(OLD, new)
    assert [text for text in found if text.startswith(line)], found


@pytest.mark.parametrize("what", FINE)
def test_lets_pass(what: str) -> None:
    assert breaks(OLD, FINE[what]) == []


@pytest.mark.parametrize("what", BREAKS)
def test_an_upcaster_helps_against_all_but_removal(what: str) -> None:
    new, line = BREAKS[what]
    assert bool(breaks(OLD, new, lifted=True)) == ("the field was" in line)


def test_words_are_no_change() -> None:
    assert not changed(OLD, FINE["other words"])
    assert changed(OLD, FINE["a new optional field"])


def test_a_field_may_be_called_like_a_word() -> None:
    """``title`` as the name of a field is no title."""
    old: Schema = {"type": "object", "properties": {"title": {"type": "string"}}}
    assert changed(old, {"type": "object", "properties": {}})
