"""Logs of XChat and HexChat: ``Jan 13 04:39:42 <ada> text``; the year stands in ``**** BEGIN LOGGING AT ...`` only.

Themes differ in what comes before an event: a star, as before actions, or ``-->``, ``<--`` and ``---``.
"""

from __future__ import annotations

import re

from infra.ops.irc import lines
from infra.ops.irc.forms.form import Form, headed, month, second, told, unread
from infra.ops.irc.lines import BLANK, MODE, OWN, UNKNOWN, MonthDay, Ops, ParsedLine, Skipped, Topic, Went, What

_TIMED = re.compile(r"^(?:([A-Za-z]{3})[a-z]*\.? +(\d{1,2}) )?(\d\d):(\d\d):(\d\d)[ \t](.*)$", re.DOTALL)
_HEADER = re.compile(r"^\*\*\*\* (?:BEGIN|ENDING) LOGGING AT (.*)$")
_TEXT = re.compile(r"^<([^<>\t]+)>(?:[ \t](.*))?$", re.DOTALL)
_EVENT = re.compile(r"^(?:\*|-->|<--|---)\s+(.*)$", re.DOTALL)
_ACTION = re.compile(r"^\*\s+(\S+)(?: (.*))?$", re.DOTALL)
_NOTICE = re.compile(r"^-([^\s/]+)/#[^\s]+-[ \t](.*)$", re.DOTALL)
_OPS = re.compile(r"^\S+ (gives|removes) channel operator status (?:to|from) (\S.*?)\s*$")
_MODE = re.compile(
    r"^\S+ (?:(?:gives|removes) (?:voice|(?:channel )?half-operator status) (?:to|from) \S|"
    r"(?:sets|removes) (?:ban|quiet|exempt|invite exempt|channel (?:limit|keyword|user limit)|modes?)(?: |$))"
)
_KICKED = re.compile(r"^\S+ has kicked (\S+) from (#\S+)(?: \(.*)?$", re.DOTALL)
_CHANGED_TOPIC = re.compile(r"^(\S+) has changed the topic to: ?(.*)$", re.DOTALL)
_TOPIC = re.compile(r"^Topic for (#\S+) is:? (.*)$", re.DOTALL)
#: What the client tells about itself or the channel, by the beginning.
_OWN = re.compile(
    r"^(?:You (?:are|were|have) |Topic for #|Channel #|#\S+ |Disconnected\b|Now |Looking up |Connect|Connected|"
    r"Unknown |Stopped |Cycling |Notify: |Received a CTCP )"
)


def parse(line: str) -> ParsedLine:
    """What a line says."""
    if header := _HEADER.match(line):
        return headed(header[1])
    timed = _TIMED.match(line)
    at = None if timed is None else second(timed[3], timed[4], timed[5])
    if timed is None or at is None:
        return unread(line)
    number = None if timed[1] is None else month(timed[1])
    if timed[1] is not None and number is None:
        return ParsedLine(Skipped("date that cannot be read (English months are known)"), at, whole=1)
    return ParsedLine(_what(timed[6]), at, None if number is None else MonthDay(number, int(timed[2])), whole=1)


def _what(rest: str) -> What:
    if said := _TEXT.match(rest):
        return lines.said(said[1], "text", said[2])
    if notice := _NOTICE.match(rest):
        return lines.said(notice[1], "text", notice[2])
    event = _EVENT.match(rest)
    if event is None:
        return UNKNOWN if rest.strip() else BLANK
    what = told(event[1]) or _told(event[1])
    if what is not None:
        return what
    if _OWN.match(event[1]) or not rest.startswith("*"):
        return OWN
    action = _ACTION.match(rest)
    return UNKNOWN if action is None else lines.said(action[1], "action", action[2])


def _told(text: str) -> What | None:
    if found := _OPS.match(text):
        nicks = [who for who in map(lines.nick, found[2].split()) if who is not None]
        return Ops(None, tuple((who, found[1] == "gives") for who in nicks))
    if _MODE.match(text):
        return MODE
    if (found := _KICKED.match(text)) and (who := lines.nick(found[1])) is not None:
        return Went(who, found[2], kicked=True)
    if found := _CHANGED_TOPIC.match(text):
        return Topic(None, found[2], lines.nick(found[1]))
    if found := _TOPIC.match(text):
        return Topic(found[1], found[2], None)
    return None


FORM = Form("XChat, HexChat", "Jan 13 04:39:42 * linus (~l@host) has joined", parse)
