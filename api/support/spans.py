"""Where a room's messages are: its months with their numbers, and which of them a page has to look at. Pure."""

from __future__ import annotations

from typing import NamedTuple

from infra.base.months import bounds


class Span(NamedTuple):
    """A month of a room: its lowest and highest numbers, and times. Months may overlap: clocks differ."""

    month: str
    first: int
    last: int
    since: str
    until: str
    archived: bool


class SeqWindow(NamedTuple):
    """Numbers from ``first`` to ``last``, and the ids between which all messages with these numbers are."""

    first: int
    last: int
    low: str
    high: str


class Spans:
    """The months of a room that may hold what is asked for."""

    def __init__(self, spans: list[Span], since: str | None = None, until: str | None = None) -> None:
        """Of messages made from ``since`` on and before ``until``, where these are given."""
        within = [
            span for span in spans
            if (since is None or span.until >= since) and (until is None or span.since < until)
        ]  # fmt: skip
        self._there = [span for span in within if not span.archived]
        self._archived = [span for span in within if span.archived]

    def below(self, place: int) -> bool:
        """Whether a message with a lower number may be there."""
        return any(span.first < place for span in self._there)

    def above(self, place: int) -> bool:
        """The same for a higher number."""
        return any(span.last > place for span in self._there)

    def archived(self, first: int, last: int) -> bool:
        """Whether messages with some of these numbers may be in archived months."""
        return any(span.first <= last and span.last >= first for span in self._archived)

    def window_below(self, place: int, size: int) -> SeqWindow | None:
        """The nearest numbers below a place, at most ``size`` of them; None when there are none."""
        tops = [min(span.last, place - 1) for span in self._there if span.first < place]
        if not tops:
            return None
        lowest = min(span.first for span in self._there)
        return self._window(max(lowest, max(tops) - size + 1), max(tops))

    def window_above(self, place: int, size: int) -> SeqWindow | None:
        """The same above it; no number is higher than any of the months says."""
        bottoms = [max(span.first, place + 1) for span in self._there if span.last > place]
        if not bottoms:
            return None
        # What is there above the highest may not be shown: it came after the months were read, or the moment asked for.
        highest = max(span.last for span in self._there)
        return self._window(min(bottoms), min(min(bottoms) + size - 1, highest))

    def _window(self, first: int, last: int) -> SeqWindow:
        ids = [bounds(span.month) for span in self._there if span.first <= last and span.last >= first]
        return SeqWindow(first, last, min(low for low, _ in ids), max(high for _, high in ids))
