"""What bounds wrong passwords, with a clock of the tests' own: who is stopped, and who never is."""

from __future__ import annotations

from asyncio import CancelledError

import pytest

from api.support import login_throttle
from api.support.login_throttle import LoginThrottle
from api.support.problems import Problem
from infra.base.settings import Settings, quota

SETTINGS = Settings()
MOST, SECONDS = quota(SETTINGS.limit_guesses)
EVERY, _ = quota(SETTINGS.limit_guesses_address)
ALL, _ = quota(SETTINGS.limit_guesses_name)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def bounds(clock: Clock) -> LoginThrottle:
    return LoginThrottle(SETTINGS, clock)


def tried(bounds: LoginThrottle, address: str, name: str, right: bool = False) -> bool:
    """Whether a password was looked at."""
    try:
        with bounds.log_in(address, name) as guess:
            guess.settle(right)
    except Problem as problem:
        if problem.code != "rate_limited" or not problem.retry_after or "expected at most" not in problem.detail:
            raise
        return False
    return True


def wrong(bounds: LoginThrottle, address: str, name: str, times: int) -> int:
    """How many of so many wrong passwords were looked at."""
    return sum(tried(bounds, address, name) for _ in range(times))


def test_a_name_from_an_address_is_stopped_and_goes_on_as_slowly_as_it_says(
    bounds: LoginThrottle, clock: Clock
) -> None:
    assert wrong(bounds, "mallory", "ada", 60) == MOST
    clock.now += SECONDS / MOST
    assert wrong(bounds, "mallory", "ada", 60) == 1
    # ASVS 2.2.1: not more than a hundred in the first hour.
    clock.now = 1000.0 + 3600
    assert MOST + 3600 / (SECONDS / MOST) <= 100


def test_a_wrong_password_elsewhere_stops_nobody_else(bounds: LoginThrottle) -> None:
    wrong(bounds, "mallory", "ada", 60)
    assert tried(bounds, "home", "ada", right=True) and tried(bounds, "office", "ada", right=True)
    assert tried(bounds, "mallory", "bob", right=True)


def test_all_at_once_are_counted_before_any_is_looked_at(bounds: LoginThrottle) -> None:
    under_way = [bounds.log_in("mallory", "ada") for _ in range(MOST)]
    with pytest.raises(Problem):
        bounds.log_in("mallory", "ada")
    under_way[0].settle(True)
    assert wrong(bounds, "mallory", "ada", 60) == 1


def test_right_ones_do_not_count(bounds: LoginThrottle) -> None:
    assert all(tried(bounds, "home", "ada", right=True) for _ in range(MOST * 3))
    assert wrong(bounds, "home", "ada", 60) == MOST


def test_invented_names_stop_their_address_but_not_who_is_known_there(bounds: LoginThrottle) -> None:
    assert tried(bounds, "school", "ada", right=True)
    assert sum(tried(bounds, "school", f"nobody {n}") for n in range(EVERY * 2)) == EVERY
    assert not tried(bounds, "school", "bob", right=True)
    assert tried(bounds, "school", "ada", right=True)
    # Who registered there is known there.
    bounds.registered("school", "eve")
    assert tried(bounds, "school", "eve", right=True)


def test_many_addresses_stop_a_name_but_not_where_it_is_known(bounds: LoginThrottle) -> None:
    assert tried(bounds, "home", "ada", right=True)
    assert sum(wrong(bounds, f"bot {n}", "ada", MOST) for n in range(ALL // MOST + 20)) == ALL
    assert not tried(bounds, "a new address", "ada", right=True)
    assert tried(bounds, "home", "ada", right=True) and tried(bounds, "bot 1", "bob", right=True)


def test_known_or_not_a_name_is_stopped(bounds: LoginThrottle) -> None:
    assert tried(bounds, "home", "ada", right=True)
    assert wrong(bounds, "home", "ada", 60) == MOST


def cut_off(bounds: LoginThrottle, address: str, error: BaseException) -> None:
    """A try that ends before it is settled."""
    with pytest.raises(type(error)), bounds.log_in(address, "ada"):
        raise error


def test_what_was_not_looked_at_does_not_count(bounds: LoginThrottle) -> None:
    for _ in range(60):
        cut_off(bounds, "home", Problem("overloaded", "expected fewer"))
        cut_off(bounds, "home", OSError("Postgres is away"))
    assert wrong(bounds, "home", "ada", 60) == MOST
    # But who hangs up while it is looked at has had it looked at.
    for _ in range(MOST):
        cut_off(bounds, "cafe", CancelledError())
    assert wrong(bounds, "cafe", "ada", 60) == 0


def test_a_refused_try_leaves_the_other_bounds_as_they_were(bounds: LoginThrottle) -> None:
    wrong(bounds, "mallory", "ada", MOST)
    # These are refused for the name; they must not use up the address.
    assert wrong(bounds, "mallory", "ada", EVERY * 2) == 0
    assert sum(tried(bounds, "mallory", f"nobody {n}") for n in range(EVERY)) == EVERY - MOST


def test_proofs_of_a_session_are_its_own(bounds: LoginThrottle) -> None:
    def shown(session: str) -> bool:
        try:
            with bounds.proof(session, "ada") as guess:
                guess.settle(False)
        except Problem:
            return False
        return True

    wrong(bounds, "mallory", "ada", 60)
    assert sum(shown("s1") for _ in range(60)) == MOST and shown("s2")
    assert tried(bounds, "home", "ada", right=True)


def test_what_is_known_is_bounded(bounds: LoginThrottle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login_throttle, "KNOWN", 100)
    for n in range(1000):
        bounds.registered("school", f"pupil {n}")
    assert len(bounds._known) == 100
    sum(tried(bounds, "school", f"nobody {n}") for n in range(EVERY))
    assert not tried(bounds, "school", "pupil 1", right=True) and tried(bounds, "school", "pupil 999", right=True)
