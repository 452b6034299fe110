"""When two free JSON values are one and the same, and when one contains the other."""

from __future__ import annotations

from typing import Any

import pytest

from events.core.free_json import contains, same


@pytest.mark.parametrize("value", [None, True, 0, -0.0, 1e308, 2**64, "a", [1, [2]], {"a": {"b": 1.5}}])
def test_a_value_is_the_same_as_itself(value: Any) -> None:
    assert same(value, value)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, True), (0, False), (1, 1.0), (0.0, -0.0), ([1], [True]), ({"a": 0}, {"a": False}), (1e23, 10**23), ("1", 1),
        ({}, []), ({"a": None}, {}),
    ],
)  # fmt: skip
def test_what_a_reader_of_json_tells_apart_is_not(one: Any, other: Any) -> None:
    assert not same(one, other) and not same(other, one)


def test_the_order_of_members_does_not_matter() -> None:
    assert same({"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"d": 3, "c": 2}, "a": 1})


WHOLE: dict[str, Any] = {"a": {"b": [1, {"c": True, "d": None}, [2, 3]]}, "e": 1.0, "f": "x"}


@pytest.mark.parametrize(
    "part",
    [
        {}, {"e": 1}, {"f": "x", "a": {}}, {"a": {"b": []}}, {"a": {"b": [1, 1]}}, {"a": {"b": [[3], {"c": True}]}},
        {"a": {"b": [{"d": None}, {}]}}, WHOLE,
    ],
)  # fmt: skip
def test_an_object_contains(part: dict[str, Any]) -> None:
    assert contains(WHOLE, part)


@pytest.mark.parametrize(
    "part",
    [
        {"g": None}, {"e": True}, {"e": 2}, {"e": "1"}, {"a": {"b": 1}}, {"a": {"b": [2]}}, {"a": []}, {"f": {}},
        {"a": {"b": [{"c": 1}]}}, {"a": {"b": [[2, 4]]}}, {"a": {"b": [{"d": False}]}},
    ],
)  # fmt: skip
def test_an_object_does_not_contain(part: dict[str, Any]) -> None:
    assert not contains(WHOLE, part)
