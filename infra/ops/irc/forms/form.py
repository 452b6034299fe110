"""What a form of log is, and what several forms read alike: times, and what clients say of comings and goings. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Literal, NamedTuple

from infra.ops.irc import lines
from infra.ops.irc.lines import BLANK, OWN, UNKNOWN, Came, LogTarget, ParsedLine, Renamed, Skipped, Topic, Went, What


class Form(NamedTuple):
    """A form that can be imported.

    ``example``: a line of it. ``half_days``: its clock may be one of twelve hours. ``public``: its program logs
    channels only, so a file that names none is no private conversation.
    """

    name: str
    example: str
    parse: Callable[[str], ParsedLine]
    half_days: bool = False
    public: bool = False


#: Patterns of lines in which somebody says or does something, the nick before the words.
Spoken = tuple[tuple[re.Pattern[str], Literal["text", "action"]], ...]
#: ``<ada> hello`` and ``* ada waves``, as most programs write them.
TEXT = re.compile(r"^<([^<>]+)>(?: (.*))?$", re.DOTALL)
ACTION = re.compile(r"^\* (\S+)(?: (.*))?$", re.DOTALL)

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}
#: ``Mon Jan 02 16:07:49 2017``, and ``Mon Jan 02 2017``: what C's ctime and irssi write.
_DATE = re.compile(r"^\S+ (\w{3})\w* +(\d{1,2}) (?:(\d\d):(\d\d):(\d\d) )?(\d{4})\b")


def unread(line: str) -> ParsedLine:
    """A line that is not as its form has lines; a blank one is so in all forms."""
    return ParsedLine(UNKNOWN if line.strip() else BLANK)


def spoken(rest: str, patterns: Spoken) -> What | None:
    """What somebody says or does by the first pattern that fits; None when none does."""
    for pattern, type in patterns:
        if found := pattern.match(rest):
            return lines.said(found[1], type, found[2])
    return None


def month(name: str) -> int | None:
    """The number of an English month, full or short; None for others."""
    return _MONTHS.get(name[:3].lower())


def day(year: int, number: int, of_month: int) -> date | None:
    """A date; None when there is none such."""
    try:
        return date(year, number, of_month)
    except ValueError:
        return None


def second(hours: str, minutes: str, seconds: str | None = None) -> int | None:
    """The second of the day; None when a clock cannot show that."""
    h, m, s = int(hours), int(minutes), int(seconds or 0)
    return h * 3600 + m * 60 + s if h < 24 and m < 60 and s < 61 else None


def headed(text: str, what: What = OWN) -> ParsedLine:
    """A line of the program's own that tells the date, and perhaps the time to the minute."""
    found = _DATE.match(text)
    number = None if found is None else month(found[1])
    if found is None or number is None:
        return ParsedLine(Skipped("date that cannot be read (English months are known)"))
    at = None if found[3] is None else second(found[3], found[4])
    return ParsedLine(what, at, day(int(found[6]), number, int(found[2])))


#: ``(user@host)``, ``<user@host>``, or nothing.
_HOST = r"(?: +[(<\[][^\s()]*@\S*[)>\]])?"
_JOINED = re.compile(rf"^(\S+){_HOST} has joined(?: (#\S*[^\s.]))?\.?\s*$")
_LEFT = re.compile(rf"^(\S+){_HOST} has left(?: (#[^\s.()]\S*))?(?: [(\[\"].*)?\.?\s*$")
_QUIT = re.compile(rf"^(\S+){_HOST} (?:has quit(?: IRC)?|Quit)(?: [(\[\"].*)?\s*$")
_LISTED = re.compile(r"^(Joins|Parts|Quits): (\S+)(?: .*)?$")
_RENAMED = re.compile(r"^(\S+) is now known as (\S+)\s*$")
_KICKED = re.compile(r"^(\S+) was kicked(?: (?:from|off|out of) (#\S+))? by \S+(?: [(\[].*)?\s*$")
_MODES = re.compile(r"^(\S+) sets mode: ([+-]\S*)(?: (.*))?$")
_TOPIC = re.compile(r"""^(\S+) changes topic to (?:'(.*)'|"(.*)"|(.*))\s*$""", re.DOTALL)
_TALKING = re.compile(r"^(?:You are now|Now) talking (?:in|on) (#\S+?)\.*\s*$")


def told(text: str) -> What | None:
    """What mIRC, and who writes as it does, tells of members, modes and topics; None for anything else."""
    if found := _TALKING.match(text):
        return LogTarget(found[1])
    # In such a list, an op may stand with their sign.
    if (found := _LISTED.match(text)) and (who := lines.nick(found[2].lstrip(lines.SIGNS))) is not None:
        return Came(who) if found[1] == "Joins" else Went(who)
    if (found := _JOINED.match(text)) and (who := lines.nick(found[1])) is not None:
        return Came(who, found[2])
    if (found := _LEFT.match(text)) and (who := lines.nick(found[1])) is not None:
        return Went(who, found[2])
    if (found := _QUIT.match(text)) and (who := lines.nick(found[1])) is not None:
        return Went(who)
    if (found := _KICKED.match(text)) and (who := lines.nick(found[1])) is not None:
        return Went(who, found[2], kicked=True)
    if (found := _RENAMED.match(text)) and (who := lines.nick(found[1])) and (to := lines.nick(found[2])):
        return Renamed(who, to)
    if found := _MODES.match(text):
        return lines.ops(None, found[2], (found[3] or "").split())
    if (found := _TOPIC.match(text)) and (who := lines.nick(found[1])) is not None:
        return Topic(None, next(part for part in found.groups()[1:] if part is not None), who)
    return None
