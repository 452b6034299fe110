"""What the charts begin with: points of the last 15 minutes, their rates, and who keeps them."""

from __future__ import annotations

from typing import Any

import pytest

from api.console.history import EVERY_SECONDS, POINTS, Point, Points, Rates, quantile

STEP = EVERY_SECONDS * 1000


def shard(end: int | None, applied: int | None = 90) -> dict[str, Any]:
    return {"topic": "rooms", "partition": 0, "end": end, "applied": applied, "feed_lag": None}


def process(commands: int, started: str = "x") -> dict[str, Any]:
    return {
        "address": "a", "started": started, "answering": True,
        "counts": {"commands": commands, "refused": 0, "deliveries": 0},
        "requests": {"bounds": [0.01, 0.1], "counts": [commands / 2, commands, commands]},
    }  # fmt: skip


def after(first: tuple[Any, Any], then: tuple[Any, Any], seconds: float = 3) -> dict[str, float | None]:
    rates = Rates()
    rates.add(1000, *first)
    return rates.add(1000 + int(seconds * 1000), *then)


def test_rates_are_of_what_grew() -> None:
    found = after(([shard(100)], [process(10)]), ([shard(115)], [process(40)]))
    assert (found["events.rooms"], found["commands"]) == (5, 10)
    assert (found["lag.read_models"], found["lag.feed"]) == (25, None)
    assert found["p50"] == 10 and found["p99"] is not None and 90 < found["p99"] <= 100


def test_what_is_not_known_is_not_zero() -> None:
    gone = after(([shard(100)], [process(10)]), ([shard(None)], [{**process(10), "answering": False}]))
    assert gone["commands"] is None and gone.get("events.rooms") is None and gone["lag.read_models"] is None
    # One that was started again counts from 0; what it did meanwhile nobody knows.
    again = after(([shard(100)], [process(1000)]), ([shard(100)], [process(5, "y")]))
    assert again["commands"] is None and again["events.rooms"] == 0


def test_a_worker_that_counts_nothing_is_no_process_of_rates() -> None:
    worker = {"address": "w", "started": "x", "answering": True, "roles": ["analytics"]}
    found = after(([shard(1)], [worker, process(1)]), ([shard(1)], [worker, process(4)]))
    assert found["commands"] == 1


def test_a_process_that_answers_nobody_hides_no_times() -> None:
    idle = {**process(0), "address": "b", "requests": {"bounds": [], "counts": []}}
    for order in (1, -1):
        found = after(([shard(1)], [process(10), idle][::order]), ([shard(1)], [process(40), idle][::order]))
        assert found["p50"] == 10


@pytest.mark.parametrize(("counts", "expected"), [([0, 10, 10], 55), ([0, 0, 4], 100), ([0, 0, 0], None), ([], None)])
def test_quantiles(counts: list[float], expected: float | None) -> None:
    assert quantile([0.01, 0.1], counts, 0.5) == (None if expected is None else pytest.approx(expected))


def test_points_are_kept_for_their_time_and_no_longer() -> None:
    points = Points()
    for slot in range(3 * POINTS):
        assert points.add([Point(slot * STEP, {"p50": float(slot)}), Point(slot * STEP + 1, {})])
    kept = points.all()
    assert len(kept) == POINTS and kept[-1].at == (3 * POINTS - 1) * STEP
    assert [one.at for one in kept] == sorted(one.at for one in kept) and kept[0].values
    assert not points.lacks(kept[-1].at + STEP - 1) and points.lacks(kept[-1].at + STEP)


def test_points_of_another_process_fill_gaps_only() -> None:
    points = Points()
    points.add([Point(10 * STEP, {"p50": 1.0})])
    assert points.add([Point(10 * STEP + 7, {"p50": 2.0}), Point(9 * STEP, {"p50": 3.0})])
    assert [one.values["p50"] for one in points.all()] == [3.0, 1.0]
    assert not points.add([Point(9 * STEP, {"p50": 4.0})])
