"""What is wrong with input, in words that are true, and short whatever the input is. Pure."""

from __future__ import annotations

import json
import re
from typing import Any

#: Text that was cut in the midst of a character has one of these without the other.
_HALF = re.compile(r"\\u[dD][89a-fA-F]")

#: Characters of input, or of a library's words about it, that an answer or a line of the log repeats.
_SHOWN = 100


def brief(text: str) -> str:
    """The text, cut to what an answer or a line of the log repeats of input."""
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


def unfit(error: Exception) -> str:
    """Why a decoded value does not fit its type, as msgspec says it; what this repeats of the value is cut."""
    words, at, place = str(error).rpartition(" - at `")
    if not at:
        words, place = place, ""
    for start in ("Object contains unknown field ", "Invalid enum value "):
        if words.startswith(start):
            words = start + brief(words.removeprefix(start))
    return words + at + brief(place)


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


def kind(value: Any) -> str:
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
