"""Figures are joined over repetitions, and kept without loss."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.bench import figures
from tests.bench.figures import BadResults, Figure, Machine, Results, merged
from tests.bench.histogram import Histogram


def figure(value: float, *, name: str = "ack, p50", system: str = "ours", **more: str) -> Figure:
    fields = {"scenario": "latency", "system": system, "name": name, "unit": "ms", "values": [value], **more}
    return msgspec.convert(fields, Figure)


def results(*found: Figure) -> Results:
    """A run that has found these."""
    return Results(
        date="2026-11-21T08:00:00+00:00", commit="0123456789",
        machine=Machine(cores=2, processor="Some", memory_gib=7.6, system="Linux", python="CPython 3.13"),
        quick=False, repetitions=2, systems={"ours": "about"}, scenarios={"latency": "one sender"}, notes=["left out"],
        figures=list(found),
    )  # fmt: skip


def test_repetitions_become_values_in_order_and_histograms_are_added_up() -> None:
    first, second = (Histogram.of([seconds] * 3).encode() for seconds in (0.001, 0.003))
    joined = merged([
        [figure(1.0, histogram=first), figure(9.0, name="ack, p99")],
        [figure(3.0, histogram=second), figure(7.0, name="ack, p99")],
        [figure(2.0, system="chain")],
    ])  # fmt: skip
    assert [(one.system, one.name, one.values) for one in joined] == [
        ("ours", "ack, p50", [1.0, 3.0]), ("ours", "ack, p99", [9.0, 7.0]), ("chain", "ack, p50", [2.0]),
    ]  # fmt: skip
    assert Histogram.decode(joined[0].histogram).count == 6
    assert joined[1].histogram == ""


def test_medians_and_spreads() -> None:
    one = msgspec.structs.replace(figure(0), values=[3.0, 1.0, 2.0, 10.0])
    assert (one.median, one.low, one.high) == (2.5, 1.0, 10.0)


def test_a_result_is_read_as_it_was_written(tmp_path: Path) -> None:
    written = results(figure(1.5, histogram=Histogram.of([0.002]).encode()))
    figures.write(written, tmp_path / "run.json")
    assert figures.read(tmp_path / "run.json") == written
    assert written.figure("latency", "ours", "ack, p50") == written.figures[0]
    assert written.figure("latency", "ours", "another") is None


@pytest.mark.parametrize("text", ["", "[]", '{"date": 1}'])
def test_what_is_no_result(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(BadResults, match=r"run\.json: expected a result of 'klatsch bench --json'"):
        figures.read(tmp_path / "run.json")
