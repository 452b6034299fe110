"""Logs of WeeChat: date and time, a tab, who or an arrow, a tab, what."""

from __future__ import annotations

import re

from infra.ops.irc import lines
from infra.ops.irc.forms.form import Form, day, second, unread
from infra.ops.irc.lines import OWN, UNKNOWN, Came, ParsedLine, Renamed, Topic, Went, What

#: Version 4.10 writes ``2024-06-22T11:40:05.123456Z``, those before it ``2024-06-22 11:40:05``.
_LINE = re.compile(r"^(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)(?:\.\d+)?Z?\t([^\t]*)\t(.*)$", re.DOTALL)
#: Between nick and host may stand the account and the person's name.
_JOINED = re.compile(r"^(\S+) .*has joined (#\S+)\s*$")
_LEFT = re.compile(r"^(\S+) \(\S*\) has left (#\S+)(?: \(.*)?$", re.DOTALL)
_QUIT = re.compile(r"^(\S+) \(\S*\) has quit(?: .*)?$", re.DOTALL)
_KICKED = re.compile(r"^\S+ has kicked (\S+)(?: \(.*)?$", re.DOTALL)
_RENAMED = re.compile(r"^(\S+) is now known as (\S+)\s*$")
_MODE = re.compile(r"^Mode (#\S+) \[([+-]\S*)(?: (.*?))? ?\] by .+$")
_TOPIC = re.compile(r'^(\S+) has changed topic for (#\S+)(?: from ".*")? to "(.*)"\s*$', re.DOTALL)
_UNSET = re.compile(r"^(\S+) has unset topic for (#\S+)")
_NOTICE = re.compile(r"^Notice\((\S+)\)(?: -> #\S+)?: (.*)$", re.DOTALL)


def parse(line: str) -> ParsedLine:
    """What a line says."""
    found = _LINE.match(line)
    if found is None:
        return unread(line)
    date, at = day(int(found[1]), int(found[2]), int(found[3])), second(found[4], found[5], found[6])
    if date is None or at is None:
        return ParsedLine(UNKNOWN)
    return ParsedLine(_what(found[7].strip(), found[8]), at, date, whole=1)


def _what(prefix: str, text: str) -> What:
    if prefix == "-->":
        joined = _JOINED.match(text)
        who = None if joined is None else lines.nick(joined[1])
        return UNKNOWN if joined is None or who is None else Came(who, joined[2])
    if prefix == "<--":
        return _went(text)
    if prefix == "--":
        return _told(text)
    if prefix == "*":
        who_, _, rest = text.partition(" ")
        return lines.said(who_, "action", rest)
    return OWN if prefix in ("", "=!=") else lines.said(prefix, "text", text)


def _went(text: str) -> What:
    if (left := _LEFT.match(text)) and (who := lines.nick(left[1])) is not None:
        return Went(who, left[2])
    if (gone := _QUIT.match(text)) and (who := lines.nick(gone[1])) is not None:
        return Went(who)
    if (kicked := _KICKED.match(text)) and (who := lines.nick(kicked[1])) is not None:
        return Went(who, kicked=True)
    return UNKNOWN


def _told(text: str) -> What:
    if (found := _RENAMED.match(text)) and (who := lines.nick(found[1])) and (to := lines.nick(found[2])):
        return Renamed(who, to)
    if found := _MODE.match(text):
        return lines.ops(found[1], found[2], (found[3] or "").split())
    if found := _TOPIC.match(text):
        return Topic(found[2], found[3], lines.nick(found[1]))
    if found := _UNSET.match(text):
        return Topic(found[2], "", lines.nick(found[1]))
    if found := _NOTICE.match(text):
        return lines.said(found[1], "text", found[2])
    return OWN


FORM = Form("WeeChat", "2024-06-22 11:40:05 (tab) --> (tab) linus (~l@host) has joined #tea", parse)
