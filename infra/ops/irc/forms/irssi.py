"""Logs of irssi: ``02:41 <@ada> text``, ``02:41 -!- linus [~l@host] has joined #tea``, ``--- Day changed ...``."""

from __future__ import annotations

import re

from infra.ops.irc import lines
from infra.ops.irc.forms.form import TEXT, Form, Spoken, headed, second, spoken, unread
from infra.ops.irc.lines import OWN, UNKNOWN, Came, ParsedLine, Renamed, Skipped, Topic, Went, What

_TIMED = re.compile(r"^(\d\d):(\d\d)(?::(\d\d))? (.*)$", re.DOTALL)
_HEADER = re.compile(r"^--- (?:Log opened|Log closed|Day changed) (.*)$")
_ACTION = re.compile(r"^ ?\* (\S+)(?: (.*))?$", re.DOTALL)
_NOTICE = re.compile(r"^-([^\s:!]+):[@+]?#\S+-(?: (.*))?$", re.DOTALL)
_SPOKEN: Spoken = ((TEXT, "text"), (_ACTION, "action"), (_NOTICE, "text"))
_MEMBER = re.compile(r"^(\S+)(?: \[\S*\])?(?: \[\S*\])? has (joined|left) (#\S+)(?: \[.*)?$")
_QUIT = re.compile(r"^(\S+)(?: \[\S*\])? has quit \[.*$")
_KICKED = re.compile(r"^(\S+) was kicked from (#\S+) by \S+(?: \[.*)?$")
_RENAMED = re.compile(r"^(\S+) is now known as (\S+)$")
_MODE = re.compile(r"^(?:Server)?[Mm]ode/(#\S+) \[([+-]\S*)(?: (.*?))? ?\] by .+$")
_TOPIC = re.compile(r"^(\S+) changed the topic of (#\S+) to:(?: (.*))?$", re.DOTALL)
_UNSET = re.compile(r"^Topic unset by (\S+) on (#\S+)$")
_SPLIT = re.compile(r"^(?:Netsplit|Netjoin) ")


def parse(line: str) -> ParsedLine:
    """What a line says."""
    if header := _HEADER.match(line):
        return headed(header[1])
    timed = _TIMED.match(line)
    at = None if timed is None else second(timed[1], timed[2], timed[3])
    if timed is None or at is None:
        return unread(line)
    rest = timed[4]
    if rest.startswith("-!- "):
        what = _told(rest[4:].rstrip())
    else:
        what = spoken(rest, _SPOKEN) or (OWN if rest.startswith("[Users ") else UNKNOWN)
    return ParsedLine(what, at, whole=60 if timed[3] is None else 1)


def _told(text: str) -> What:
    if (found := _MEMBER.match(text)) and (who := lines.nick(found[1])) is not None:
        return Came(who, found[3]) if found[2] == "joined" else Went(who, found[3])
    if (found := _QUIT.match(text)) and (who := lines.nick(found[1])) is not None:
        return Went(who)
    if (found := _KICKED.match(text)) and (who := lines.nick(found[1])) is not None:
        return Went(who, found[2], kicked=True)
    if (found := _RENAMED.match(text)) and (who := lines.nick(found[1])) and (to := lines.nick(found[2])):
        return Renamed(who, to)
    if found := _MODE.match(text):
        return lines.ops(found[1], found[2], (found[3] or "").split())
    if found := _TOPIC.match(text):
        return Topic(found[2], found[3] or "", lines.nick(found[1]))
    if found := _UNSET.match(text):
        return Topic(found[2], "", lines.nick(found[1]))
    return Skipped("split of the network") if _SPLIT.match(text) else OWN


FORM = Form("irssi", "02:41 -!- linus [~l@host] has joined #tea", parse)
