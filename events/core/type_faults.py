"""Why a decoded JSON value does not fit its type: every member that is wrong, in the words of JSON. Pure.

msgspec stops at the first, and calls things as Python does; so it decides, and this says why. The words of a type that
has some of its own are in its ``Meta``: ``extra={"expected": "a time such as ...", "shown": True}``.
``shown``: what was found is repeated.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from msgspec import NODEFAULT, ValidationError, convert, inspect

from events.core.faults import Fault, Path, count, found, pointer, quoted, wrong

#: Faults of one value that are told; the rest shows when these are mended.
MOST = 20
#: What is expected of a member that there is not.
UNKNOWN = "no member of this name"
#: From here on two names are alike: limt and limit are, username and name are not.
_ALIKE = 0.75
#: Above it a float does not tell whole numbers apart.
_EXACT = 2.0**53


def misfits(value: object, wanted: type, *, text: bool = False, at: Path = ()) -> list[Fault]:
    """Up to MOST faults of a decoded value, in the order of its members; none where all fits.

    ``text``: it is an object whose members are all text, as those of a query; ``at``: where the value itself stands.
    """
    listed: list[Fault] = []
    for fault in _MisfitWalk(text).value(value, _type_of(wanted), at):
        listed.append(fault)
        if len(listed) == MOST:
            break
    return listed


def unfit(value: object, wanted: type, *, text: bool = False, at: Path = ()) -> list[Fault]:
    """As ``misfits`` of a value that msgspec refuses: one fault at least."""
    return misfits(value, wanted, text=text, at=at) or [
        wrong(pointer(at), "what the reference says of it", found(value, at))
    ]


@lru_cache(maxsize=1000)
def _type_of(wanted: type) -> inspect.Type:
    return inspect.type_info(wanted)


#: A type, and what its Meta says besides.
_Option = tuple[inspect.Type, dict[str, Any]]


class _MisfitWalk:
    def __init__(self, text: bool) -> None:
        self._text = text

    def value(self, value: Any, wanted: inspect.Type, at: Path) -> Iterator[Fault]:
        options = _options(wanted)
        suited = [one for one in options if self._kind_fits(value, one[0])]
        if not suited:
            yield wrong(pointer(at), self._expected(options), self._found(value, at, options))
            return
        kind, more = suited[0]
        match kind:
            case inspect.StructType():
                yield from self._struct(value, kind, at)
            case inspect.ListType():
                yield from _size(value, kind, self._words(kind, more), at)
                for n, item in enumerate(value):
                    yield from self.value(item, kind.item_type, (*at, n))
            case inspect.DictType():
                yield from _size(value, kind, self._words(kind, more), at)
                for name, item in value.items():
                    for fault in self.value(name, kind.key_type, ()):
                        yield wrong(pointer((*at, name)), f"as a name {fault['expected']}", fault["actual"])
                    yield from self.value(item, kind.value_type, (*at, name))
            case _ if not any(self._fits(value, one) for one, _ in suited):
                yield wrong(pointer(at), self._expected(options), self._found(value, at, suited))

    def _struct(self, value: dict[str, Any], wanted: inspect.StructType, at: Path) -> Iterator[Fault]:
        fields = {field.encode_name: field for field in wanted.fields}
        for name, field in fields.items():
            if name in value:
                yield from self.value(value[name], field.type, (*at, name))
            elif field.required and field.default is NODEFAULT and field.default_factory is NODEFAULT:
                yield wrong(pointer((*at, name)), self._expected(_options(field.type)), "nothing")
        for name, item in value.items() if wanted.forbid_unknown_fields else ():
            if name not in fields:
                close = get_close_matches(name[:100], fields, n=1, cutoff=_ALIKE)
                hint = f" (did you mean {close[0]}?)" if close else ""
                # What it holds is told of nobody: it may be a password whose name was mistyped.
                yield wrong(pointer((*at, name)), f"{UNKNOWN}{hint}", found(item, ("secret",)))

    def _expected(self, options: list[_Option]) -> str:
        """What is expected, but null of a parameter: it is left out rather."""
        kept = [one for one in options if not (self._text and isinstance(one[0], inspect.NoneType))]
        # Words of its own may be a clause, to which "or null" would seem to belong.
        told = any("expected" in more for _, more in kept)
        return (", or " if told else " or ").join(dict.fromkeys(self._words(*one) for one in kept))

    def _found(self, value: Any, at: Path, options: list[_Option]) -> str:
        """What was found; itself where the choice was of few words, or text was to be a number."""
        numbers = any(isinstance(kind, inspect.IntType | inspect.FloatType | inspect.BoolType) for kind, _ in options)
        words = any(isinstance(kind, inspect.LiteralType | inspect.EnumType) for kind, _ in options)
        shown = words or (self._text and numbers) or any(more.get("shown") for _, more in options)
        return quoted(value, at) if shown else found(value, at)

    def _kind_fits(self, value: Any, wanted: inspect.Type) -> bool:
        match wanted:
            case inspect.AnyType() | inspect.RawType():
                return True
            case inspect.NoneType():
                return value is None
            case inspect.BoolType():
                return isinstance(value, bool) or self._reads(value, bool)
            case inspect.IntType() if self._text:
                return self._reads(value, int)
            case inspect.IntType():
                return _is_number(value) and (isinstance(value, int) or (value.is_integer() and abs(value) <= _EXACT))
            case inspect.FloatType():
                return _is_number(value) or self._reads(value, float)
            case inspect.StrType() | inspect.EnumType():
                return isinstance(value, str)
            case inspect.LiteralType():
                return any(type(value) is type(one) for one in wanted.values)
            case inspect.ListType():
                return isinstance(value, list)
            case inspect.DictType() | inspect.StructType():
                return isinstance(value, dict)
        return True

    def _reads(self, value: Any, wanted: type) -> bool:
        """Whether text is one of these."""
        try:
            return self._text and convert(value, wanted, strict=False) is not None
        except ValidationError:
            return False

    def _fits(self, value: Any, wanted: inspect.Type) -> bool:
        """Whether a value of the right kind is within the limits."""
        match wanted:
            case inspect.StrType():
                within = (wanted.min_length or 0) <= len(value) <= (wanted.max_length or len(value))
                return within and (wanted.pattern is None or re.search(wanted.pattern, value) is not None)
            case inspect.IntType() | inspect.FloatType():
                number = convert(value, float | int, strict=False) if isinstance(value, str) else value
                return (
                    (wanted.ge is None or number >= wanted.ge) and (wanted.le is None or number <= wanted.le)
                    and (wanted.gt is None or number > wanted.gt) and (wanted.lt is None or number < wanted.lt)
                )  # fmt: skip
            case inspect.LiteralType():
                return value in wanted.values
            case inspect.EnumType():
                return value in [one.value for one in wanted.cls]
        return True

    def _words(self, wanted: inspect.Type, more: dict[str, Any]) -> str:
        """What is expected."""
        if "expected" in more:
            return str(more["expected"])
        match wanted:
            case inspect.NoneType():
                return "null"
            case inspect.BoolType():
                return "true or false"
            case inspect.IntType():
                return f"an integer{_bounds(wanted.ge, wanted.le)}"
            case inspect.FloatType():
                return f"a number{_bounds(wanted.ge, wanted.le)}"
            case inspect.StrType():
                return f"a string{_length(wanted.min_length, wanted.max_length, 'character')}"
            case inspect.LiteralType() | inspect.EnumType():
                values = wanted.values if isinstance(wanted, inspect.LiteralType) else [one.value for one in wanted.cls]
                listed = ", ".join(str(one) for one in values)
                return f"one of {listed}" if len(values) > 1 else listed
            case inspect.ListType():
                return f"an array{_length(wanted.min_length, wanted.max_length, 'item')}"
            case inspect.DictType():
                return f"an object{_length(wanted.min_length, wanted.max_length, 'member')}"
        return "an object"


def _options(wanted: inspect.Type) -> list[_Option]:
    """The types of a union, each with what its Meta says besides."""
    if isinstance(wanted, inspect.UnionType):
        return [one for part in wanted.types for one in _options(part)]
    if isinstance(wanted, inspect.Metadata):
        return [(kind, {**more, **(wanted.extra or {})}) for kind, more in _options(wanted.type)]
    return [(wanted, {})]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _size(value: Any, wanted: inspect.ListType | inspect.DictType, words: str, at: Path) -> Iterator[Fault]:
    least, most = wanted.min_length or 0, wanted.max_length
    if len(value) < least or (most is not None and len(value) > most):
        yield wrong(pointer(at), words, found(value, at))


def _length(least: int | None, most: int | None, unit: str) -> str:
    if least and most:
        return f" of {count(least, unit)}" if least == most else f" of {least} to {count(most, unit)}"
    if most is not None:
        return f" of at most {count(most, unit)}"
    return f" of at least {count(least, unit)}" if least else ""


def _bounds(least: float | None, most: float | None) -> str:
    if least is not None and most is not None:
        return f" of {least} to {most}"
    if most is not None:
        return f" of at most {most}"
    return f" of at least {least}" if least is not None else ""
