"""Figures as they are measured, joined over repetitions, and kept: the result file. No formatting of tables here."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import msgspec


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One number of one system in one scenario; a value for each repetition."""

    scenario: str
    system: str
    #: What was measured, the same words for every system: ``send → ack, p50``.
    name: str
    unit: str
    values: list[float]
    #: Which way is better; "neither" for what only describes (messages sent, RSS of the generator).
    better: Literal["lower", "higher", "neither"] = "lower"
    #: HdrHistogram (V2, base64) of microseconds, all repetitions together; "" where there is none.
    histogram: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def low(self) -> float:
        return min(self.values)

    @property
    def high(self) -> float:
        return max(self.values)

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes two figures the same measurement."""
        return self.scenario, self.system, self.name


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """What it ran on."""

    cores: int
    processor: str
    memory_gib: float
    system: str
    python: str


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """A run of ``klatsch bench``, as its JSON file holds it."""

    #: RFC 3339, UTC.
    date: str
    #: Commit of the checkout, "+" behind it where files differ; "" outside of git.
    commit: str
    machine: Machine
    quick: bool
    repetitions: int
    #: What each system and each scenario is, in a sentence.
    systems: dict[str, str]
    scenarios: dict[str, str]
    #: What was left out, and why.
    notes: list[str]
    figures: list[Figure]

    def figure(self, scenario: str, system: str, name: str) -> Figure | None:
        """The figure of that key; None when it was not measured."""
        wanted = (scenario, system, name)
        return next((figure for figure in self.figures if figure.key == wanted), None)


class BadResults(ValueError):
    """A file that is no result of ``klatsch bench``; the text names it and says what was expected."""


def merged(repetitions: Iterable[Sequence[Figure]]) -> list[Figure]:
    """The figures of several repetitions as one list: values in order, histograms added up."""
    from tests.bench.histogram import Histogram

    found: dict[tuple[str, str, str], list[Figure]] = {}
    for repetition in repetitions:
        for figure in repetition:
            found.setdefault(figure.key, []).append(figure)
    joined = []
    for figures in found.values():
        histograms = [figure.histogram for figure in figures if figure.histogram]
        joined.append(
            msgspec.structs.replace(
                figures[0],
                values=[value for figure in figures for value in figure.values],
                histogram=Histogram.sum(histograms).encode() if histograms else "",
            )
        )
    return joined


def write(results: Results, path: Path) -> None:
    """The result file."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=1) + b"\n")


def read(path: Path) -> Results:
    """A result file. Raises BadResults."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Results)
    except msgspec.DecodeError as error:
        raise BadResults(f"{path}: expected a result of 'klatsch bench --json', got: {error}") from error
