"""Times of requests as the log writes them: clients may give them with any fraction and zone."""

from __future__ import annotations

from api.support.problems import Problem
from events.core.clock import MOMENT_WORDS, Time, time_of
from events.core.faults import quoted, wrong


def as_kept(moment: str, at: str, *, up: bool = False) -> Time:
    """The time in UTC and milliseconds, rounded down, or ``up``. Raises Problem ``invalid`` at the pointer ``at``."""
    try:
        return time_of(moment, up=up)
    except ValueError as error:
        raise Problem("invalid", errors=[wrong(at, MOMENT_WORDS, quoted(moment))]) from error
