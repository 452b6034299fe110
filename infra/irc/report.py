"""What an import tells its user: how far it has come, and what came of it."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from infra.irc.importer import Tally
from infra.irc.plan import Plan

#: Seconds between lines where there is no terminal to draw a bar on.
_LINE_SECONDS = 10.0
_NAMES = {"look": "looking what is there", "people": "people", "lines": "lines"}


class Bar:
    """Progress bars, one a stage; without a terminal a line now and then."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars = Progress(
            TextColumn("  {task.description:<22}"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn(),
            console=console,
        )  # fmt: skip
        self._task: TaskID | None = None
        self._name, self._unit, self._total, self._done = "", "", 0, 0
        self._began = self._said = time.monotonic()

    def __enter__(self) -> Bar:
        if self._console.is_terminal:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def stage(self, name: str, total: int, unit: str) -> None:
        self._name, self._unit, self._total, self._done = _NAMES[name], unit, total, 0
        self._began = self._said = time.monotonic()
        self._task = self._bars.add_task(_NAMES[name], total=total, unit=unit)

    def advance(self, count: int) -> None:
        if self._task is None:
            return
        self._done += count
        self._bars.advance(self._task, count)
        now = time.monotonic()
        if not self._console.is_terminal and (self._done >= self._total or now - self._said > _LINE_SECONDS):
            self._said = now
            rate = self._done / max(now - self._began, 0.001)
            left = (self._total - self._done) / max(rate, 0.001)
            self._console.print(
                f"  {self._name}: {self._done:,} of {self._total:,} {self._unit}, {rate:,.0f}/s, {left:.0f} s left",
                highlight=False,
            )


class _Rate(TextColumn):
    """``1,234 lines/s``."""

    def __init__(self) -> None:
        super().__init__("")

    def render(self, task: Task) -> Any:
        speed = task.finished_speed or task.speed
        self.text_format = "" if speed is None else f"{speed:,.0f} {task.fields['unit']}/s"
        return super().render(task)


def summary(console: Console, plan: Plan, tally: Tally, room: dict[str, Any] | None, seconds: float) -> None:
    """What the logs hold, what of it is new, and what was skipped and why."""
    lines = sum(file.lines for file in plan.files)
    console.print(
        f"{plan.channel}: {len(plan.files):,} files, {lines:,} lines, {len(plan.people):,} people; {seconds:.0f} s",
        style="bold", highlight=False,
    )  # fmt: skip
    held = ", ".join(f"{count:,} {name}" for name, count in plan.counts.items() if count)
    console.print(f"  the logs hold    {held}", highlight=False)
    console.print(
        f"  new              {tally.new['PostMessage']:,} messages, {tally.registered:,} people, "
        f"{tally.new['ChangeRole']:,} changes of role, {tally.new['ChangeRoom']:,} topics; "
        f"{plan.counts['messages'] - tally.new['PostMessage']:,} messages were there before",
        highlight=False,
    )
    if room is not None:
        console.print(
            f"  room {room['id']:<11} {room['seq']:,} messages, {room['members']:,} members now", highlight=False
        )
    for title, counts in (
        ("skipped", plan.skipped), ("imported, but changed", plan.changed), ("refused by the server", tally.refused),
    ):  # fmt: skip
        if counts:
            _counts(console, title, counts)


def _counts(console: Console, title: str, counts: dict[str, int]) -> None:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(justify="right")
    table.add_column()
    for reason, count in sorted(counts.items(), key=lambda item: -item[1]):
        table.add_row(f"    {count:,}", reason)
    console.print(f"  {title}:", highlight=False)
    console.print(table, highlight=False)
