"""Events of several shards as one list."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from events.core.positions import Shard, ordered

SEEN = st.lists(st.tuples(st.sampled_from([Shard("rooms", 0), Shard("rooms", 1)]), st.integers(0, 5)), max_size=12)


@given(SEEN)
def test_each_shard_keeps_its_order_whatever_its_clocks_say(seen: list[tuple[Shard, int]]) -> None:
    items = [(shard, moment, offset) for offset, (shard, moment) in enumerate(seen)]
    found = ordered(items, lambda one: one[0], lambda one: one[1])
    assert sorted(found) == sorted(items)
    for shard in {shard for shard, _ in seen}:
        offsets = [offset for place, _, offset in found if place == shard]
        assert offsets == sorted(offsets)


@given(SEEN)
def test_where_no_clock_goes_back_times_decide(seen: list[tuple[Shard, int]]) -> None:
    items = sorted(seen, key=lambda one: one[1])
    found = ordered(items, lambda one: one[0], lambda one: one[1])
    assert all(before[1] <= after[1] for before, after in pairwise(found))


def test_a_clock_that_was_set_back() -> None:
    one, other = Shard("rooms", 0), Shard("rooms", 1)
    items = [(one, "09"), (one, "05"), (one, "06"), (other, "07"), (other, "10")]
    found = ordered(items, lambda item: item[0], lambda item: item[1])
    assert found == [(other, "07"), (one, "09"), (one, "05"), (one, "06"), (other, "10")]
