"""Logs with date and time before each line, as of Supybot and irclog2html: ``2005-01-08T23:33:54  <ada> text``."""

from __future__ import annotations

import re

from infra.ops.irc.forms.form import ACTION, TEXT, Form, Spoken, day, second, spoken, told, unread
from infra.ops.irc.lines import OWN, UNKNOWN, ParsedLine, What

_LINE = re.compile(
    r"^\[?(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?(?:Z|\+00:?00)?\]?  ?(\S.*)$", re.DOTALL
)
_NOTICE = re.compile(r"^-([^\s:]+)(?::#\S+)?-(?: (.*))?$", re.DOTALL)
_SPOKEN: Spoken = ((TEXT, "text"), (ACTION, "action"), (_NOTICE, "text"))


def parse(line: str) -> ParsedLine:
    """What a line says."""
    found = _LINE.match(line)
    if found is None:
        return unread(line)
    date, at = day(int(found[1]), int(found[2]), int(found[3])), second(found[4], found[5], found[6])
    if date is None or at is None:
        return ParsedLine(UNKNOWN)
    return ParsedLine(_what(found[7]), at, date, whole=60 if found[6] is None else 1)


def _what(rest: str) -> What:
    if rest.startswith("*** "):
        return told(rest[4:]) or OWN
    return spoken(rest, _SPOKEN) or UNKNOWN


FORM = Form("date and time (Supybot, irclog2html)", "2005-01-08T23:33:54  <ada> hello", parse)
