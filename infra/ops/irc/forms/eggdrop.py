"""Logs of Eggdrop: ``[00:02] <ada> text``, ``[00:03] ada (a@host) joined #tea.``, ``[00:00] --- Tue Jan  2 2001``."""

from __future__ import annotations

import re

from infra.ops.irc import lines
from infra.ops.irc.forms.form import TEXT, Form, Spoken, headed, second, spoken, unread
from infra.ops.irc.lines import OWN, UNKNOWN, Came, ParsedLine, Renamed, Topic, Went, What

_TIMED = re.compile(r"^\[(\d\d):(\d\d)(?::(\d\d))?\] (.*)$", re.DOTALL)
_NOTICE = re.compile(r"^-([^\s:]+):#\S+-(?: (.*))?$", re.DOTALL)
_JOINED = re.compile(r"^(\S+)(?: \(\S*\))? (?:re)?joined (#\S+?)\.$")
_LEFT = re.compile(r"^(\S+) \(\S*\) left (#\S+?)(?: \(.*\))?\.$")
_QUIT = re.compile(r"^(\S+) \(\S*\) (?:left irc|got netsplit)\b.*$")
_BACK = re.compile(r"^(\S+) \(\S*\) got lost in the net-split\.$")
_KICKED = re.compile(r"^(\S+) kicked from (#\S+) by .*$")
_RENAMED = re.compile(r"^Nick change: (\S+) -> (\S+)$")
_MODE = re.compile(r"^(#\S+): mode change '([+-]\S*)(?: (.*?))? ?' by \S+$")
_TOPIC = re.compile(r"^Topic changed on (#\S+) by ([^\s!]+)(?:!\S*)?: ?(.*)$", re.DOTALL)
_ACTION = re.compile(r"^Action: (\S+)(?: (.*))?$", re.DOTALL)
_SPOKEN: Spoken = ((TEXT, "text"), (_ACTION, "action"), (_NOTICE, "text"))
#: What the bot tells of itself.
_OWN = re.compile(r"^(?:\S+ flood from |@#|#\S+ |Switched |Writing |Saved |Saving |Trying |Connected )")


def parse(line: str) -> ParsedLine:
    """What a line says."""
    timed = _TIMED.match(line)
    at = None if timed is None else second(timed[1], timed[2], timed[3])
    if timed is None or at is None:
        return unread(line)
    rest, whole = timed[4], 60 if timed[3] is None else 1
    if rest.startswith("--- "):
        return headed(rest[4:])._replace(second=at, whole=whole)
    return ParsedLine(spoken(rest, _SPOKEN) or _told(rest), at, whole=whole)


def _told(rest: str) -> What:
    if (found := _JOINED.match(rest)) and (who := lines.nick(found[1])) is not None:
        return Came(who, found[2])
    if (found := _LEFT.match(rest)) and (who := lines.nick(found[1])) is not None:
        return Went(who, found[2])
    if (found := _QUIT.match(rest) or _BACK.match(rest)) and (who := lines.nick(found[1])) is not None:
        return Went(who)
    if (found := _KICKED.match(rest)) and (who := lines.nick(found[1])) is not None:
        return Went(who, found[2], kicked=True)
    if (found := _RENAMED.match(rest)) and (who := lines.nick(found[1])) and (to := lines.nick(found[2])):
        return Renamed(who, to)
    if found := _MODE.match(rest):
        return lines.ops(found[1], found[2], (found[3] or "").split())
    if found := _TOPIC.match(rest):
        return Topic(found[1], found[3], lines.nick(found[2]))
    return OWN if _OWN.match(rest) else UNKNOWN


FORM = Form("Eggdrop", "[00:03] linus (~l@host) joined #tea.", parse)
