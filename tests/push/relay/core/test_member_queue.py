"""What waits for one receiver."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from push.relay.core.member_queue import MemberQueue


def all_of(queue: MemberQueue) -> list[bytes]:
    return [queue.take() for _ in range(len(queue))]


def test_the_oldest_are_dropped_for_a_new_one() -> None:
    queue = MemberQueue(3, 100)
    assert [queue.put(frame) for frame in (b"a", b"b", b"c", b"d", b"e")] == [0, 0, 0, 1, 1]
    assert queue.dropped == 2 and all_of(queue) == [b"c", b"d", b"e"]


def test_as_many_as_make_room_for_its_bytes() -> None:
    queue = MemberQueue(100, 10)
    for size in (4, 3, 3):
        assert queue.put(bytes(size)) == 0
    assert queue.put(bytes(7)) == 2
    assert queue.size == 10 and [len(frame) for frame in all_of(queue)] == [3, 7] and queue.size == 0


def test_a_frame_that_never_fits_is_an_error_and_changes_nothing() -> None:
    queue = MemberQueue(100, 10)
    queue.put(b"abc")
    with pytest.raises(ValueError, match="expected a frame of at most 10 bytes, got 11"):
        queue.put(bytes(11))
    assert all_of(queue) == [b"abc"] and queue.dropped == 0


def test_what_is_cleared_is_dropped() -> None:
    queue = MemberQueue(3, 100)
    queue.put(b"a")
    queue.put(b"b")
    assert queue.clear() == 2 and queue.dropped == 2 and len(queue) == queue.size == 0


@given(
    most_frames=st.integers(1, 6),
    most_bytes=st.integers(8, 30),
    steps=st.lists(st.one_of(st.integers(0, 8), st.none()), max_size=60),
)
def test_whoever_takes_at_random_loses_the_oldest_only(
    most_frames: int, most_bytes: int, steps: list[int | None]
) -> None:
    """``steps``: the size of a frame that is put, or None to take one."""
    queue = MemberQueue(most_frames, most_bytes)
    put: list[bytes] = []
    taken: list[bytes] = []
    for step in steps:
        if step is None:
            if len(queue):
                taken.append(queue.take())
            continue
        before = len(queue)
        frame = bytes([len(put)]) * step
        put.append(frame)
        dropped = queue.put(frame)
        assert len(queue) == before - dropped + 1 <= most_frames and queue.size <= most_bytes
        # None was dropped that could have stayed.
        waiting = put[len(put) - before - 1 :]
        if dropped:
            kept = waiting[dropped - 1 :]
            assert len(kept) > most_frames or sum(map(len, kept)) > most_bytes
    rest = all_of(queue)
    assert len(put) == len(taken) + len(rest) + queue.dropped
    assert rest == put[len(put) - len(rest) :]
    left = iter(put)
    assert all(frame in left for frame in taken), "taken in another order than put"
