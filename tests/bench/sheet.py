"""Figures of one scenario with one system, put down as they come."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from tests.bench.figures import Figure, merged
from tests.bench.histogram import Histogram

Better = Literal["lower", "higher", "neither"]


class Sheet:
    """Several values under one name are repetitions."""

    def __init__(self, scenario: str, system: str, prefix: str = "") -> None:
        self.scenario = scenario
        self.system = system
        self.prefix = prefix
        self._figures: list[Figure] = []

    def part(self, prefix: str) -> Sheet:
        """The same sheet, where each name begins with ``prefix`` and a colon."""
        found = Sheet(self.scenario, self.system, f"{self.prefix}{prefix}: ")
        found._figures = self._figures
        return found

    def add(self, name: str, unit: str, value: float, better: Better = "lower", histogram: str = "") -> None:
        """One value."""
        self._figures.append(
            Figure(
                scenario=self.scenario,
                system=self.system,
                name=self.prefix + name,
                unit=unit,
                values=[value],
                better=better,
                histogram=histogram,
            )
        )

    def adopt(self, figures: Iterable[Figure]) -> None:
        """What another scenario has measured."""
        for one in figures:
            self._figures.append(
                msgspec.structs.replace(one, scenario=self.scenario, system=self.system, name=self.prefix + one.name)
            )

    def latencies(self, name: str, found: Histogram) -> None:
        """Median and 99th percentile in milliseconds; the median keeps the histogram."""
        self.add(f"{name}, p50", "ms", found.percentile(50), histogram=found.encode())
        self.add(f"{name}, p99", "ms", found.percentile(99))

    @property
    def figures(self) -> list[Figure]:
        """One for each name, in the order in which they first came."""
        return merged([self._figures])
