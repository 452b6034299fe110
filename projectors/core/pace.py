"""How fast small turns may follow each other, so that events gather when there are many. Pure: time is given."""

from __future__ import annotations

#: Events in a turn that make its price small beside theirs: a backlog does not wait.
WORTH = 200
#: Turns that may follow each other at once after a quiet time.
FREE = 10


class Pace:
    """Keeps account of the turns of one projector.

    A turn has its price, whatever it holds: calls, system calls, trips to Kafka and Postgres.
    """

    def __init__(self, seconds: float) -> None:
        """``seconds``: from one small turn to the next, when they follow each other and the first FREE are over."""
        self._seconds = seconds
        #: When turns that kept the pace would have come to the present one.
        self._due = 0.0

    def rest(self, now: float) -> float:
        """Seconds to wait before the next turn; 0 or less: none."""
        return self._due - FREE * self._seconds - now

    def turn(self, now: float, events: int) -> None:
        """A turn of this many events begins."""
        if events < WORTH:
            self._due = max(self._due, now) + self._seconds
