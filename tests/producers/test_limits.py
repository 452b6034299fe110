"""Tests ``producers/limits.py``: what a ``custom`` object may be, and what a merge patch makes of one."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given as tries
from hypothesis import strategies as st

from events.core.free_json import same
from producers.commands import Refused
from producers.limits import CUSTOM_BYTES, checked, merged

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=1), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text("abc", max_size=1), JSON, max_size=3)


def nested(levels: int) -> dict[str, Any]:
    """An object of so many levels, lists between objects."""
    value: Any = 1
    for n in range(levels - 1):
        value = [value] if n % 2 else {"a": value}
    return {"a": value}


#: What is just within a limit, what is just beyond it, how that is refused, and where.
EDGES: dict[str, tuple[dict[str, Any], dict[str, Any], str, str]] = {
    "bytes": ({"a": "x" * (CUSTOM_BYTES - 8)}, {"a": "x" * (CUSTOM_BYTES - 7)}, "too_large", "/custom"),
    "bytes, not characters": ({"a": "é" * 2556}, {"a": "é" * 2557}, "too_large", "/custom"),
    "levels": (nested(5), nested(6), "invalid", "/custom/a/a/0/a/0"),
    "names": (
        {"a": [{f"n{n}": n} for n in range(99)]}, {"a": [{f"n{n}": n} for n in range(100)]}, "too_large", "/custom",
    ),
    "characters of a name": (
        {"a": [{"x" * 100: 1}]}, {"a": [{"x" * 101: 1}]}, "invalid", "/custom/a/0",
    ),
}  # fmt: skip


@pytest.mark.parametrize("edge", EDGES)
def test_it_is_taken_up_to_the_limit_and_refused_beyond(edge: str) -> None:
    within, beyond, code, where = EDGES[edge]
    assert checked(within) == within
    with pytest.raises(Refused) as refused:
        checked(beyond)
    (fault,) = refused.value.errors
    assert (refused.value.code, fault["pointer"]) == (code, where)


#: Of RFC 7396, appendix A: those whose documents are objects.
APPENDIX: list[tuple[Any, Any, Any]] = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]


@pytest.mark.parametrize(("before", "patch", "after"), APPENDIX)
def test_a_merge_patch_does_what_the_rfc_says(before: Any, patch: Any, after: Any) -> None:
    assert merged(before, patch) == after


def test_what_is_large_can_be_made_smaller_and_exchanged_but_not_grow_beyond() -> None:
    full = {"a": "x" * (CUSTOM_BYTES - 8)}
    assert merged(full, {"a": None, "b": "y" * (CUSTOM_BYTES - 8)}) == {"b": "y" * (CUSTOM_BYTES - 8)}
    with pytest.raises(Refused, match="5120") as refused:
        merged(full, {"b": 1})
    assert refused.value.code == "too_large"


@tries(OBJECTS)
def test_values_are_kept_as_they_were_sent(given: dict[str, Any]) -> None:
    made = merged({}, given)
    if b"null" not in msgspec.json.encode(given):
        assert same(made, given)
    # What was read can be written back, and changes nothing.
    assert same(merged(made, made), made)


@tries(OBJECTS, OBJECTS)
def test_a_patch_changes_neither_what_was_there_nor_itself(before: dict[str, Any], patch: dict[str, Any]) -> None:
    there, said = msgspec.json.encode(before), msgspec.json.encode(patch)
    after = merged(before, patch)
    assert (msgspec.json.encode(before), msgspec.json.encode(patch)) == (there, said)
    # Said twice, it changes nothing more.
    assert same(merged(after, patch), after)
