"""Which channel tokens are still good."""

from __future__ import annotations

import pytest

from push.relay.core.endings import RelayRefused
from push.relay.core.tickets import ChannelTicket, Tickets
from tests.push.relay.core.tickets_made import ticket


def refusal(tickets: Tickets, one: ChannelTicket, now: float, time: float = 1000.0) -> tuple[str, str]:
    with pytest.raises(RelayRefused) as refused:
        tickets.check(one, now, time)
    return refused.value.ending.status, refused.value.ending.type


def test_a_token_holds_ten_seconds_before_and_after() -> None:
    tickets = Tickets("here", 10, 100)
    for time in (990.0, 1000.0, 1010.0):
        tickets.check(ticket(), 0.0, time)
    assert refusal(tickets, ticket(), 0.0, 1010.1) == ("UNAUTHENTICATED", "token_expired")
    assert refusal(tickets, ticket(), 0.0, 989.9) == ("UNAUTHENTICATED", "token_not_yet_valid")
    for time in (float("inf"), float("-inf"), float("nan")):
        assert refusal(tickets, ticket(timestamp=time), 0.0)[0] == "UNAUTHENTICATED"
    other = ticket()._replace(server="there")
    assert refusal(tickets, other, 0.0) == ("UNAUTHENTICATED", "channel_token_invalid")


def test_it_is_good_once_and_remembered_while_it_would_hold() -> None:
    tickets = Tickets("here", 10, 100)
    tickets.use(ticket(), 0.0)
    for now in (0.0, 10.0, 20.0):
        assert refusal(tickets, ticket(), now) == ("UNAUTHENTICATED", "channel_token_used")
    tickets.check(ticket(version=2), 20.1, 1000.0)
    assert len(tickets) == 0


def test_none_is_good_after_a_later_one_here_or_elsewhere() -> None:
    tickets = Tickets("here", 10, 100)
    tickets.use(ticket(version=5), 0.0)
    assert refusal(tickets, ticket(version=4), 1.0) == ("UNAUTHENTICATED", "channel_token_outdated")
    tickets.outdate("user-2", 7, 1.0)
    tickets.outdate("user-2", 3, 2.0)
    assert refusal(tickets, ticket(2, version=6), 1.0) == ("UNAUTHENTICATED", "channel_token_outdated")
    tickets.check(ticket(2, version=7), 1.0, 1000.0)
    tickets.check(ticket(3, version=1), 1.0, 1000.0)


def test_what_is_remembered_is_bounded() -> None:
    tickets = Tickets("here", 10, 3)
    for user in (1, 2, 3):
        tickets.use(ticket(user), float(user))
    assert refusal(tickets, ticket(4), 4.0) == ("UNAVAILABLE", "overloaded")
    tickets.check(ticket(4), 21.5, 1000.0)
    for user in range(10):
        tickets.outdate(f"user-{user}", 9, 22.0)
    assert len(tickets._latest) == 3
