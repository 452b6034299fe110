"""Whole numbers that were written with a fraction of zero: ``3412.0`` is an integer to JSON Schema (2020-12, 4.2.1)."""

from __future__ import annotations

import re
from collections.abc import Hashable
from functools import lru_cache
from typing import Any, TypeVar, cast

import msgspec
from msgspec import inspect

#: Above it a float does not tell whole numbers apart.
_EXACT = 2.0**53

#: One that has one way to be written.
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)

T = TypeVar("T")


def convert(values: Any, wanted: type[T], *, strict: bool) -> T:
    """As msgspec.convert. Raises msgspec.ValidationError."""
    try:
        return msgspec.convert(values, wanted, strict=strict)
    except msgspec.ValidationError:
        # Seldom, so that nothing is looked at twice where all is as clients write it.
        return msgspec.convert(_mended(values, _type_of(cast(Hashable, wanted))), wanted, strict=strict)


def of_path(text: str, wanted: type, name: str) -> Any:
    """A part of a path as the member that it is: a number where the member is one and the text is written so."""
    types = {field.encode_name: field.type for field in _fields(wanted)}
    is_number = isinstance(types.get(name), inspect.IntType) and _NUMBER.fullmatch(text) is not None
    return int(text) if is_number else text


def _fields(wanted: type) -> tuple[inspect.Field, ...]:
    found = _type_of(wanted)
    assert isinstance(found, inspect.StructType), "a request is a struct"
    return found.fields


@lru_cache(maxsize=1000)
def _type_of(wanted: Hashable) -> inspect.Type:
    return inspect.type_info(wanted)


def _mended(value: Any, wanted: inspect.Type) -> Any:
    """The value with such floats as int where the type wants one and takes no float; what is free stays as it is."""
    options = wanted.types if isinstance(wanted, inspect.UnionType) else (wanted,)
    if isinstance(value, float):
        whole = value.is_integer() and abs(value) <= _EXACT
        takes_float = any(isinstance(one, inspect.FloatType | inspect.AnyType) for one in options)
        return int(value) if whole and not takes_float and _integer(options) else value
    for one in options:
        if isinstance(one, inspect.StructType) and isinstance(value, dict):
            types = {field.encode_name: field.type for field in one.fields}
            return {name: _mended(item, types[name]) if name in types else item for name, item in value.items()}
        if isinstance(one, inspect.ListType) and isinstance(value, list):
            return [_mended(item, one.item_type) for item in value]
        if isinstance(one, inspect.DictType) and isinstance(value, dict):
            return {name: _mended(item, one.value_type) for name, item in value.items()}
    return value


def _integer(options: tuple[inspect.Type, ...]) -> bool:
    return any(isinstance(one, inspect.IntType) for one in options)
