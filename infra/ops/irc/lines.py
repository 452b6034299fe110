"""What a line of an IRC log can say, in one vocabulary for all forms. Pure; the forms themselves are in ``forms``."""

from __future__ import annotations

import re
from datetime import date
from typing import Literal, NamedTuple


class Spoken(NamedTuple):
    """Somebody said something. ``type`` as in a Klatsch message; ``text`` as it stands in the line."""

    nick: str
    type: Literal["text", "action"]
    text: str


class Came(NamedTuple):
    """Somebody joined a channel; None where the form names none, being the log of one."""

    nick: str
    channel: str | None = None


class Went(NamedTuple):
    """Somebody left a channel, was put out of it, or (``channel`` None) quit."""

    nick: str
    channel: str | None = None
    kicked: bool = False


class Renamed(NamedTuple):
    """Somebody goes by another nick from here on."""

    nick: str
    to: str


class Ops(NamedTuple):
    """Who became an op of a channel (True) or ceased to be one (False), in order."""

    channel: str | None
    changes: tuple[tuple[str, bool], ...]


class Topic(NamedTuple):
    """What a channel's topic is from here on, as it stands in the line; ``nick`` set it, where the line says so."""

    channel: str | None
    text: str
    nick: str | None


class Skipped(NamedTuple):
    """A line that becomes nothing, and why."""

    reason: str


class LogTarget(NamedTuple):
    """A line of the logging program's own that tells of whom the log is: a channel, or one person (no ``#``)."""

    of: str


What = Spoken | Came | Went | Renamed | Ops | Topic | Skipped | LogTarget


class MonthDay(NamedTuple):
    """A date whose year other lines tell."""

    month: int
    day: int


class ParsedLine(NamedTuple):
    """What a line says, and its time as it stands there.

    ``second``: of the day, by the log's clock; None where the line has no time of its own. ``day``: where the line
    tells it. ``whole``: seconds that one tick of the line's clock lasts, 60 where there are only minutes.
    """

    what: What
    second: int | None = None
    day: date | MonthDay | None = None
    whole: int = 60


#: Longest shown name that the API takes; real nicks have at most 16 characters.
NICK = 100

BLANK = Skipped("blank line")
EMPTY = Skipped("message without text")
CTCP = Skipped("request of one program to another (CTCP)")
MODE = Skipped("change of mode that is not about ops")
UNREADABLE_MODE = Skipped("change of mode that cannot be read")
OWN = Skipped("the logger's own line")
UNKNOWN = Skipped("no known kind of line")

_NICK = re.compile(r"^[^\s\x00-\x1f\x7f<>:!@#,*]+$")
#: What clients write before a nick that is an op or has voice; no nick begins with one.
SIGNS = "~&@%+! "


def nick(text: str) -> str | None:
    """A nick; None when the text can be none."""
    return text if _NICK.match(text) and len(text) <= NICK else None


def said(who: str, type: Literal["text", "action"], text: str | None) -> What:
    """A message or action; ``who`` may stand in colours, and with the sign of an op or of voice."""
    found = nick(clean(who).lstrip(SIGNS).rstrip(" "))
    if found is None:
        return UNKNOWN
    if text and type == "text" and text.startswith("\x01"):
        command, _, rest = text.strip("\x01 ").partition(" ")
        if command != "ACTION":
            return CTCP
        type, text = "action", rest
    return Spoken(found, type, text) if text and text.strip() else EMPTY


#: Modes of a channel that take a parameter, as the networks have them: always, and only when they are set.
_WITH_PARAMETER, _SET_WITH_PARAMETER = frozenset("ovhaqbeIkd"), frozenset("lfjJL")


def ops(channel: str | None, modes: str, parameters: list[str]) -> What:
    """What a change of a channel's modes (``+o-v``) comes to."""
    changes, sign, rest = [], "+", list(parameters)
    for letter in modes:
        if letter in "+-":
            sign = letter
        elif letter in _WITH_PARAMETER or (sign == "+" and letter in _SET_WITH_PARAMETER):
            who = nick(rest[0]) if rest else None
            if not rest or (letter == "o" and who is None):
                return UNREADABLE_MODE
            if letter == "o" and who is not None:
                changes.append((who, sign == "+"))
            rest.pop(0)
    if rest:
        return UNREADABLE_MODE
    return Ops(channel, tuple(changes)) if changes else MODE


#: mIRC's colours and styles, hex colours, and all other control characters but the tab.
_CONTROL = re.compile(
    r"\x03(?:\d{1,2}(?:,\d{1,2})?)?|\x04(?:[0-9A-Fa-f]{6}(?:,[0-9A-Fa-f]{6})?)?|[\x00-\x08\x0a-\x1f\x7f]"
)


def clean(text: str) -> str:
    """The text without control characters (U+0000 among them, which the API refuses) and colour codes."""
    return _CONTROL.sub("", text)
