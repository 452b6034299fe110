"""Why a value does not fit: the walk finds something exactly where msgspec refuses, and has words for every pattern."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import inspect

from api.registry import all_operations
from api.support import numbers
from events.core.clock import AnyTime, from_datetime, time_of, to_datetime
from events.core.faults import Fault, found, pointer, quoted, sentence, unreadable, wrong
from events.core.type_faults import MOST, misfits
from producers.messages import CONTENT
from producers.registry import COMMANDS_BY_NAME

OPERATIONS = all_operations()
REQUESTS = [row.request for row in OPERATIONS]
STRUCTS: list[Any] = [*REQUESTS, *(row.struct for row in COMMANDS_BY_NAME.values()), *filter(None, CONTENT.values())]

LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 300), st.just(2**70), st.floats(allow_nan=False), st.text(max_size=5),
    st.sampled_from(["text", "public", "everyone", "2026-11-28T09:00:00Z", "a" * 60, "a" * 3000, "true", "1", "-1"]),
)  # fmt: skip
VALUES = st.recursive(
    LEAVES,
    lambda part: st.one_of(st.lists(part, max_size=3), st.dictionaries(st.text(max_size=3), part, max_size=3)),
    max_leaves=6,
)


@pytest.mark.parametrize("wanted", STRUCTS, ids=lambda one: one.__name__)
@settings(max_examples=20)
@given(data=st.data())
def test_it_says_something_where_msgspec_refuses(wanted: Any, data: st.DataObject) -> None:
    names = [field.encode_name for field in msgspec.structs.fields(wanted)]
    value = data.draw(st.dictionaries(st.sampled_from([*names, "admin"]), VALUES, max_size=len(names) + 1))
    _agree(value, wanted, text=False)
    texts = {name: part for name, part in value.items() if isinstance(part, str)}
    if wanted in REQUESTS:
        _agree(texts, wanted, text=True)


def _agree(value: Any, wanted: Any, *, text: bool) -> None:
    faults = misfits(value, wanted, text=text)
    refused = None
    try:
        numbers.convert(value, wanted, strict=not text)
    except msgspec.ValidationError as error:
        refused = error
    assert (refused is None) is (not faults), (value, refused, faults)


def _types(wanted: inspect.Type) -> Iterator[tuple[inspect.Type, dict[str, Any]]]:
    """A type and all in it, each with what its Meta says besides."""
    match wanted:
        case inspect.Metadata():
            for kind, more in _types(wanted.type):
                yield kind, {**more, **(wanted.extra or {})}
            return
        case inspect.UnionType():
            for one in wanted.types:
                yield from _types(one)
        case inspect.StructType():
            for field in wanted.fields:
                yield from _types(field.type)
        case inspect.ListType():
            yield from _types(wanted.item_type)
        case inspect.DictType():
            yield from _types(wanted.key_type)
            yield from _types(wanted.value_type)
    yield wanted, {}


@pytest.mark.parametrize("wanted", STRUCTS, ids=lambda one: one.__name__)
def test_each_pattern_has_words(wanted: Any) -> None:
    for kind, more in _types(inspect.type_info(wanted)):
        if isinstance(kind, inspect.StrType) and kind.pattern is not None:
            assert more.get("expected"), kind


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    a_b: int = msgspec.field(name="a/b")
    password: str = ""


class Outer(msgspec.Struct, forbid_unknown_fields=True):
    inner: list[Inner] = []
    named: dict[str, int] = {}


def test_places_are_json_pointers() -> None:
    value = {"inner": [{"a/b": 1}, {"a/b": "x", "password": 12345678, "pass~word": "hunter2"}], "named": {"~/": None}}
    faults = misfits(value, Outer)
    assert [(one["pointer"], one["actual"]) for one in faults] == [
        ("/inner/1/a~1b", "a string of 1 character"),
        ("/inner/1/password", "a number"),
        ("/inner/1/pass~0word", "a string of 7 characters"),
        ("/named/~0~1", "null"),
    ]
    assert sentence(faults).startswith(
        "inner[1].a/b: expected an integer, got a string of 1 character; inner[1].password: "
    )
    assert sentence(faults).endswith("; and 1 more")


def test_faults_and_their_words_are_bounded() -> None:
    faults = misfits({"inner": ["x"] * 1000, "named": {"n" * 5000: "x"}}, Outer)
    assert len(faults) == MOST and len(sentence(faults)) < 400
    (one,) = misfits({"named": {"n" * 5000: "x" * 5000}}, Outer)
    assert len(one["pointer"]) < 110 and len(sentence([one])) < 400


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "null"), (True, "true"), (7, "7"), (1.5, "1.5"), (10**400, "a number beyond all limits"),
        ([], "an array of 0 items"),
        ({"a": 1}, "an object of 1 member"), ("", "a string of 0 characters"),
    ],
)  # fmt: skip
def test_what_was_found(value: Any, said: str) -> None:
    assert found(value) == said
    assert found(value, ("content", 0, "new_password")) in (said, "a number", "true or false")


def test_what_is_quoted() -> None:
    assert quoted("a\n\u00e9") == '"a\\n\u00e9"' and quoted("a" * 41) == "a string of 41 characters"
    assert quoted("hunter2", ("password",)) == "a string of 7 characters"
    assert pointer(()) == "" and sentence([wrong("", "JSON", "nothing")]) == "expected JSON, got nothing"
    header: Fault = {"header": "Idempotency-Key", "expected": "a key", "actual": "none"}
    assert sentence([header]) == "Idempotency-Key: expected a key, got none"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"a": 1', "an end in the midst of a value at line 1, column 8"),
        (b'{\n "\xc3\xa9": \xc3\xa9 }', "invalid character at line 2, column 7"),
        (b'{"a": 1} x', "trailing characters at line 1, column 10"),
        (b'"\xff"', "a byte that is no UTF-8 at line 1, column 2"),
        ('{"a":"\\ud83d"}', "half of a surrogate pair (\\ud800 to \\udfff)"),
        (b"1e999", "number out of range"),
    ],
)
def test_what_is_no_json(body: bytes | str, said: str) -> None:
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)) as caught:
        msgspec.json.decode(body)
    assert unreadable(body, caught.value) == said


@pytest.mark.parametrize(
    ("text", "time", "up"),
    [
        ("2026-11-28T09:00:00Z", "2026-11-28T09:00:00.000Z", "2026-11-28T09:00:00.000Z"),
        ("2026-11-28T09:00:00.1239Z", "2026-11-28T09:00:00.123Z", "2026-11-28T09:00:00.124Z"),
        ("2026-12-31T23:59:59.99901z", "2026-12-31T23:59:59.999Z", "2027-01-01T00:00:00.000Z"),
        ("2026-11-28t10:30:00.5+01:30", "2026-11-28T09:00:00.500Z", "2026-11-28T09:00:00.500Z"),
        ("2026-11-28T09:00:00 00:00", "2026-11-28T09:00:00.000Z", "2026-11-28T09:00:00.000Z"),
    ],
)
def test_times_of_others(text: str, time: str, up: str) -> None:
    assert (time_of(text), time_of(text, up=True)) == (time, up)
    assert msgspec.convert(text, AnyTime) == text


@pytest.mark.parametrize(
    "text",
    [
        "", "2026-11-28", "09:00:00Z", "2026-11-28T09:00Z", "2026-11-28T09:00:00", "2026-02-30T09:00:00Z",
        "2026-11-28T24:00:01Z", "2026-11-28T23:59:60Z", "0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59-01:00",
        "2026-11-28T09:00:00.Z", "2026-11-28T09:00:00Z\n",
    ],
)  # fmt: skip
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected a time|out of range|must be in|isoformat"):
        time_of(text)


@given(st.datetimes(timezones=st.just(UTC)))
def test_our_own_times_stay(moment: datetime) -> None:
    time = from_datetime(moment)
    assert time_of(time) == time_of(time, up=True) == time and to_datetime(time) <= moment
