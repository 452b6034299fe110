"""Files whose lines tell that a day begins: which lines between two such keep their own time. Pure.

There, a clock that goes back has not passed midnight. Bouncers send again what was said before somebody came back, and
programs write it with the time of then, below their own lines of a later time, or far ahead of the lines that follow.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from infra.ops.irc.lines import LogTarget, MonthDay, ParsedLine, Skipped

_DAY = 24 * 3600


def steady(lines: Iterable[ParsedLine], most: int) -> Iterator[tuple[ParsedLine, bool]]:
    """The lines; those that do not fit between their neighbours are without their time, and marked.

    Of the lines between two that tell a day, at most ``most`` at once, as many as possible keep their time: they
    ascend, and lie between the lines of the same day before and after. The program's own lines, of which nothing
    comes, are without time.
    """
    days = _Days()
    stretch: list[ParsedLine] = []
    for line in lines:
        if line.day is not None or len(stretch) == most:
            yield from days.stretch(stretch, line)
            stretch = []
        stretch.append(line)
    yield from days.stretch(stretch, None)


class _Days:
    def __init__(self) -> None:
        self._day: date | MonthDay | None = None
        #: The second of the day that was reached by a line which kept its time.
        self._reached = 0

    def stretch(self, lines: Sequence[ParsedLine], following: ParsedLine | None) -> Iterator[tuple[ParsedLine, bool]]:
        if not lines:
            return
        if lines[0].day is not None and lines[0].day != self._day:
            self._day, self._reached = lines[0].day, 0
        same = following is not None and following.day is not None and following.day == self._day
        timed = [number for number, line in enumerate(lines) if line.second is not None and _counts(line)]
        seconds = [line.second or 0 for line in lines]
        last = (following.second if following is not None and same else None) or _DAY
        fitting = [number for number in timed if self._reached <= seconds[number] <= last]
        kept = {fitting[place] for place in ascending([seconds[number] for number in fitting])}
        self._reached = max([self._reached, *(seconds[number] for number in kept)])
        for number, line in enumerate(lines):
            unfit = number not in kept
            yield (line._replace(second=None) if unfit else line, unfit and line.second is not None and _counts(line))


def _counts(line: ParsedLine) -> bool:
    return not isinstance(line.what, Skipped | LogTarget)


def ascending(values: Sequence[int]) -> list[int]:
    """The places of a longest sequence of values none of which is less than the one before."""
    ends: list[int] = []
    tails: list[int] = []
    before: list[int] = []
    for place, value in enumerate(values):
        length = bisect_right(tails, value)
        tails[length : length + 1] = [value]
        before.append(ends[length - 1] if length else -1)
        ends[length : length + 1] = [place]
    found, place = list[int](), ends[-1] if ends else -1
    while place >= 0:
        found.append(place)
        place = before[place]
    return found[::-1]
