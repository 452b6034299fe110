"""Latencies: an HdrHistogram of microseconds, and the open loop that is measured from the intended time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from time import perf_counter

from hdrh.histogram import HdrHistogram

#: Microseconds that can be told apart, from 1 µs to 100 s, to three digits.
_LOWEST, _HIGHEST, _DIGITS = 1, 100_000_000, 3


class Histogram:
    """Seconds go in, milliseconds come out."""

    def __init__(self) -> None:
        self._counts = HdrHistogram(_LOWEST, _HIGHEST, _DIGITS)

    @classmethod
    def of(cls, seconds: Iterable[float]) -> Histogram:
        """All of them recorded."""
        found = cls()
        for one in seconds:
            found.record(one)
        return found

    @classmethod
    def decode(cls, text: str) -> Histogram:
        """What ``encode`` gave."""
        return cls.sum([text])

    @classmethod
    def sum(cls, texts: Iterable[str]) -> Histogram:
        """Several encoded ones, added up."""
        found = cls()
        for text in texts:
            found._counts.decode_and_add(text)
        return found

    def record(self, seconds: float, times: int = 1) -> None:
        """One latency, so many times; what is longer than 100 s counts as 100 s."""
        self._counts.record_value(min(max(_LOWEST, round(seconds * 1e6)), _HIGHEST), times)

    def percentile(self, percent: float) -> float:
        """Milliseconds below which so many percent are. Raises ValueError when nothing was recorded."""
        if not self.count:
            raise ValueError("expected recorded latencies, got none")
        return float(self._counts.get_value_at_percentile(percent)) / 1000

    @property
    def count(self) -> int:
        return int(self._counts.get_total_count())

    def encode(self) -> str:
        """HdrHistogram's own format (V2, compressed, base64), which its tools read."""
        encoded: bytes = self._counts.encode()
        return encoded.decode()


async def open_loop(act: Callable[[int, float], object], rate: float, seconds: float) -> int:
    """Calls ``act(number, intended)`` at each intended time (``perf_counter``), however late the calls before it end.

    What is measured from ``intended`` has the waiting in it that a stalled system causes (no coordinated omission).
    Returns the number of calls.
    """
    count = max(1, round(rate * seconds))
    begin = perf_counter() + 0.01
    for number in range(count):
        intended = begin + number / rate
        if (wait := intended - perf_counter()) > 0:
            await asyncio.sleep(wait)
        act(number, intended)
    return count
