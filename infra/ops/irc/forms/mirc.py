"""Logs of mIRC, and of programs that write as mIRC did: ZNC, energymech.

To version 5 mIRC marked what the server tells with three stars and actions with one; so do ZNC and energymech. From
version 6 on both have one: ``* linus waves`` is an action, ``* linus (~l@host) has joined #tea`` is none, and who
writes ``/me is now known as ...`` cannot be told from somebody who changes their nick.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from infra.ops.irc import lines
from infra.ops.irc.forms.form import ACTION, TEXT, Form, Spoken, headed, second, spoken, told
from infra.ops.irc.lines import BLANK, OWN, UNKNOWN, LogTarget, ParsedLine, What

#: ``[16:07] ``, ``[16:07:12] ``; before it the line's colour, or what is left of it, where the log has colours.
_TIMED = re.compile(r"^(?:\x03?\d{1,2}(?:,\d{1,2})?)?\[(\d\d):(\d\d)(?::(\d\d))?\] (.*)$", re.DOTALL)
_SESSION = re.compile(r"^Session (Start|Time|Close|Ident)(?: \((?:[^#)]*:)?(.*?)\))?: (.*)$")
_NOTICE = re.compile(r"^-([^\s:-][^\s:]*?)(?::[@+]?#\S+)?-(?: (.*))?$", re.DOTALL)
_SPOKEN: Spoken = ((TEXT, "text"), (_NOTICE, "text"))
_LISTED = re.compile(r"^(?:Joins|Parts|Quits): ")
#: What mIRC 6 tells about itself behind one star: the beginnings, as far as they could be taken for somebody's action.
_OWN = re.compile(
    r"^(?:Topic is |Set by |No topic is set|Disconnected\b|Rejoined channel #|Attempting to |Retrieving #|"
    r"Connecting to |Connect (?:cancelled|retry) |Unable to |Looking up |Couldn't |You (?:are|were|have been) |"
    r"#\S+ (?:created on|Topic|url|End of|is) |Dns |DCC |Logging |Loaded |Unloaded |Timer |Added |Removed |Banned?\b)"
)


def parse_classic(line: str) -> ParsedLine:
    """A line whose events stand behind three stars."""
    return _parse(line, _starred)


def parse(line: str) -> ParsedLine:
    """A line whose events and actions stand behind one star."""
    return _parse(line, _single)


def _parse(line: str, event: Callable[[str], What]) -> ParsedLine:
    if session := _SESSION.match(line):
        return _session(session)
    timed = _TIMED.match(line)
    at = None if timed is None else second(timed[1], timed[2], timed[3])
    if timed is not None and at is None:
        return ParsedLine(UNKNOWN)
    rest = line if timed is None else timed[4]
    if not rest.strip():
        return ParsedLine(BLANK)
    what = spoken(rest, _SPOKEN) or event(rest)
    # Without a time, only what somebody says is taken: any text may stand between sessions.
    if timed is None and not rest.startswith(("<", "*")):
        what = UNKNOWN
    return ParsedLine(what, at, whole=60 if timed is None or timed[3] is None else 1)


def _session(session: re.Match[str]) -> ParsedLine:
    """``Session Start: Mon Jan 02 16:07:49 2017``, ``Session Ident: #tea``, ``Session Close (#tea): ...``."""
    if session[1] == "Ident":
        return ParsedLine(LogTarget(session[3].strip()))
    parsed = headed(session[3], LogTarget(session[2]) if session[2] else OWN)
    # ``Session Time`` is written at midnight, and tells that a day begins.
    return parsed._replace(second=None) if session[1] == "Time" and parsed.second == 0 else parsed


def _starred(rest: str) -> What:
    if rest.startswith("*** "):
        return told(rest[4:]) or OWN
    if _LISTED.match(rest):
        return told(rest) or UNKNOWN
    if action := ACTION.match(rest):
        return lines.said(action[1], "action", action[2])
    return UNKNOWN


def _single(rest: str) -> What:
    action = ACTION.match(rest)
    if action is None:
        return UNKNOWN
    if (what := told(rest[2:])) is not None:
        return what
    return OWN if _OWN.match(rest[2:]) else lines.said(action[1], "action", action[2])


MIRC = Form("mIRC", "[16:07] * linus (~l@host) has joined #tea", parse)
CLASSIC = Form("ZNC, energymech, mIRC to version 5", "[16:07:12] *** Joins: linus (~l@host)", parse_classic)
