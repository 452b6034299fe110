"""The limiter: what it grants over any time, what it says is left, and how much it remembers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from api.support.limiter import Limiter
from infra.base.settings import Quota, Settings, SettingsError, load, quota

TEN = Quota(10, 20)


def test_so_many_at_once_and_then_one_by_one() -> None:
    limiter = Limiter(TEN)
    taken = [limiter.take("ada", 100.0) for _ in range(10)]
    assert [one.wait for one in taken] == [0.0] * 10 and [one.left for one in taken] == list(range(9, -1, -1))
    assert taken[-1].reset == pytest.approx(20.0)
    refused = limiter.take("ada", 100.0)
    assert refused.wait == pytest.approx(2.0) and refused.left == 0 and refused.reset == pytest.approx(20.0)
    # Waiting as long as it says is enough, and a little less is not.
    assert limiter.take("ada", 101.9).wait == pytest.approx(0.1)
    assert limiter.take("ada", 102.0).wait == 0.0
    assert limiter.take("ada", 102.0).wait == pytest.approx(2.0)
    assert limiter.take("ada", 1000.0).left == 9


def test_each_subject_for_itself() -> None:
    limiter = Limiter(Quota(1, 60))
    assert limiter.take("ada", 0.0).wait == 0.0 and limiter.take("bob", 0.0).wait == 0.0
    assert limiter.take("ada", 0.0).wait == pytest.approx(60.0)


def test_what_is_refused_costs_nothing_and_what_is_given_back_can_be_taken_again() -> None:
    limiter = Limiter(TEN)
    for _ in range(10):
        limiter.take("ada", 0.0)
    for _ in range(100):
        assert limiter.take("ada", 0.0).wait == pytest.approx(2.0)
    limiter.give_back("ada", 0.0)
    assert limiter.take("ada", 0.0).wait == 0.0 and limiter.take("ada", 0.0).wait > 0.0
    # A quota is never more than whole.
    for _ in range(50):
        limiter.give_back("ada", 0.0)
    assert limiter.take("ada", 0.0, cost=10).wait == 0.0 and limiter.take("ada", 0.0).wait > 0.0


@settings(max_examples=200)
@given(
    some.integers(1, 20), some.integers(1, 60),
    some.lists(some.tuples(some.sampled_from("abc"), some.integers(0, 200)), max_size=200),
)  # fmt: skip
def test_in_no_time_more_than_the_quota_and_what_came_back(
    most: int, seconds: int, asked: list[tuple[str, int]]
) -> None:
    """Moments in quarters of a second, which floats add up exactly; each subject against a count of its own."""
    limiter = Limiter(Quota(most, seconds))
    now, granted = 0.0, dict[str, list[float]]((subject, []) for subject in "abc")
    for subject, later in asked:
        now += later / 4 if later > 150 else 0.0
        taken = limiter.take(subject, now)
        before = granted[subject]
        if taken.wait == 0.0:
            before.append(now)
        # Over every stretch that ends now: at most the quota, and as much as comes back in it.
        for start, moment in enumerate(before):
            assert len(before) - start <= most + (now - moment) * most / seconds + 1e-6
        # And no less: who was refused has really had all.
        if taken.wait > 0.0:
            assert before and any(
                len(before) - start + 1 > most + (now - moment) * most / seconds - 1e-6
                for start, moment in enumerate(before)
            )
            assert limiter.take(subject, now + taken.wait - 1e-3).wait > 0.0
        assert 0 <= taken.left <= most and 0.0 <= taken.reset <= seconds + 1e-6


@pytest.mark.long
def test_memory_is_bounded_and_who_is_active_is_not_crowded_out() -> None:
    limiter = Limiter(Quota(5, 3600), subjects=1000)
    for _ in range(5):
        limiter.take("guesser", 0.0)
    for n in range(50_000):
        limiter.take(f"address {n}", 1.0)
        if n % 500 == 0:
            assert limiter.take("guesser", 1.0).wait > 0.0
        assert len(limiter) <= 2000


def test_who_was_quiet_for_the_whole_time_is_forgotten() -> None:
    limiter = Limiter(Quota(5, 10))
    for n in range(1000):
        limiter.take(f"one {n}", 0.0)
    assert len(limiter) == 1000
    limiter.take("ada", 10.0)
    limiter.take("ada", 20.0)
    assert len(limiter) == 1


@pytest.mark.parametrize("text", ["", "5", "5/", "/5", "0/5", "5/0", "-1/5", "5/1.5", "5 / 5", "1e3/5", "5/5\n"])
def test_what_is_no_quota(text: str) -> None:
    with pytest.raises(SettingsError, match=r"KLATSCH_LIMIT_SEND: expected '<most>/<seconds>'"):
        load({"KLATSCH_LIMIT_SEND": text})
    with pytest.raises(ValueError, match="expected"):
        Settings(limit_send=text)


def test_quotas_of_the_settings() -> None:
    assert quota("500/10") == (500, 10)
    assert load({"KLATSCH_LIMITS": "false"}).limits is False
