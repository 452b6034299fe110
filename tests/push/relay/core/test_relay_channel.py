"""Who receives a frame, and in which order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from push.relay.core.endings import RelayRefused
from push.relay.core.limits import MOST_MEMBERS
from push.relay.core.member_queue import MemberQueue
from push.relay.core.rate import FrameRate
from push.relay.core.relay_channel import RelayChannel, RelayMember
from tests.push.relay.core.tickets_made import ticket


def made(number: int, most: int = 10_000) -> RelayMember:
    return RelayMember(ticket(number), MemberQueue(most, 1_000_000), FrameRate(200, 500_000, 0.0))


def channel_of(*members: RelayMember, limit: int = MOST_MEMBERS) -> RelayChannel:
    channel = RelayChannel(1, "one", limit)
    for member in members:
        assert channel.join(member) is None
    return channel


def test_all_others_receive() -> None:
    one, two, three = map(made, (1, 2, 3))
    channel = channel_of(one, two, three)
    assert channel.relay(two, b"x") == (one, three)
    assert [len(member.queue) for member in (one, two, three)] == [1, 0, 1]
    assert channel.leave(three) and not channel.leave(three)
    assert channel.relay(two, b"y") == (one,)
    assert channel.relay(three, b"z") == ()
    assert [one.queue.take() for _ in range(2)] == [b"x", b"y"]


def test_the_limit_is_exact() -> None:
    channel = channel_of(*map(made, range(1, MOST_MEMBERS + 1)))
    with pytest.raises(RelayRefused, match="expected fewer than 25 members, got 25"):
        channel.join(made(26))
    assert len(channel.members) == 25
    again = made(3)
    assert channel.join(again) is not None and list(channel.members)[-1] == 3


def test_a_connection_that_was_replaced_neither_sends_nor_leaves() -> None:
    old, new, other = made(1), made(1), made(2)
    channel = channel_of(old, other)
    assert channel.relay(old, b"x") == (other,)
    assert channel.join(new) is old
    assert channel.relay(old, b"y") == () and not channel.leave(old)
    assert channel.relay(other, b"z") == (new,) and len(old.queue) == 0


_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("say"), st.integers(1, 6)),
        st.tuples(st.just("join"), st.integers(1, 6)),
        st.tuples(st.just("leave"), st.integers(1, 6)),
        st.tuples(st.just("take"), st.integers(1, 6)),
    ),
    max_size=120,
)


@given(_STEPS, st.integers(1, 5))
def test_all_receive_the_same_order_and_a_slow_one_loses_the_oldest(steps: list[tuple[str, int]], most: int) -> None:
    """Each member has taken in, for the time in which they are in, every frame of others: or it waits, or was dropped,
    and those that were dropped are older than those that wait."""
    channel, relayed = RelayChannel(1, "one", 4), 0
    due: dict[RelayMember, list[bytes]] = {}
    taken: dict[RelayMember, list[bytes]] = {}
    for what, number in steps:
        member = channel.members.get(number)
        if what == "join" and member is None and len(channel.members) < channel.limit:
            member = made(number, most)
            channel.join(member)
            due[member], taken[member] = [], []
        elif what == "leave" and member is not None:
            assert channel.leave(member)
        elif what == "take" and member is not None and len(member.queue):
            taken[member].append(member.queue.take())
        elif what == "say" and member is not None:
            relayed += 1
            frame = relayed.to_bytes(2)
            for receiver in channel.relay(member, frame):
                due[receiver].append(frame)
            assert {*channel.members.values()} - {member} == {
                one for one, frames in due.items() if frames[-1:] == [frame]
            }  # fmt: skip
    for member, frames in due.items():
        got, rest = taken[member], [member.queue.take() for _ in range(len(member.queue))]
        # The numbers grow as the relay took them: so the order of all is one.
        assert got + rest == sorted(got + rest) and set(got + rest) <= set(frames)
        assert len(got) + len(rest) + member.queue.dropped == len(frames)
        assert rest == frames[len(frames) - len(rest) :]
        if len(frames) <= most:
            assert got + rest == frames
    assert channel.dropped == sum(member.queue.dropped for member in due)
