"""How fast a member may send."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from push.relay.core.rate import FrameRate


def test_a_second_of_it_at_once_and_not_one_more() -> None:
    rate = FrameRate(3, 1000, 5.0)
    assert [rate.take(1, 5.0) for _ in range(4)] == [None, None, None, "frames"]
    assert rate.take(1, 5.3) == "frames"
    assert rate.take(1, 5.4) is None
    assert [rate.take(1, 60.0) for _ in range(4)] == [None, None, None, "frames"]


def test_bytes_count_too_and_a_refused_frame_costs_none() -> None:
    rate = FrameRate(100, 1000, 0.0)
    assert [rate.take(600, 0.0), rate.take(600, 0.0), rate.take(400, 0.0)] == [None, "bytes", None]
    assert rate.take(600, 0.5) == "bytes"
    assert rate.take(600, 0.7) is None


@given(st.lists(st.tuples(st.floats(0, 0.5), st.integers(0, 300)), max_size=100))
def test_no_second_has_more_than_twice_the_rate(steps: list[tuple[float, int]]) -> None:
    rate, now, passed = FrameRate(10, 1000, 0.0), 0.0, []
    for wait, size in steps:
        now += wait
        if rate.take(size, now) is None:
            passed.append((now, size))
    for begin, _ in passed:
        second = [size for at, size in passed if begin <= at < begin + 1]
        assert len(second) <= 20 and sum(second) <= 2000.001
