"""The time of each line of a log, from what lines and names tell of it. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from infra.ops.irc.forms import Form
from infra.ops.irc.lines import MonthDay, ParsedLine

_DAY = 24 * 3600
#: A clock that goes back by less than this many seconds was set; by more, it has passed noon or midnight.
_SET_BACK = 3600
_EPOCH = date(1970, 1, 1)
#: A date without a year that lies farther back than this is one of the next year.
_NEXT_YEAR = timedelta(days=180)


class Clock:
    """Gives each line of a file its time: never before the line above, and after it by at least a millisecond.

    Where lines tell no date, a clock that goes back has passed midnight, or noon where it may be one of twelve hours.
    A line without a time has that of the line above, or at the beginning of the file that of the first that has one.
    Times beyond ``limit`` are refused, and move nothing.
    """

    def __init__(self, form: Form, day: date, first: int, limit: datetime) -> None:
        """``day``: of the first line; ``first``: second of the first line that has a time; ``limit``: the latest."""
        self._step = _DAY // 2 if form.half_days else _DAY
        self._limit = _seconds(limit)
        self._day = day
        #: Seconds between the log's clock and ours: multiples of the step.
        self._ahead = 0
        #: The latest time since a line told the day, in seconds since 1970.
        self._high = _midnight(day) + first
        self._refuses = self._high > self._limit
        #: How many lines told a time before that of the line above, by their own date.
        self.back = 0
        self._whole = 60
        #: Lines of this minute, or second, so far, less one: the milliseconds of the line.
        self._count = -1
        self._set(0 if self._refuses else self._high)

    def time(self, line: ParsedLine) -> str | None:
        """The time of the next line: RFC 3339, UTC, milliseconds; None when it lies beyond the limit."""
        if line.day is not None:
            self._told(line)
        elif line.second is not None:
            now = _midnight(self._day) + line.second + self._ahead
            while now <= self._high - _SET_BACK:
                now, self._ahead = now + self._step, self._ahead + self._step
            self._high = max(self._high, now)
            self._reach(now, line.whole)
        if self._refuses:
            return None
        self._count = min(self._count + 1, self._whole * 1000 - 1)
        return f"{self._prefix}{self._first + self._count // 1000:02d}.{self._count % 1000:03d}Z"

    def _told(self, line: ParsedLine) -> None:
        """A line that tells its day. Without a time, it is that day's first moment, or what was reached in it."""
        assert line.day is not None
        self._day = self._year(line.day) if isinstance(line.day, MonthDay) else line.day
        self._ahead = 0
        self._high = _midnight(self._day) + (line.second or 0)
        if line.second is not None:
            self.back += self._high < self._reached - _SET_BACK
            self._reach(self._high, line.whole)

    def _year(self, told: MonthDay) -> date:
        for year in (self._day.year, self._day.year + 1, self._day.year + 2, self._day.year + 3, self._day.year + 4):
            try:
                found = date(year, *told)
            except ValueError:
                continue
            if found > self._day - _NEXT_YEAR:
                return found
        return self._day

    def _reach(self, now: int, whole: int) -> None:
        self._refuses = now > self._limit
        if now > self._reached and not self._refuses:
            self._whole = whole
            self._set(now)

    def _set(self, now: int) -> None:
        #: The latest time of all lines.
        self._reached = now
        moment = datetime.fromtimestamp(now, UTC)
        self._prefix, self._first = moment.strftime("%Y-%m-%dT%H:%M:"), moment.second
        self._count = -1


def _midnight(day: date) -> int:
    return (day - _EPOCH).days * _DAY


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
