"""That a user is in one channel at a time, and which channels are served."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from push.relay.core.endings import RelayRefused
from push.relay.core.limits import RelayLimits
from push.relay.core.relay_state import RelayState
from tests.push.relay.core.tickets_made import ticket


def state_of(**limits: int) -> RelayState:
    state = RelayState("here", RelayLimits(**limits))
    state.add(1, "one", 25)
    state.add(2, "two", 1)
    return state


def refusal(call: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(RelayRefused) as refused:
        call()
    return refused.value.ending.status, refused.value.ending.type


def test_joining_elsewhere_cuts_the_earlier_connection() -> None:
    state = state_of()
    first = state.join(ticket(version=1), 0.0, 1000.0)
    second = state.join(ticket(version=2, channel=2), 0.0, 1000.0)
    assert first.cut is None and second.cut is first.member
    assert not state.channels[1].members and state.users == {"user-1": second.member}
    assert not state.leave(first.member) and state.leave(second.member) and not state.users


def test_an_older_version_is_refused_and_costs_nothing() -> None:
    state = state_of()
    present = state.join(ticket(version=5), 0.0, 1000.0).member
    for version in (4, 5):
        older = ticket(version=version, channel=2)._replace(id="another")
        assert refusal(partial(state.join, older, 0.0, 1000.0)) == (
            "UNAUTHENTICATED", "channel_token_outdated",
        )  # fmt: skip
    assert state.users == {"user-1": present}


def test_a_refused_join_leaves_the_earlier_connection_and_the_token() -> None:
    state = state_of()
    present = state.join(ticket(1), 0.0, 1000.0).member
    other = state.join(ticket(2, channel=2), 0.0, 1000.0).member
    later = ticket(1, version=2, channel=2)
    assert refusal(lambda: state.join(later, 0.0, 1000.0)) == ("FAILED_PRECONDITION", "channel_full")
    assert refusal(lambda: state.join(later._replace(channel=3), 0.0, 1000.0)) == ("UNAVAILABLE", "channel_elsewhere")
    assert state.users["user-1"] is present
    state.leave(other)
    assert state.join(later, 0.0, 1000.0).cut is present


def test_cut_is_of_older_connections_only() -> None:
    state = state_of()
    member = state.join(ticket(version=5), 0.0, 1000.0).member
    assert state.cut("user-1", 5, 0.0) is state.cut("user-1", 4, 0.0) is state.cut("user-2", 9, 0.0) is None
    assert state.cut("user-1", 6, 0.0) is member and not state.users
    assert refusal(lambda: state.join(ticket(2, version=8), 0.0, 1000.0)) == (
        "UNAUTHENTICATED", "channel_token_outdated",
    )  # fmt: skip


def test_channels_are_added_removed_and_dropped() -> None:
    state = state_of(channels=3)
    state.add(3, "three", 5)
    state.add(3, "third", 6)
    assert (state.channels[3].name, state.channels[3].limit) == ("third", 6)
    assert refusal(lambda: state.add(4, "four", 5)) == ("RESOURCE_EXHAUSTED", "channels_full")
    member = state.join(ticket(), 0.0, 1000.0).member
    assert refusal(lambda: state.remove(1)) == ("FAILED_PRECONDITION", "channel_in_use")
    assert state.drop(1) == (member,) and state.drop(1) == () and not state.users
    state.remove(3)
    state.remove(3)
    assert list(state.channels) == [2]


def test_members_of_all_channels_are_bounded_but_who_is_in_may_move() -> None:
    state = state_of(members=1)
    state.join(ticket(1), 0.0, 1000.0)
    assert refusal(lambda: state.join(ticket(2), 0.0, 1000.0)) == ("UNAVAILABLE", "overloaded")
    assert state.join(ticket(1, version=2, channel=2), 0.0, 1000.0).cut is not None


_DEEDS = st.lists(
    st.tuples(st.sampled_from(["join", "leave", "cut", "drop", "add"]), st.integers(1, 4), st.integers(1, 3),
              st.integers(0, 3)),
    max_size=60,
)  # fmt: skip


@given(_DEEDS)
def test_whatever_is_done_a_user_is_in_one_channel_and_none_is_too_full(deeds: list[tuple[str, int, int, int]]) -> None:
    state = state_of()
    for clock, (what, user, channel, back) in enumerate(deeds, 1):
        version = max(1, clock - back)
        present = state.users.get(f"user-{user}")
        match what:
            case "join":
                try:
                    join = state.join(ticket(user, version, channel), float(clock), 1000.0)
                except RelayRefused:
                    assert state.users.get(f"user-{user}") is present
                else:
                    assert join.cut is present
                    assert present is None or present.ticket.version < version
            case "leave" if present is not None:
                assert state.leave(present)
            case "cut":
                cut = state.cut(f"user-{user}", version, float(clock))
                assert (cut is not None) == (present is not None and present.ticket.version < version)
            case "drop":
                state.drop(channel)
            case "add":
                state.add(channel, "again", channel)
        found = [member for one in state.channels.values() for member in one.members.values()]
        assert sorted(map(id, found)) == sorted(map(id, state.users.values()))
        assert len({member.ticket.user for member in found}) == len(found)


def test_a_channel_rests_once_nobody_was_in_it_for_long() -> None:
    state = state_of()
    member = state.join(ticket(1), 0.0, 1000.0).member
    assert state.idle(0.0, 60) == set() and state.idle(59.0, 60) == set()
    assert state.idle(60.0, 60) == {2}
    state.add(2, "two", 1)
    assert state.idle(61.0, 60) == set(), "somebody is sent there again"
    state.leave(member)
    assert state.idle(100.0, 60) == set() and state.idle(121.0, 60) == {2}
    assert state.idle(160.0, 60) == {1, 2}
    state.join(ticket(1, version=2), 160.0, 1000.0)
    assert state.idle(161.0, 60) == {2}
    state.remove(2)
    assert state.idle(300.0, 60) == set()


def test_who_listened_in_a_session_is_found_while_connected() -> None:
    state = state_of()
    first = state.join(ticket(1), 0.0, 1000.0).member
    assert state.of_session("session-1") is first and state.of_session("session-2") is None
    # The same session listens anew.
    second = state.join(ticket(1, version=2, channel=2), 0.0, 1000.0).member
    state.leave(first)
    assert state.of_session("session-1") is second
    assert list(state.drop(2)) == [second]
    assert state.of_session("session-1") is None and not state.users
