"""Decisions about live channels: ids and numbers in a sequence, who may, bounds, and listens that are too near."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given as tries
from hypothesis import strategies as st
from msgspec.structs import replace

from events.channels import (
    COUNTER,
    LAST_NUMBER,
    STREAM,
    Channel,
    ChannelCounter,
    ChannelCreated,
    ChannelDeleted,
    ChannelListened,
    ChannelUser,
    ChannelUserNumbered,
    channel_key,
    channel_user_key,
)
from events.users import UserRegistered
from producers.channels import CHANNELS, CreateChannel, DeleteChannel, ListenChannel, NumberUser
from producers.commands import Command, Outcome, Refused
from tests.producers.given import Given, Log, order

CREATE, DELETE = CreateChannel(name="Raid", limit=5), DeleteChannel(channel=1, owner="ada")
CREATED, DELETED = ChannelCreated(channel=1, name="Raid", limit=5, owner="ada"), ChannelDeleted(channel=1, owner="ada")
NUMBER, NUMBERED = NumberUser(user="ada"), ChannelUserNumbered(user="ada", number=1)
LISTEN = ListenChannel(user="ada", channel=1, server="here", number=1)
REGISTERED = UserRegistered(username="ada", name="Ada", role="person", credential=None, data={})


def channels(*events: Any) -> Given:
    """What stands in the stream of all channels."""
    return Given(*events, stream=STREAM)


def user(*events: Any) -> Given:
    """What stands in ada's stream, from second 0 on."""
    return Given(REGISTERED, *events, stream="ada")


def test_ids_are_a_sequence_and_are_not_used_again() -> None:
    given = channels().when(CREATE, id="a").then(CREATED)
    given.when(DELETE, id="b").then(DELETED)
    given.when(CREATE, actor="bob", id="c").then(replace(CREATED, channel=2, owner="bob"))


def test_the_owner_or_an_operator_deletes() -> None:
    channels(CREATED).when(DELETE, actor="bob").refused("forbidden")
    channels(CREATED).when(replace(DELETE, owner="bob"), actor="bob").refused("not_found")
    channels(CREATED).when(DELETE, actor="operator").then(DELETED)
    channels(CREATED, DELETED).when(DELETE).refused("not_found")
    channels().when(DELETE, actor="operator").refused("not_found")


@pytest.mark.parametrize("name", ["", "\u200b", "two\nlines", " "])
def test_a_name_is_one_that_people_see(name: str) -> None:
    channels().when(CreateChannel(name=name, limit=1)).refused("invalid")


def test_an_owner_has_a_bounded_number() -> None:
    made = [replace(CREATED, channel=n) for n in range(1, CHANNELS + 1)]
    given = channels(*made).when(CREATE).refused("too_many")
    given.when(CREATE, actor="bob").then(replace(CREATED, channel=CHANNELS + 1, owner="bob"))
    given.when(replace(DELETE, channel=7), id="d").then(replace(DELETED, channel=7))
    given.when(CREATE, id="e").then(replace(CREATED, channel=CHANNELS + 2))


def test_a_number_stays() -> None:
    given = channels().when(NUMBER).then(NUMBERED)
    given.when(NUMBER, id="again").then()
    given.when(NumberUser(user="bob"), actor="bob", id="b").then(ChannelUserNumbered(user="bob", number=2))
    found = given.log.state[channel_user_key("ada")]
    assert isinstance(found, ChannelUser) and found.number == 1
    given.when(NumberUser(user="eve"), id="other").refused("forbidden")


def test_what_has_no_number_left_is_refused() -> None:
    last = ChannelCounter(stream=STREAM, channel=LAST_NUMBER, number=LAST_NUMBER, version=0)
    given = channels()
    given.log.state[COUNTER] = last
    given.when(CREATE).refused("too_many").when(NUMBER).refused("too_many")
    given.log.state[COUNTER] = replace(last, channel=LAST_NUMBER - 1)
    given.when(CREATE).then(replace(CREATED, channel=LAST_NUMBER))


def test_a_listen_says_where_the_one_before_led() -> None:
    given = user().when(LISTEN, id="a").then(ChannelListened(channel=1, server="here", number=1, was=None))
    there = replace(LISTEN, server="there")
    given.when(there, id="b", second=2).then(ChannelListened(channel=1, server="there", number=1, was="here"))


@pytest.mark.parametrize(("seconds", "wait"), [(10, 2.0), (11, 1.0), (9, 1.0)])
def test_two_listens_are_two_seconds_apart(seconds: int, wait: float) -> None:
    given = user().when(LISTEN, id="a", second=10)
    given.when(LISTEN, id="b", second=seconds).refused("rate_limited")
    assert isinstance(given.answer, Refused) and given.answer.retry_after == wait


@pytest.mark.parametrize("second", [8, 12, 40])
def test_a_clock_that_is_ahead_locks_nobody_out(second: int) -> None:
    given = user().when(LISTEN, id="a", second=10).when(LISTEN, id="b", second=second)
    assert isinstance(given.answer, Outcome) and given.answer.changed


def test_a_repeated_listen_is_the_first_one() -> None:
    given = user().when(LISTEN, id="a", key="k", second=10)
    first = given.answer
    again = given.when(LISTEN, id="b", key="k", second=11).answer
    assert isinstance(first, Outcome) and isinstance(again, Outcome)
    assert again.repeated and list(again.records) == list(first.records)


def test_only_registered_users_listen_and_each_for_themselves() -> None:
    Given(stream="ada").when(LISTEN).refused("not_found")
    user().when(LISTEN, actor="bob").refused("forbidden")


PEOPLE = st.sampled_from(["ada", "bob", "eve", "operator"])


@st.composite
def deeds(draw: st.DrawFn) -> list[tuple[str, Command, str | None]]:
    """What is asked of channels by few people, so that things meet."""
    command = st.one_of(
        st.builds(CreateChannel, name=st.just("Raid"), limit=st.integers(1, 25)),
        st.builds(DeleteChannel, channel=st.integers(1, 12), owner=PEOPLE),
        st.builds(NumberUser, user=PEOPLE),
    )
    return draw(st.lists(st.tuples(PEOPLE, command, st.none() | st.sampled_from("abc")), max_size=40))


@pytest.mark.long
@tries(deeds(), st.integers(1, 8))
def test_ids_and_numbers_have_no_gap_and_are_not_used_again(
    found: list[tuple[str, Command, str | None]], size: int
) -> None:
    log = Log()
    orders = [
        order(command, actor=actor, id=f"m{n}", key=key, second=n) for n, (actor, command, key) in enumerate(found)
    ]
    for start in range(0, len(orders), size):
        log.turn(*orders[start : start + size])
    made = [one.data.channel for one in log.records if isinstance(one.data, ChannelCreated)]
    numbered = [one.data for one in log.records if isinstance(one.data, ChannelUserNumbered)]
    assert made == [*range(1, len(made) + 1)]
    assert [one.number for one in numbered] == [*range(1, len(numbered) + 1)]
    assert len({one.user for one in numbered}) == len(numbered)
    state = [entity for entity in log.state.values() if entity is not None]
    there = [one for one in state if isinstance(one, Channel) and one.state == "created"]
    owned = {one.user: one.channels for one in state if isinstance(one, ChannelUser) and one.channels}
    assert owned == {owner: sum(one.owner == owner for one in there) for owner in {one.owner for one in there}}
    assert {channel_key(n) for n in made} == {one.key for one in state if isinstance(one, Channel)}
