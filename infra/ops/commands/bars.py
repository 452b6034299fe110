"""The progress bar of an operator's command: on a terminal a bar, elsewhere a line now and then."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

#: Seconds between lines where there is no terminal to draw a bar on.
_LINE_SECONDS = 10.0


class Bar:
    """``advance`` it as the work goes on; its end is said in any case."""

    def __init__(self, console: Console, name: str, total: int, unit: str) -> None:
        """``name`` is what has been done (``retried``), ``unit`` to what (``streams``)."""
        self._console, self._name, self._total, self._unit = console, name, total, unit
        self._done = 0
        self._began = self._said = time.monotonic()
        self._bar = Progress(
            TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(), console=console, transient=True,
        )  # fmt: skip
        self._task: TaskID | None = None

    def __enter__(self) -> Bar:
        self._task = self._bar.add_task(self._name, total=self._total, rate="")
        if self._console.is_terminal and self._total:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()
        if error is None and self._total:
            self._console.print(self._line(), highlight=False, markup=False)

    def advance(self, count: int) -> None:
        """So many more are done."""
        self._done += count
        if self._task is not None:
            self._bar.update(self._task, advance=count, rate=f"{self._rate():,.0f} {self._unit}/s")
        now = time.monotonic()
        if not self._console.is_terminal and now - self._said > _LINE_SECONDS and self._done < self._total:
            self._said = now
            left = (self._total - self._done) / max(self._rate(), 0.001)
            self._console.print(f"{self._line()}, {left:.0f} s left", highlight=False, markup=False)

    def _rate(self) -> float:
        return self._done / max(time.monotonic() - self._began, 0.001)

    def _line(self) -> str:
        return f"  {self._name}: {self._done:,} of {self._total:,} {self._unit}, {self._rate():,.0f}/s"
