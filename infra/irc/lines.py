"""One line of an IRC channel log: what it says. Pure; times and files are in ``logs.py``.

Two generations of one logger's format are read. Until 2007 an action stands as ``=== nick waves`` without a time, and
each ``]`` is followed by a blank that was not in the original, so the nick ``bur[n]er`` stands there as ``bur[n] er``.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple


class Said(NamedTuple):
    """Somebody said something. ``type`` as in a Klatsch message; ``text`` as it stands in the line."""

    nick: str
    type: Literal["text", "action"]
    text: str


class Came(NamedTuple):
    """Somebody joined a channel."""

    nick: str
    channel: str


class Went(NamedTuple):
    """Somebody left a channel, or was put out of it."""

    nick: str
    channel: str
    kicked: bool = False


class Renamed(NamedTuple):
    """Somebody goes by another nick from here on."""

    nick: str
    to: str


class Ops(NamedTuple):
    """Who became an op of a channel (True) or ceased to be one (False), in order."""

    channel: str
    changes: tuple[tuple[str, bool], ...]


class Topic(NamedTuple):
    """What a channel's topic is from here on, as it stands in the line; ``nick`` set it, where the line says so."""

    channel: str
    text: str
    nick: str | None


class Skipped(NamedTuple):
    """A line that becomes nothing, and why."""

    reason: str


What = Said | Came | Went | Renamed | Ops | Topic | Skipped

#: Longest shown name that the API takes; real nicks have at most 16 characters.
NICK = 100

_TIMED = re.compile(r"^\[(\d\d):(\d\d)\] (.*)$", re.DOTALL)
_TEXT = re.compile(r"^<([^<>]+)>(?: (.*))?$", re.DOTALL)
_ACTION = re.compile(r"^ ?\* (\S+)(?: (.*))?$", re.DOTALL)
_NOTICE = re.compile(r"^-([^\s:]+):(#\S+)-(?: (.*))?$", re.DOTALL)
#: Of a line whose blanks after brackets are taken out again; neither nick nor host holds one.
_MEMBER = re.compile(r"^(\S+?) ?\[\S*\]\s*has (joined|left) (#\S+)(?:\s+\[.*)?\s*$", re.DOTALL)
_RENAMED = re.compile(r"^(.+?) is now known as (.+?)\s*$")
_KICKED = re.compile(r"^(.+?) was kicked (?:off|from|out of) (#\S+)(?: by .*)?$")
_OLD_ACTION = re.compile(r"^([^\s:]+)\s(.*)$", re.DOTALL)
#: Without the blanks after brackets, too.
_MODE = re.compile(r"^mode/(#\S+) \[([+-]\S*)(?: (.*))?\] ?by \S+\s*$", re.DOTALL)
_SET_TOPIC = re.compile(r"^\.\.\[topic/(#[^\s:]+):(\S+)\]:(.*)$", re.DOTALL)
_CHANGED_TOPIC = re.compile(r"^(\S+) changed the topic of (#\S+) to:(.*)$", re.DOTALL)
#: What the server tells the logger when that comes.
_TOPIC = re.compile(r"^Topic for (#[^\s:]+):(.*)$", re.DOTALL)
#: What the server or the logger itself says, by the beginning of the line after ``=== ``.
_SERVER = (
    (re.compile(r"^mode/#"), "change of mode that cannot be read"),
    (re.compile(r"^Topic \(#"), "who had set the topic"),
    (re.compile(r"^(netjoined|netsplit): "), "split of the network"),
    (re.compile(r"^(Starting|Ending) logfile "), "the logger's own line"),
)
_NICK = re.compile(r"^[^\s\x00-\x1f\x7f<>:!@#,*]+$")

BLANK = Skipped("blank line")
EMPTY = Skipped("message without text")
MODE = Skipped("change of mode that is not about ops")
UNKNOWN = Skipped("no known kind of line")


def parse(line: str) -> tuple[int | None, What]:
    """What a line says, and its minute of the day as it stands there; None where the line has no time of its own."""
    if timed := _TIMED.match(line):
        hours, minutes = int(timed[1]), int(timed[2])
        if hours > 23 or minutes > 59:
            return None, UNKNOWN
        return hours * 60 + minutes, _timed(timed[3])
    if line.startswith("=== "):
        return None, _untimed(line[4:])
    return None, UNKNOWN if line.strip() else BLANK


def _timed(rest: str) -> What:
    if said := _TEXT.match(rest):
        return _said(said[1], "text", said[2])
    if said := _ACTION.match(rest):
        return _said(said[1], "action", said[2])
    if said := _NOTICE.match(rest):
        return _said(said[1], "text", said[3])
    return UNKNOWN


def _untimed(rest: str) -> What:
    if (member := _MEMBER.match(rest.replace("] ", "]"))) and (nick := _nick(member[1])) is not None:
        return Came(nick, member[3]) if member[2] == "joined" else Went(nick, member[3])
    if renamed := _RENAMED.match(rest):
        before, after = _nick(renamed[1]), _nick(renamed[2])
        if before is not None and after is not None:
            return Renamed(before, after)
    if (kicked := _KICKED.match(rest)) and (nick := _nick(kicked[1])) is not None:
        return Went(nick, kicked[2], kicked=True)
    if (found := _mode(rest) or _topic(rest)) is not None:
        return found
    for pattern, reason in _SERVER:
        if pattern.match(rest):
            return Skipped(reason)
    if action := _OLD_ACTION.match(rest.replace("] ", "]")):
        return _said(action[1], "action", action[2])
    return UNKNOWN


#: Modes of a channel that take a parameter, as the networks have them: always, and only when they are set.
_WITH_PARAMETER, _SET_WITH_PARAMETER = frozenset("ovhaqbeIkd"), frozenset("lfjJL")


def _mode(rest: str) -> What | None:
    """A change of a channel's modes; None when the line is none, or one that cannot be read."""
    mode = _MODE.match(rest.replace("] ", "]"))
    if mode is None:
        return None
    parameters, changes, sign = (mode[3] or "").split(), [], "+"
    for letter in mode[2]:
        if letter in "+-":
            sign = letter
        elif letter in _WITH_PARAMETER or (sign == "+" and letter in _SET_WITH_PARAMETER):
            nick = _nick(parameters[0]) if parameters else None
            if not parameters or (letter == "o" and nick is None):
                return None
            if letter == "o" and nick is not None:
                changes.append((nick, sign == "+"))
            parameters.pop(0)
    if parameters:
        return None
    return Ops(mode[1], tuple(changes)) if changes else MODE


def _topic(rest: str) -> Topic | None:
    if (topic := _SET_TOPIC.match(rest.replace("] ", "]"))) and (nick := _nick(topic[2])) is not None:
        return Topic(topic[1], topic[3], nick)
    if (topic := _CHANGED_TOPIC.match(rest)) and (nick := _nick(topic[1])) is not None:
        return Topic(topic[2], topic[3], nick)
    if topic := _TOPIC.match(rest):
        return Topic(topic[1], topic[2], None)
    return None


def _said(nick: str, type: Literal["text", "action"], text: str | None) -> What:
    found = _nick(nick)
    if found is None:
        return UNKNOWN
    return Said(found, type, text) if text and text.strip() else EMPTY


def _nick(text: str) -> str | None:
    """The nick as its owner wrote it; None when it can be none."""
    nick = text.replace("] ", "]")
    return nick if _NICK.match(nick) and len(nick) <= NICK else None


#: mIRC's colours and styles, and all other control characters but the tab.
_CONTROL = re.compile(r"\x03(?:\d{1,2}(?:,\d{1,2})?)?|[\x00-\x08\x0a-\x1f\x7f]")


def clean(text: str) -> str:
    """The text without control characters (U+0000 among them, which the API refuses) and colour codes."""
    return _CONTROL.sub("", text)
