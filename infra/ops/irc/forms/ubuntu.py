"""The logs of Ubuntu's channels (irclogs.ubuntu.com): ``[12:18] <nick> text``, ``=== nick [host]  has joined #ubuntu``.

Two generations of one logger's format are read. Until 2007 an action stands as ``=== nick waves`` without a time, and
each ``]`` is followed by a blank that was not in the original, so the nick ``bur[n]er`` stands there as ``bur[n] er``.
The clock has twelve hours there, and does not say which half of the day it is.
"""

from __future__ import annotations

import re

from infra.ops.irc import lines
from infra.ops.irc.forms.form import TEXT, Form, unread
from infra.ops.irc.lines import OWN, UNKNOWN, UNREADABLE_MODE, Came, ParsedLine, Renamed, Skipped, Topic, Went, What

_TIMED = re.compile(r"^\[(\d\d):(\d\d)\] (.*)$", re.DOTALL)
#: Two blanks, always; mIRC has one.
_ACTION = re.compile(r"^ \* (\S+)(?: (.*))?$", re.DOTALL)
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
    (re.compile(r"^mode/#"), UNREADABLE_MODE),
    (re.compile(r"^Topic \(#"), Skipped("who had set the topic")),
    (re.compile(r"^(netjoined|netsplit): "), Skipped("split of the network")),
    (re.compile(r"^(Starting|Ending) logfile "), OWN),
)


def parse(line: str) -> ParsedLine:
    """What a line says."""
    if timed := _TIMED.match(line):
        hours, minutes = int(timed[1]), int(timed[2])
        if hours > 23 or minutes > 59:
            return ParsedLine(UNKNOWN)
        return ParsedLine(_timed(timed[3]), hours * 3600 + minutes * 60)
    if line.startswith("=== "):
        return ParsedLine(_untimed(line[4:]))
    return unread(line)


def _timed(rest: str) -> What:
    if said := TEXT.match(rest):
        return lines.said(_joined(said[1]), "text", said[2])
    if said := _ACTION.match(rest):
        return lines.said(_joined(said[1]), "action", said[2])
    if said := _NOTICE.match(rest):
        return lines.said(_joined(said[1]), "text", said[3])
    return UNKNOWN


def _untimed(rest: str) -> What:
    if (member := _MEMBER.match(_joined(rest))) and (nick := lines.nick(member[1])) is not None:
        return Came(nick, member[3]) if member[2] == "joined" else Went(nick, member[3])
    if renamed := _RENAMED.match(rest):
        before, after = lines.nick(_joined(renamed[1])), lines.nick(_joined(renamed[2]))
        if before is not None and after is not None:
            return Renamed(before, after)
    if (kicked := _KICKED.match(rest)) and (nick := lines.nick(_joined(kicked[1]))) is not None:
        return Went(nick, kicked[2], kicked=True)
    if mode := _MODE.match(_joined(rest)):
        return lines.ops(mode[1], mode[2], (mode[3] or "").split())
    if (topic := _topic(rest)) is not None:
        return topic
    for pattern, what in _SERVER:
        if pattern.match(rest):
            return what
    if action := _OLD_ACTION.match(_joined(rest)):
        return lines.said(action[1], "action", action[2])
    return UNKNOWN


def _topic(rest: str) -> Topic | None:
    if (topic := _SET_TOPIC.match(_joined(rest))) and (nick := lines.nick(topic[2])) is not None:
        return Topic(topic[1], topic[3], nick)
    if (topic := _CHANGED_TOPIC.match(rest)) and (nick := lines.nick(_joined(topic[1]))) is not None:
        return Topic(topic[2], topic[3], nick)
    if topic := _TOPIC.match(rest):
        return Topic(topic[1], topic[2], None)
    return None


def _joined(text: str) -> str:
    """Without the blanks that the logger wrote after brackets."""
    return text.replace("] ", "]")


FORM = Form("Ubuntu", "[12:18] <ada> hello", parse, half_days=True, public=True)
