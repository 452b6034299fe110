"""What an import tells its user: how far it has come, and what came of it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from infra.ops.irc.importer import ImportTally
from infra.ops.irc.lines import UNKNOWN
from infra.ops.irc.logs import FUTURE, Log
from infra.ops.irc.plan import ImportPlan

#: Seconds between lines where there is no terminal to draw a bar on.
_LINE_SECONDS = 10.0
_NAMES = {
    "files": "reading files",
    "plan": "planning",
    "look": "looking what is there",
    "people": "people",
    "lines": "lines",
}
#: Of what is counted: how one of it is called.
_ONE = {
    "messages": "message", "of them actions": "of them an action", "joins": "join", "leavings": "leaving",
    "changes of nick": "change of nick", "roles given": "role given", "roles taken": "role taken", "topics": "topic",
    "files": "file", "lines": "line", "people": "person", "members": "member", "changes of role": "change of role",
}  # fmt: skip
#: How many people, and files of a kind, are named.
_SOME = 10


def counted(count: int, name: str) -> str:
    """``1 topic``, ``1,234 topics``."""
    return f"{count:,} {_ONE.get(name, name) if count == 1 else name}"


class ImportBar:
    """Progress bars, one a stage; without a terminal a line now and then."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars = Progress(
            TextColumn("  {task.description:<22}"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn(),
            console=console,
        )  # fmt: skip
        self._task: TaskID | None = None
        self._name, self._unit, self._total, self._done, self._told = "", "", 0, 0, 0
        self._began = self._said = time.monotonic()

    def __enter__(self) -> ImportBar:
        if self._console.is_terminal:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._bars.stop()

    def stage(self, name: str, total: int, unit: str) -> None:
        self._name, self._unit, self._total = _NAMES.get(name, name), unit, total
        self._done = self._told = 0
        self._began = self._said = time.monotonic()
        self._task = self._bars.add_task(self._name, total=total, unit=unit)

    def advance(self, count: int) -> None:
        if self._task is None:
            return
        self._done += count
        self._bars.advance(self._task, count)
        now = time.monotonic()
        # Some parts of the work end with nothing more to do: what was told is not told again.
        due = self._done > self._told and (self._done >= self._total or now - self._said > _LINE_SECONDS)
        if due and not self._console.is_terminal:
            self._said, self._told = now, self._done
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


def summary(
    console: Console, plan: ImportPlan, tally: ImportTally, room: dict[str, Any] | None, seconds: float
) -> None:
    """What the logs hold, what of it is new, and what was skipped and why."""
    _held(console, plan, f"; {seconds:.0f} s")
    before = plan.counts["messages"] - tally.new["PostMessage"]
    console.print(
        f"  new              {counted(tally.new['PostMessage'], 'messages')}, {counted(tally.registered, 'people')}, "
        f"{counted(tally.new['ChangeRole'], 'changes of role')}, {counted(tally.new['ChangeRoom'], 'topics')}; "
        f"{counted(before, 'messages')} {'was' if before == 1 else 'were'} there before",
        highlight=False,
    )
    if room is not None:
        console.print(
            f"  room {room['id']:<11} {counted(room['seq'], 'messages')}, {counted(room['members'], 'members')} now",
            highlight=False,
        )
    _kinds(console, plan)
    _counts(console, "refused by the server", tally.refused)


def planned(console: Console, plan: ImportPlan, logs: Sequence[Log]) -> None:
    """What an import would make of a channel's logs: enough to see people who are none before anything is written."""
    _held(console, plan, "")
    console.print(f"  files            {_named([log.file.path for log in logs])}", highlight=False, markup=False)
    forms = ", ".join(f"{name} ({count:,})" for name, count in Counter(log.form.name for log in logs).most_common())
    console.print(f"  form             {forms}", highlight=False)
    if plan.span is not None:
        console.print(f"  from, to         {plan.span[0]}, {plan.span[1]}", highlight=False)
    most = ", ".join(f"{nick} ({count:,})" for nick, count in plan.said.most_common(_SOME))
    console.print(f"  who says most    {most}", highlight=False, markup=False)
    silent = [nick for nick in plan.people if nick not in plan.said]
    if silent:
        named = ", ".join(silent[:_SOME]) + (", ..." if len(silent) > _SOME else "")
        console.print(f"  who says nothing {len(silent):,}: {named}", highlight=False, markup=False)
    _kinds(console, plan)


def left_out(console: Console, files: dict[str, list[Path]]) -> None:
    """Which of the files are not imported, and why."""
    for reason, paths in files.items():
        console.print(
            f"left out, {reason}: {counted(len(paths), 'files')} ({_named(paths)})", highlight=False, markup=False
        )


def _named(paths: Sequence[Path]) -> str:
    """The first of some files, with their folders: these may be networks, or people."""
    named = [f"{path.parent.name}/{path.name}" for path in paths[:_SOME]]
    return ", ".join([*named, "..."] if len(paths) > _SOME else named)


def _held(console: Console, plan: ImportPlan, end: str) -> None:
    console.print(
        f"{plan.channel}: {counted(len(plan.files), 'files')}, {counted(plan.lines, 'lines')}, "
        f"{counted(len(plan.people), 'people')}{end}",
        style="bold", highlight=False, markup=False,
    )  # fmt: skip
    held = ", ".join(counted(count, name) for name, count in plan.counts.items() if count)
    console.print(f"  the logs hold    {held}", highlight=False)


def _kinds(console: Console, plan: ImportPlan) -> None:
    skipped = {}
    for reason, count in plan.skipped.items():
        name, number = plan.examples.get(reason, ("", 0))
        shown = reason in (UNKNOWN.reason, FUTURE.reason) and name
        skipped[f"{reason} (the first: {name}, line {number:,})" if shown else reason] = count
    _counts(console, "skipped", skipped)
    _counts(console, "imported, but changed", plan.changed)


def _counts(console: Console, title: str, counts: Mapping[str, int]) -> None:
    if not counts:
        return
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(justify="right")
    table.add_column()
    for reason, count in sorted(counts.items(), key=lambda item: -item[1]):
        table.add_row(f"    {count:,}", Text(reason))
    console.print(f"  {title}:", highlight=False)
    console.print(table, highlight=False)
