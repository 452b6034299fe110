"""Who types when, in the scenario of signals."""

from __future__ import annotations

from itertools import pairwise

from tests.bench.scenarios.signals import EVERY, Heard, turns_of


def test_without_pauses_everybody_types_all_the_time() -> None:
    turns = turns_of(10, 9.0, pauses=False)
    assert turns == sorted(turns)
    for number in range(10):
        moments = [at for at, who, _ in turns if who == number]
        assert moments[0] < EVERY
        assert all(abs(later - at - EVERY) < 1e-9 for at, later in pairwise(moments))
    assert all(typing for _, _, typing in turns)


def test_with_pauses_everybody_stops_after_five_seconds() -> None:
    turns = turns_of(10, 40.0, pauses=True)
    for number in range(10):
        stops = [at for at, who, typing in turns if who == number and not typing]
        begins = [at for at, who, typing in turns if who == number and typing]
        assert 3 <= len(stops) <= 4
        assert all(not any(stop <= at < stop + 5 - 1e-9 for at in begins) for stop in stops)


def test_signals_are_counted_by_kind() -> None:
    heard = Heard()
    heard.hear(b'{"push":{"pub":{"data":{"signal":"presence"}}}}\n{"push":{"pub":{"data":{"signal":"typing"}}}}')
    heard.hear(b'{"push":{"pub":{"data":{"type":"message.posted"}}}}')
    assert (heard.frames, heard.kinds["presence"], heard.kinds["typing"]) == (1, 1, 1)
