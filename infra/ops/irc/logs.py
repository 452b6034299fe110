"""Log files as the import sees them: the form of each, its channel, its day, and its lines with their times."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import NamedTuple

from infra.ops.irc import content
from infra.ops.irc.clock import Clock
from infra.ops.irc.content import BadLog, NoLog
from infra.ops.irc.days import steady
from infra.ops.irc.files import File
from infra.ops.irc.forms import FORMS, Form, recognise
from infra.ops.irc.lines import BLANK, Came, LogTarget, MonthDay, Ops, ParsedLine, Skipped, Topic, Went, What

__all__ = ["AHEAD", "FUTURE", "BadLog", "Log", "LogLine", "LogPart", "NoLog", "latest", "opened", "parts"]

#: How far a line's time may lie ahead of this machine's clock.
AHEAD = timedelta(minutes=10)
#: Lines of one part: what is in memory at once.
PART = 20_000

FUTURE = Skipped(f"time that lies more than {AHEAD.seconds // 60} minutes ahead: refused")


class LogLine(NamedTuple):
    """A line with its place. ``number`` counts from 1; ``time`` is RFC 3339, UTC, milliseconds."""

    number: int
    time: str
    what: What


class Log(NamedTuple):
    """A file whose form is known.

    ``day``, ``first``: of its first line with a time. ``channels``: how often its lines name which channel, in lower
    case. ``private``: the program says that it is a conversation with one person. ``lines``: how many it has.
    ``midnights``: there are lines which tell that a day begins.
    """

    file: File
    form: Form
    day: date
    first: int
    channels: Counter[str]
    private: bool
    lines: int
    encoding: str = ""
    midnights: bool = False


class LogPart(NamedTuple):
    """Some lines of a file, in order.

    ``damaged``: how many were no UTF-8 and have U+FFFD in the place of what could not be read; ``back``: how many tell
    an earlier time than the lines above, and got that of these.
    """

    name: str
    lines: list[LogLine]
    damaged: int
    back: int


def latest() -> datetime:
    """The latest time that a line may have."""
    return datetime.now(UTC) + AHEAD


def opened(file: File, encoding: str = "") -> Log | None:
    """What a file is; None when nothing is in it. Raises BadLog, with the forms there are."""
    form = _form(file)
    if form is None:
        return None
    day, first, channels, private, count, midnights = file.day, None, Counter[str](), False, 0, False
    for text, _ in content.texts(file.path, encoding):
        parsed = form.parse(text)
        count += 1
        midnights = midnights or (parsed.day is not None and parsed.second is None)
        if first is None:
            day = _day(parsed.day, day)
            first = parsed.second
        if (channel := _channel(parsed.what)) is not None:
            channels[channel.lower()] += channel.startswith("#")
            private = private or (isinstance(parsed.what, LogTarget) and not channel.startswith("#"))
    if day is None:
        raise NoLog(
            file.path, "the date in its name (YYYY-MM-DD), in its folders (YYYY/MM/DD) or in a line", "none",
            "name the file after its day",
        )  # fmt: skip
    return Log(file, form, day, first or 0, +channels, private and not +channels, count, encoding, midnights)


def parts(log: Log, limit: datetime) -> Iterator[LogPart]:
    """A file's lines, with their times. Those that are later than ``limit`` are ``FUTURE``. Raises BadLog.

    What a program has written since the file was opened waits for the next import.
    """
    clock = Clock(log.form, log.day, 0 if log.midnights else log.first, limit)
    lines, damaged, time = list[LogLine](), Counter[int](), ""
    moved = back = 0
    for number, (parsed, unfit) in enumerate(_parsed(log, damaged), 1):
        at = clock.time(parsed)
        time = at or time
        moved += unfit
        refused = at is None and parsed.what != BLANK
        lines.append(LogLine(number, time, FUTURE if refused else parsed.what))
        if len(lines) == PART:
            yield _part(log, lines, damaged, moved + clock.back - back)
            lines, back = [], moved + clock.back
    if lines:
        yield _part(log, lines, damaged, moved + clock.back - back)


def _parsed(log: Log, damaged: Counter[int]) -> Iterator[tuple[ParsedLine, bool]]:
    """What its lines say, and whether one does not keep its time; ``damaged`` counts by part."""
    texts = enumerate(islice(content.texts(log.file.path, log.encoding), log.lines))

    def parsed() -> Iterator[ParsedLine]:
        for number, text in texts:
            damaged[number // PART] += text.damaged
            yield log.form.parse(text.text)

    return steady(parsed(), PART) if log.midnights else ((line, False) for line in parsed())


def _part(log: Log, lines: list[LogLine], damaged: Counter[int], back: int) -> LogPart:
    return LogPart(log.file.name, lines, damaged[(lines[0].number - 1) // PART], back)


def _form(file: File) -> Form | None:
    found = recognise(content.head(file.path))
    if not found.lines:
        return None
    if found.form is None:
        what = f"a log of {found.refused}, which is not imported" if found.refused else (
            f"a file with {found.unknown:,} of its first {found.lines:,} lines of no known kind, such as "
            f"{found.first[:80]!r}"
        )  # fmt: skip
        known = "; ".join(form.name for form in FORMS)
        raise NoLog(file.path, "an IRC log", what, f"leave it out, or convert it into a known form: {known}")
    return found.form


def _day(told: date | MonthDay | None, known: date | None) -> date | None:
    """The day of a line: what it tells, with the year of what is known."""
    if not isinstance(told, MonthDay):
        return told or known
    try:
        return None if known is None else date(known.year, *told)
    except ValueError:
        return known


def _channel(what: What) -> str | None:
    match what:
        case Came() | Went() | Ops() | Topic():
            return what.channel
        case LogTarget():
            return what.of
        case _:
            return None
