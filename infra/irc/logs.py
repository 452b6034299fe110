"""Log files: which there are, their lines, and the time of each line."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from infra.irc.lines import Came, Ops, Skipped, Topic, Went, What, parse

_DATE = re.compile(r"^(\d{4})-(\d\d)-(\d\d)")
_HALF_DAY = 12 * 60
#: A clock that goes back by less than this many minutes was set; by more, it has passed noon or midnight.
_SET_BACK = 60


class BadLog(RuntimeError):
    """The files cannot be imported as they are; the text says expected, actual and what to do."""


class Line(NamedTuple):
    """A line with its place. ``number`` counts from 1; ``time`` is RFC 3339, UTC, milliseconds."""

    number: int
    time: str
    what: What


class Log(NamedTuple):
    """One file. ``damaged``: how many lines were no UTF-8 and have U+FFFD in the place of what could not be read."""

    name: str
    lines: list[Line]
    damaged: int


def find(paths: Iterable[Path]) -> list[Path]:
    """The log files among ``paths`` and directly in the folders among them, oldest first, each once.

    A log file is named after its day, ``YYYY-MM-DD...``. Raises BadLog for a file that is not, for two files of the
    same name (the name is part of what tells a line from all others), and when there are none.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            inside = (file for file in path.iterdir() if file.is_file() and day_of(file.name) is not None)
            found.update(dict.fromkeys(file.resolve() for file in inside))
        elif day_of(path.name) is None:
            raise BadLog(f"{path}: expected a file named after its day, YYYY-MM-DD..., as IRC logs have no other date")
        else:
            found[path.resolve()] = None
    twice = [name for name, count in Counter(file.name for file in found).items() if count > 1]
    if twice:
        raise BadLog(f"expected file names that differ, found {twice[0]} twice; import the folders one by one")
    if not found:
        raise BadLog("expected log files named YYYY-MM-DD..., found none")
    return sorted(found, key=lambda file: file.name)


def day_of(name: str) -> date | None:
    """The day in a file's name; None when there is none."""
    match = _DATE.match(name)
    try:
        return None if match is None else date(*map(int, match.groups()))
    except ValueError:
        return None


def read(path: Path) -> Log:
    """A file's lines. Raises BadLog."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadLog(f"{path} cannot be read: {error.strerror}; give its owner's user, or other files") from error
    return parse_log(path.name, content)


def parse_log(name: str, content: bytes) -> Log:
    """The lines of a file's content."""
    day = day_of(name)
    if day is None:
        raise BadLog(f"{name}: expected a file named after its day, YYYY-MM-DD...")
    raw = content.split(b"\n")
    if raw[-1] == b"":
        raw.pop()
    texts = [line.removesuffix(b"\r").decode(errors="replace") for line in raw]
    # Not by searching U+FFFD: some logs hold it from an earlier conversion.
    damaged = sum(not _is_utf8(line) for line in raw)
    parsed = [parse(text) for text in texts]
    clock = _Clock(day, next((minute for minute, _ in parsed if minute is not None), 0))
    return Log(name, [Line(n, clock.time(minute), what) for n, (minute, what) in enumerate(parsed, 1)], damaged)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


class _Clock:
    """Gives each line of a file its time: never before the line above, and after it by at least a millisecond.

    The logs have minutes only, until 2007 on a clock of twelve hours, and do not say when a new day begins. A line
    without a time has that of the line above, or at the beginning of the file that of the first that has one.
    """

    def __init__(self, day: date, first: int) -> None:
        self._midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
        self._minute = first
        #: Minutes between the log's clock and ours: multiples of half a day.
        self._ahead = 0
        #: Lines of this minute so far, less one: the milliseconds of the line.
        self._count = -1
        self._set(first)

    def time(self, minute: int | None) -> str:
        """The time of the next line, whose own minute of the day is ``minute``."""
        if minute is not None:
            now = minute + self._ahead
            while now <= self._minute - _SET_BACK:
                now, self._ahead = now + _HALF_DAY, self._ahead + _HALF_DAY
            if now > self._minute:
                self._set(now)
        self._count = min(self._count + 1, 59_999)
        return f"{self._prefix}:{self._count // 1000:02d}.{self._count % 1000:03d}Z"

    def _set(self, minute: int) -> None:
        self._minute = minute
        self._prefix = (self._midnight + timedelta(minutes=minute)).isoformat(timespec="minutes")[:16]
        self._count = -1


def channel_of(logs: Sequence[Log]) -> str | None:
    """The channel that the logs' own lines name most often, in lower case; None when none does."""
    names = Counter(
        line.what.channel.lower()
        for log in logs
        for line in log.lines
        if isinstance(line.what, Came | Went | Ops | Topic)
    )
    return names.most_common(1)[0][0] if names else None


def skipped(logs: Iterable[Log]) -> Counter[str]:
    """How many lines become nothing, by reason."""
    return Counter(line.what.reason for log in logs for line in log.lines if isinstance(line.what, Skipped))
