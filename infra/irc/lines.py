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


class Skipped(NamedTuple):
    """A line that becomes nothing, and why."""

    reason: str


What = Said | Came | Went | Renamed | Skipped

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
#: What the server or the logger itself says, by the beginning of the line after ``=== ``.
_SERVER = (
    (re.compile(r"^mode/#"), "change of mode"),
    (re.compile(r"^(\.\.\[topic/#|Topic (for |\()|\S+ changed the topic of #)"), "topic"),
    (re.compile(r"^(netjoined|netsplit): "), "split of the network"),
    (re.compile(r"^(Starting|Ending) logfile "), "the logger's own line"),
)
_NICK = re.compile(r"^[^\s\x00-\x1f\x7f<>:!@#,*]+$")

BLANK = Skipped("blank line")
EMPTY = Skipped("message without text")
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
    for pattern, reason in _SERVER:
        if pattern.match(rest):
            return Skipped(reason)
    if action := _OLD_ACTION.match(rest.replace("] ", "]")):
        return _said(action[1], "action", action[2])
    return UNKNOWN


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
