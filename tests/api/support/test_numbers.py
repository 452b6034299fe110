"""``3412.0`` is an integer to JSON Schema: it is taken wherever one is wanted, over both ways."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from api.support import numbers
from infra.ops.generate import answers
from tests.client import OPERATIONS, Person


class Inner(msgspec.Struct):
    seq: int
    note: Any = None


class Outer(msgspec.Struct):
    seq: int | None = None
    part: float = 0.0
    either: float | int = 0
    inner: Inner | None = None
    many: list[Inner] = []
    named: dict[str, int] = {}
    free: dict[str, Any] = {}


def test_floats_that_are_whole_become_what_is_wanted() -> None:
    sent = {
        "seq": 3412.0, "part": 2.0, "either": 3.0, "inner": {"seq": -0.0, "note": 1.0}, "many": [{"seq": 4.0}],
        "named": {"a": 5.0}, "free": {"x": [1.0]},
    }  # fmt: skip
    found = numbers.convert(sent, Outer, strict=True)
    assert found == Outer(3412, 2.0, 3.0, Inner(0, 1.0), [Inner(4)], {"a": 5}, {"x": [1.0]})
    assert isinstance(found.seq, int) and isinstance(found.part, float) and isinstance(found.either, float)
    # What is free stays as it was written.
    assert isinstance(found.free["x"][0], float) and found.inner is not None and isinstance(found.inner.note, float)


@pytest.mark.parametrize("value", [3412.5, 1e300, "3412", True, [1]])
def test_nothing_else_does(value: Any) -> None:
    with pytest.raises(msgspec.ValidationError):
        numbers.convert({"seq": value}, Outer, strict=True)


async def test_operations_take_them(ada: Person, bob: Person) -> None:
    room = await ada.group(bob)
    for _ in range(3):
        await bob.say(room)
    assert (await ada.do("members.read", room=room, seq=3.0))["member"]["read"] == 3
    assert len((await ada.do("messages.read", room=room, limit=2.0))["messages"]) == 2
    assert await ada.refused("members.read", room=room, seq=2.5) == "invalid"


def test_every_integer_of_every_operation_takes_one() -> None:
    seen = 0
    for operation in OPERATIONS.values():
        fields, _ = answers.request_fields(operation.request)
        for name, schema in fields.items():
            for one in schema.get("anyOf", [schema]):
                if one.get("type") == "integer":
                    value = float(one.get("minimum", one.get("default", 1)))
                    assert "int" not in _complaint({name: value}, operation.request), (operation.name, name)
                    seen += 1
    assert seen > 15


def _complaint(values: dict[str, Any], wanted: type[msgspec.Struct]) -> str:
    """What is wrong with the values: at most that others are missing."""
    try:
        numbers.convert(values, wanted, strict=True)
    except msgspec.ValidationError as error:
        return str(error)
    return ""
