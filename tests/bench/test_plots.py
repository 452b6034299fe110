"""Plots of growth: what is read from the figures, the power of it, and the files."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.bench.figures import Figure, Machine, Results
from tests.bench.plots import PLOTS, Point, exponent, points, write
from tests.bench.scenarios.growth import sizes
from tests.bench.sheet import Sheet


def results(figures: list[Figure]) -> Results:
    machine = Machine(cores=2, processor="", memory_gib=1, system="", python="")
    return Results(
        date="", commit="", machine=machine, quick=False, repetitions=2, systems={}, scenarios={}, notes=[],
        figures=figures,
    )  # fmt: skip


def grown() -> Results:
    sheet = Sheet("growth", "ours")
    for size in (10_000, 1_000_000, 100_000):
        part = sheet.part(f"messages {size:,}")
        for value in (2.0, 4.0):
            part.add("send → ack, p50", "ms", value)
            part.add("read models: events of a backlog", "1/s", size / 10, "higher")
    return results(sheet.figures)


def test_values_under_one_name_are_repetitions() -> None:
    found = grown().figure("growth", "ours", "messages 10,000: send → ack, p50")
    assert found is not None
    assert found.values == [2.0, 4.0]


def test_figures_are_read_along_a_dimension() -> None:
    found = points(grown(), "messages")
    assert [point.size for point in found["send → ack, p50"]] == [10_000, 100_000, 1_000_000]
    assert points(grown(), "shards") == {}


def test_the_power_tells_how_it_grows() -> None:
    found = points(grown(), "messages")
    assert exponent(found["send → ack, p50"]) == pytest.approx(0)
    assert exponent(found["read models: events of a backlog"]) == pytest.approx(1)
    assert exponent(found["send → ack, p50"][:1]) is None
    squares = [Point(n, Figure(scenario="", system="", name="", unit="", values=[n * n])) for n in (1, 8, 64)]
    assert exponent(squares) == pytest.approx(2)


@pytest.mark.long
def test_a_plot_is_written_for_what_was_measured(tmp_path: Path) -> None:
    (path,) = write(grown(), tmp_path)
    assert path.name == "growth-messages.svg"
    text = " ".join(ElementTree.fromstring(path.read_text()).itertext())
    for wanted in ("send → ack, n^0.00", "read models, n^1.00", "10,000", "1,000,000", "messages in the log"):
        assert wanted in text
    assert "list of rooms" not in text


def test_a_plot_is_the_same_file_each_time(tmp_path: Path) -> None:
    (first,), (again,) = write(grown(), tmp_path / "first"), write(grown(), tmp_path / "again")
    assert first.read_bytes() == again.read_bytes()
    assert len(first.read_bytes()) < 100_000


def test_every_dimension_has_its_sizes() -> None:
    assert sizes(1_000_000, (1, 1), False) == [10_000, 100_000, 1_000_000]
    assert sizes(None, (100, 10_000), True) == [10, 100]
    assert sizes(64, (1, 1), False, 8) == [1, 8, 64]
    assert sizes(5, (1, 1), False) == [1, 5]
    assert set(PLOTS) == {"messages", "members", "shards"}
