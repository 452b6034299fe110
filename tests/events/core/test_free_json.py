"""When two free JSON values are one and the same."""

from __future__ import annotations

from typing import Any

import pytest

from events.core.free_json import same


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
