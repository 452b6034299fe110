"""Words for people, read from the code: ``#:`` comments of fields and constants, and docstrings."""

from __future__ import annotations

import inspect
import re
from functools import cache

_COMMENT = re.compile(r"^\s*#:\s?(.*)$")
_NAME = re.compile(r"^\s*(\w+)\s*(?::|=)")


def _read(source: str) -> dict[str, str]:
    """``#:`` comments by the name on the line that follows them."""
    found: dict[str, str] = {}
    words: list[str] = []
    for line in source.splitlines():
        if comment := _COMMENT.match(line):
            words.append(comment[1].strip())
            continue
        if words and (name := _NAME.match(line)):
            found[name[1]] = plain(" ".join(words))
        words = []
    return found


@cache
def fields(struct: type) -> dict[str, str]:
    """What the comments say of a struct's fields, those of its bases included."""
    found: dict[str, str] = {}
    for base in reversed(struct.__mro__):
        if base.__module__.split(".")[0] in ("events", "producers", "api", "infra", "projectors", "push"):
            found.update(_read(inspect.getsource(base)))
    return found


def docstring(thing: type) -> str:
    """A class's own docstring as plain text; empty when it has none or it is msgspec's."""
    return plain(inspect.cleandoc(thing.__dict__.get("__doc__") or ""))


def plain(text: str) -> str:
    """Docstring mark-up as Markdown has it: one backtick instead of two."""
    return text.replace("``", "`")


def sentence(text: str) -> str:
    """The first paragraph on one line."""
    return " ".join(text.split("\n\n")[0].split())
