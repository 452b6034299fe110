"""What is wrong with input, in words that are true, and short whatever the input is. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Required, TypedDict

#: Text that was cut in the midst of a character has one of these without the other.
_HALF = re.compile(r"\\u[dD][89a-fA-F]")

#: Characters of input, or of a library's words about it, that an answer or a line of the log repeats.
_SHOWN = 100
#: Characters of a text that is repeated as what was found.
_QUOTED = 40
#: Faults that a sentence tells; ``errors`` has them all.
_TOLD = 3
#: Names of members that nobody repeats the value of.
_SECRET = re.compile(r"password|^current$|token|secret|credential|authorization|key", re.IGNORECASE)
#: Where in the input it is, as msgspec says it.
_AT_BYTE = re.compile(r" \(byte ([0-9]+)\)$")
#: Where in the value it is, as msgspec says it; of what is no JSON it knows little.
_AT_PATH = re.compile(r" - at `[^`]*`$")


def brief(text: str) -> str:
    """The text, cut to what an answer or a line of the log repeats of input."""
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


class Fault(TypedDict, total=False):
    """One thing that is wrong with a request: what was expected and what was found, and one of three places."""

    #: RFC 6901: in the body, in the members of an RPC.
    pointer: str
    #: In the path or the query.
    parameter: str
    header: str
    expected: Required[str]
    actual: Required[str]


#: Names of members and numbers of items, from the outermost on.
Path = tuple[str | int, ...]


def wrong(member: str, expected: str, actual: str) -> Fault:
    """A fault of a member by its pointer: ``/content/text``."""
    return Fault(pointer=member, expected=expected, actual=actual)


def pointer(path: Path) -> str:
    """The path as JSON pointer (RFC 6901); long names are cut."""
    return "".join(f"/{brief(str(part)).replace('~', '~0').replace('/', '~1')}" for part in path)


def sentence(faults: Sequence[Fault]) -> str:
    """The faults as people read them: ``content.text: expected a string, got null; limit: expected ...``."""
    told = []
    for one in faults[:_TOLD]:
        place = one.get("parameter") or one.get("header") or _dotted(one.get("pointer", ""))
        told.append(f"{place and f'{place}: '}expected {one['expected']}, got {one['actual']}")
    more = len(faults) - _TOLD
    return "; ".join([*told, f"and {more} more"] if more > 0 else told)


def _dotted(pointer: str) -> str:
    parts = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    return brief("".join(f"[{part}]" if part.isdigit() else f".{part}" for part in parts).removeprefix("."))


def secret(path: Path) -> bool:
    """Whether what stands there is nobody's to repeat."""
    return any(_SECRET.search(part) for part in path if isinstance(part, str))


def found(value: object, path: Path = ()) -> str:
    """What was found at ``path``: kind and size; the value itself only of what says little: a number, true, null."""
    match value:
        case None:
            return "null"
        case bool() if not secret(path):
            return "true" if value else "false"
        case int() | float() if not secret(path):
            # Python writes no number of more than 4300 digits.
            return str(value) if abs(value) < 2**64 else "a number beyond all limits"
        case str():
            return f"a string of {count(len(value), 'character')}"
        case list():
            return f"an array of {count(len(value), 'item')}"
        case dict():
            return f"an object of {count(len(value), 'member')}"
    return kind(value)


def quoted(value: object, path: Path = ()) -> str:
    """As ``found``; of a short text itself, where it is no secret."""
    if isinstance(value, str) and len(value) <= _QUOTED and not secret(path):
        return json.dumps(value, ensure_ascii=False)
    return found(value, path)


def count(number: int | None, unit: str) -> str:
    """``1 item``, ``2 items``."""
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def unreadable(body: bytes | str, error: Exception) -> str:
    """What was found in a body instead of JSON by our decoder, whose error this is: ``trailing comma in object at line
    1, column 8``."""
    text = body if isinstance(body, str) else body.decode(errors="replace")
    at = None
    if isinstance(body, bytes):
        try:
            body.decode()
        except UnicodeDecodeError as cut:
            return f"a byte that is no UTF-8{_line(body, cut.start)}"
    if isinstance(error, RecursionError):
        return "a value nested too deeply"
    words = _AT_PATH.sub("", fault(text, error))
    if match := _AT_BYTE.search(words):
        words, at = words[: match.start()], int(match[1])
    # As what was found: "got something else than ':'".
    if at is not None and "trailing characters" in words:
        # It says where the first of them ends.
        at -= 1
    words = words.removeprefix("JSON is malformed: ").rpartition(", got ")[2]
    words = re.sub("^expected ", "something else than ", words)
    if words == "Input data was truncated":
        # What ends too early, or in the midst of a number or a word.
        words, at = "an end in the midst of a value", len(text.encode())
    place = "" if at is None else _line(text.encode(), at)
    return f"{words[:1].lower()}{words[1:]}{place}"


def _line(data: bytes, at: int) -> str:
    before = data[:at]
    column = len(before[before.rfind(b"\n") + 1 :].decode(errors="replace")) + 1
    return f" at line {before.count(10) + 1}, column {column}"


def fault(text: str, error: Exception) -> str:
    """Why ``text`` is no JSON to our decoder, whose error this is.

    Decoders take half of a surrogate pair, which the SDKs of JavaScript and Python write for half an emoji, for the
    end of the text, or for a bad escape.
    """
    if isinstance(error, RecursionError):
        return "nested too deeply"
    if _HALF.search(text):
        try:
            json.dumps(json.loads(text), ensure_ascii=False).encode()
        except UnicodeEncodeError:
            return "expected whole characters, got half of a surrogate pair (\\ud800 to \\udfff)"
        except (ValueError, RecursionError):
            return str(error)
    return str(error)


def kind(value: object) -> str:
    """What JSON calls a decoded value."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "an array"
    return "an object"
