"""What the bench is at: a line that changes on a terminal, else a line for each step."""

from __future__ import annotations

import sys
from time import monotonic

from rich.console import Console
from rich.status import Status


class Progress:
    """Steps of one run. How long the rest takes is known once each scenario has run once."""

    def __init__(self, steps: list[str]) -> None:
        """``steps``: for each step the scenario that it is of."""
        self._left = steps
        self._count = len(steps)
        self._took: dict[str, list[float]] = {}
        self._began = monotonic()
        self._title = ""
        console = Console(stderr=True)
        self._status = Status("", console=console) if console.is_terminal else None

    def step(self, system: str) -> None:
        """The next step begins."""
        name = self._left[0]
        rest = self._remaining()
        left = "" if rest is None else f", about {rest:.0f} s left"
        self._title = f"[{self._count - len(self._left) + 1}/{self._count}] {name}, {system}{left}"
        self._began = monotonic()
        self.note(self._title)

    def done(self) -> None:
        """The step has ended."""
        self._took.setdefault(self._left.pop(0), []).append(monotonic() - self._began)

    def say(self, text: str) -> None:
        """A part of a step: shown where a line can change, else left out."""
        if self._status is not None:
            self._show(f"{self._title}: {text}")

    def note(self, text: str) -> None:
        """Something between steps."""
        if self._status is None:
            sys.stderr.write(f"{text}\n")
            sys.stderr.flush()
        else:
            self._show(text)

    def end(self) -> None:
        """Clears the line."""
        if self._status is not None:
            self._status.stop()

    def _show(self, text: str) -> None:
        assert self._status is not None
        self._status.start()
        # Brackets would be taken for markup.
        self._status.update(text.replace("[", "\\["))

    def _remaining(self) -> float | None:
        if any(name not in self._took for name in self._left):
            return None
        return sum(sum(self._took[name]) / len(self._took[name]) for name in self._left)
