"""Latencies are recorded to three digits, added up, and counted from the intended time."""

from __future__ import annotations

import time

import pytest

from tests.bench.histogram import Histogram, open_loop


def test_percentiles_in_milliseconds() -> None:
    found = Histogram.of(number / 1000 for number in range(1, 101))
    assert found.percentile(50) == pytest.approx(50, rel=0.002)
    assert found.percentile(99) == pytest.approx(99, rel=0.002)
    assert found.count == 100


def test_what_is_out_of_range_counts_as_the_range_s_end() -> None:
    found = Histogram.of([0.0, 1000.0])
    assert found.percentile(1) == 0.001
    assert found.percentile(100) == pytest.approx(100_000, rel=0.002)


def test_encoded_ones_add_up() -> None:
    parts = [Histogram.of([seconds] * 10) for seconds in (0.001, 0.01, 1.0)]
    total = Histogram.sum([part.encode() for part in parts])
    assert total.count == 30
    assert total.percentile(50) == pytest.approx(10, rel=0.002)


def test_nothing_recorded_has_no_percentile() -> None:
    with pytest.raises(ValueError, match="expected recorded latencies"):
        Histogram().percentile(50)


async def test_an_open_loop_keeps_its_times_while_what_it_does_stalls() -> None:
    called: list[tuple[int, float]] = []

    def act(number: int, intended: float) -> None:
        called.append((number, intended))
        if number == 0:
            time.sleep(0.1)

    assert await open_loop(act, 200, 0.1) == 20
    begin = called[0][1]
    assert [number for number, _ in called] == list(range(20))
    assert [at - begin for _, at in called] == pytest.approx([number / 200 for number in range(20)])
