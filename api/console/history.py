"""What the figures were over the last minutes: rates from counts that only grow, and the points that are kept."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

#: Seconds between two points that are kept, and for how long they are.
EVERY_SECONDS, KEPT_SECONDS = 5, 900
#: Most points of the ring.
POINTS = KEPT_SECONDS // EVERY_SECONDS
#: Seconds over which a rate, and over which a quantile, is taken at least, where there were looks so close.
_RATE_SECONDS, _QUANTILE_SECONDS = 2.5, 10.0
#: Looks that are remembered: what quantiles need, at a look a second, and a few more for looks that come close.
_LOOKS = 16
#: Counts of processes of which rates are made.
_COUNTS = ("commands", "refused", "deliveries")

#: By name; None where it is not known.
Values = dict[str, float | None]


class Point(msgspec.Struct, frozen=True):
    """What the whole installation did at ``at`` (Unix milliseconds): rates a second, milliseconds, events."""

    at: int
    values: Values


class Points:
    """A ring of points, one in EVERY_SECONDS, whoever made them: bounded by time, and so in size."""

    def __init__(self) -> None:
        self._slots: dict[int, Point] = {}

    def add(self, points: Iterable[Point]) -> bool:
        """Takes points in; of two of one slot the first stays. Returns whether any was new."""
        before = len(self._slots)
        for point in points:
            self._slots.setdefault(point.at // (EVERY_SECONDS * 1000), point)
        grown = len(self._slots) > before
        if self._slots:
            oldest = max(self._slots) - POINTS
            for slot in [slot for slot in self._slots if slot <= oldest]:
                del self._slots[slot]
        return grown

    def all(self) -> list[Point]:
        """In order."""
        return [self._slots[slot] for slot in sorted(self._slots)]

    def lacks(self, at: int) -> bool:
        """Whether nobody has made a point for this moment (Unix milliseconds) yet."""
        return at // (EVERY_SECONDS * 1000) not in self._slots


class _Look(NamedTuple):
    """What counts were, at a moment (Unix milliseconds)."""

    at: int
    #: Next offsets of the shards that are known, by topic.
    ends: Mapping[str, int]
    #: By one run of a process: what it counts starts again with it.
    processes: Mapping[tuple[str, str], Mapping[str, Any]]


class Rates:
    """Makes values of the figures of one look after the other."""

    def __init__(self) -> None:
        self._looks: deque[_Look] = deque(maxlen=_LOOKS)

    def add(self, at: int, shards: Sequence[Mapping[str, Any]], processes: Sequence[Mapping[str, Any]]) -> Values:
        """The values at this look (Unix milliseconds), of what ``console.figures`` shows."""
        told = {(one["address"], one["started"]): one for one in processes if one["answering"] and "counts" in one}
        look = _Look(at, _ends(shards), told)
        while self._looks and self._looks[0].at < at - 2 * EVERY_SECONDS * 1000:
            self._looks.popleft()
        before = next((one for one in reversed(self._looks) if one.at <= at - _RATE_SECONDS * 1000), None)
        before = before or (self._looks[0] if self._looks else None)
        first = next((one for one in self._looks if one.at >= at - _QUANTILE_SECONDS * 1000), None)
        self._looks.append(look)
        return {**_rates(before, look), **_quantiles(first, look), **_lags(shards)}


def _ends(shards: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for shard in shards:
        if shard["end"] is not None:
            found[shard["topic"]] = found.get(shard["topic"], 0) + shard["end"]
    return found


def _rates(before: _Look | None, look: _Look) -> Values:
    values: Values = dict.fromkeys(_COUNTS)
    if before is None or look.at <= before.at:
        return values
    seconds = (look.at - before.at) / 1000
    for topic, end in look.ends.items():
        values[f"events.{topic}"] = max(0, end - before.ends[topic]) / seconds if topic in before.ends else None
    # Without a process that was there at both times nothing is known, which is not zero.
    if before.processes.keys() & look.processes.keys():
        for name in _COUNTS:
            values[name] = sum(_grown(before, look, "counts", name)) / seconds
    return values


def _grown(before: _Look, look: _Look, group: str, name: str) -> list[float]:
    """By how much a count grew in each process that was there at both times."""
    return [
        max(0.0, look.processes[run][group].get(name, 0) - before.processes[run][group].get(name, 0))
        for run in look.processes.keys() & before.processes.keys()
    ]


def _quantiles(before: _Look | None, look: _Look) -> Values:
    found: Values = {"p50": None, "p99": None}
    if before is None:
        return found
    bounds: list[float] = []
    counts: list[float] = []
    for run in look.processes.keys() & before.processes.keys():
        then, now = (one.processes[run]["requests"] for one in (before, look))
        if not now["counts"]:
            # It answers nobody.
            continue
        if not counts:
            bounds, counts = now["bounds"], [0.0] * len(now["counts"])
        # A process that has answered nothing yet has no counts.
        earlier = then["counts"] or [0.0] * len(now["counts"])
        counts = [sum_ + max(0.0, new - old) for sum_, new, old in zip(counts, now["counts"], earlier, strict=False)]
    return {"p50": quantile(bounds, counts, 0.5), "p99": quantile(bounds, counts, 0.99)}


def quantile(bounds: Sequence[float], counts: Sequence[float], share: float) -> float | None:
    """The value, in ms, below which this share of a cumulative histogram lies; None when it is empty."""
    if not counts or not counts[-1]:
        return None
    wanted = counts[-1] * share
    place = next(place for place, count in enumerate(counts) if count >= wanted)
    if place >= len(bounds):
        return bounds[-1] * 1000
    low, below = (bounds[place - 1], counts[place - 1]) if place else (0.0, 0.0)
    part = (wanted - below) / (counts[place] - below) if counts[place] > below else 1.0
    return (low + (bounds[place] - low) * part) * 1000


def _lags(shards: Sequence[Mapping[str, Any]]) -> Values:
    models = [max(0, one["end"] - one["applied"]) for one in shards if None not in (one["end"], one["applied"])]
    feed = [one["feed_lag"] for one in shards if one["feed_lag"] is not None]
    return {"lag.read_models": sum(models) if models else None, "lag.feed": sum(feed) if feed else None}
