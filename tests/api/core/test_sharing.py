"""Processes that tell each other what was taken: how close their limits are to one, who is told of, and of how much.
Tests ``api/core/sharing.py``, ``api/core/limits.py`` and ``api/support/limiter.py``."""

from __future__ import annotations

import random

import pytest

from api.core.limits import Allowance, Limits
from api.core.sharing import ALIVE_SECONDS, GONE_SECONDS, TURN_SECONDS, Sharing
from api.core.tokens import Identity
from api.support.limiter import TOLD_SHARE
from infra.base.settings import Settings
from push.presence import gossip
from push.presence.gossip import GossipMessage

MOST, SECONDS = 500, 10
SETTINGS = Settings(limit_send=f"{MOST}/{SECONDS}", limit_app="1000/10")


class Net:
    """Processes with one clock, whose notes come ``late`` seconds after they were written."""

    def __init__(self, count: int, late: float = 0.05) -> None:
        self.time, self.late = 1000.0, late
        self.under_way: list[tuple[float, bytes]] = []
        self.written = 0
        self.open: list[dict[str, int]] = [{} for _ in range(count)]
        self.limits = [Limits(SETTINGS, lambda: self.time) for _ in range(count)]
        self.sharings = [
            Sharing(limits, self._tell, lambda n=n: self.open[n], lambda: self.time)  # type: ignore[misc]
            for n, limits in enumerate(self.limits)
        ]
        self.turn()
        self.turn()

    def _tell(self, notes: list[GossipMessage]) -> None:
        self.written += len(notes)
        self.under_way += [(self.time + self.late, gossip.encode(note)) for note in notes]

    def turn(self) -> None:
        """Each process has its turn, and time goes on."""
        for sharing in self.sharings:
            sharing.turn()
        self.passes(TURN_SECONDS)

    def passes(self, seconds: float) -> None:
        self.time += seconds
        there = [value for at, value in self.under_way if at <= self.time]
        self.under_way = [one for one in self.under_way if one[0] > self.time]
        for value in there:
            for sharing in self.sharings:
                sharing.heard(gossip.decode(value))


def who(user: str, app: str = "default") -> Identity:
    return Identity(user, "s", "person", 2e9, app=app)


def lets(limits: Limits, user: str = "ada", app: str = "default") -> bool:
    found = limits.count("send", who(user, app), "")
    assert isinstance(found, Allowance)
    return found.own.taken.wait <= 0.0 and (found.app is None or found.app.taken.wait <= 0.0)


@pytest.mark.parametrize("nodes", [2, 4, 8])
@pytest.mark.parametrize("rate", [100, 400])
def test_all_processes_together_let_through_little_more_than_one(nodes: int, rate: int) -> None:
    """Somebody asks ``rate`` times a second, each time another process."""
    net, chance, granted, seconds = Net(nodes), random.Random(7), 0, 20
    steps = int(seconds / TURN_SECONDS)
    for _ in range(steps):
        granted += sum(lets(chance.choice(net.limits)) for _ in range(int(rate * TURN_SECONDS)))
        net.turn()
    alone = min(rate * seconds, MOST + MOST * seconds // SECONDS)
    hidden = (nodes - 1) * MOST * TOLD_SHARE
    late = rate * (TURN_SECONDS + net.late)
    assert min(rate * seconds, alone) * 0.97 <= granted <= alone + hidden + 2 * late, (granted, alone)


def test_at_once_each_process_lets_through_its_own_and_then_none_does() -> None:
    net = Net(3)
    for limits in net.limits:
        assert sum(lets(limits) for _ in range(2 * MOST)) == MOST
    net.turn()
    net.turn()
    # What was too much is made up for, up to a whole quota.
    net.passes(SECONDS - 1)
    assert [lets(limits) for limits in net.limits] == [False] * 3
    net.passes(1)
    assert [lets(limits) for limits in net.limits] == [True] * 3


def test_who_is_far_from_a_limit_is_told_of_to_nobody() -> None:
    net = Net(2)
    before = net.written
    for n in range(1000):
        for _ in range(3):
            assert lets(net.limits[0], f"user-{n}", f"app-{n}")
    net.turn()
    assert net.written == before
    for _ in range(int(MOST * TOLD_SHARE) - 3):
        lets(net.limits[0], "user-7", "app-7")
    net.turn()
    assert net.written == before + 1


def test_an_application_is_bounded_over_its_users() -> None:
    net, granted = Net(2), 0
    for step in range(40):
        granted += sum(lets(net.limits[n % 2], f"user-{step}-{n}", "harbour") for n in range(100))
        net.turn()
    # 1,000 at once and 100 a second.
    assert 2000 <= granted <= 2000 + 1000 * TOLD_SHARE + 2 * 100, granted


def test_nobody_is_told_while_nobody_is_there() -> None:
    net = Net(1)
    assert sum(lets(net.limits[0]) for _ in range(MOST)) == MOST
    before = net.written
    net.turn()
    assert net.written == before
    net.passes(ALIVE_SECONDS)
    net.turn()
    assert net.written == before + 1, "a sign of life"


def test_connections_are_told_and_forgotten_with_their_process() -> None:
    net = Net(2)
    net.open[0] = {"harbour": 3}
    net.turn()
    assert [sharing.connections("harbour") for sharing in net.sharings] == [0, 3]
    net.open[0] = {}
    net.turn()
    assert net.sharings[1].connections("harbour") == 0
    net.open[0] = {"harbour": 2}
    net.turn()
    net.time += GONE_SECONDS + 1
    net.sharings[1].turn()
    assert net.sharings[1].connections("harbour") == 0


def test_a_limit_that_is_not_known_here_is_no_fault() -> None:
    limits = Limits(SETTINGS)
    limits.add("to come", "ada", 5.0)
    assert lets(limits)
