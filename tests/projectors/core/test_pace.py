"""The pace of small turns: some in a row at once, then one after the other; large ones never wait."""

from __future__ import annotations

from projectors.core.pace import FREE, WORTH, Pace

SECONDS = 0.03


def turns(pace: Pace, now: float, count: int, events: int = 1) -> list[float]:
    """When so many turns begin that each want to begin at once."""
    found = []
    for _ in range(count):
        now += max(0.0, pace.rest(now))
        pace.turn(now, events)
        found.append(now)
    return found


def test_the_first_turns_in_a_row_do_not_wait_and_the_others_keep_the_pace() -> None:
    begun = turns(Pace(SECONDS), 1000.0, 40)
    assert begun[FREE] == 1000.0 and begun[FREE + 1] > 1000.0
    gaps = [after - before for before, after in zip(begun[FREE + 1 :], begun[FREE + 2 :], strict=False)]
    assert all(abs(gap - SECONDS) < 1e-6 for gap in gaps)


def test_who_comes_now_and_then_never_waits() -> None:
    pace = Pace(SECONDS)
    for n in range(100):
        now = 1000.0 + n * SECONDS * 1.01
        assert pace.rest(now) <= 0
        pace.turn(now, 1)


def test_after_a_quiet_time_the_first_turns_are_free_again() -> None:
    pace = Pace(SECONDS)
    last = turns(pace, 1000.0, 50)[-1]
    assert pace.rest(last) > 0
    assert pace.rest(last + (FREE + 1) * SECONDS) <= 0


def test_a_backlog_does_not_wait() -> None:
    assert turns(Pace(SECONDS), 1000.0, 100, WORTH)[-1] == 1000.0
