"""``klatsch rebuild``: runs it and says what it did."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

from rich.console import Console

from infra.base import installation
from infra.base.settings import Settings
from infra.ops.commands.errors import CannotDo
from infra.ops.commands.watching import Watching
from projectors.core.source import LogMismatch
from projectors.rebuild import run
from projectors.rebuild.building import cores
from projectors.rebuild.fresh import RebuildError, beside
from projectors.rebuild.models import model
from projectors.rebuild.reading import Tally

T = TypeVar("T")


async def told(work: Awaitable[T]) -> T:
    """The result of ``work``; what an operator can mend is raised as CannotDo."""
    try:
        return await work
    except (RebuildError, LogMismatch) as error:
        raise CannotDo(str(error)) from error


async def rebuild(settings: Settings, name: str, *, jobs: int | None, restart: bool, keep: bool) -> None:
    """Rebuilds the read models. Raises CannotDo."""
    console = Console()
    with Watching(console) as shown:
        report = await told(_rebuild(settings, name, jobs or cores(), restart, keep, shown))
    say(console, passed_over(report.log))
    rate = report.log.events / max(report.folding, 0.001)
    say(
        console,
        f"Rebuilt {name} in {report.total:.1f} s: {report.log.events:,} events folded at {rate:,.0f}/s, indexes "
        f"{report.indexes:.1f} s; projectors waited {report.held * 1000:.0f} ms for the switch.",
    )
    if keep and name == "all":
        say(console, f"The old tables are in schema {beside(settings, 'old')}: --switch-back, --drop-old.")


async def _rebuild(
    settings: Settings, name: str, jobs: int, restart: bool, keep: bool, shown: Watching
) -> run.RebuildReport:
    found = model(name)
    # A log that is not the one of these rows must not replace them.
    await installation.prepare(settings)
    return await run.rebuild(settings, found, jobs=jobs, restart=restart, keep=keep, watch=shown.watch)


async def switch_back(settings: Settings) -> None:
    """Lets the old tables serve again. Raises CannotDo."""
    console = Console()
    with Watching(console) as shown:
        held = await told(run.switch_back(settings, watch=shown.watch))
    say(console, f"The old tables serve again; projectors waited {held * 1000:.0f} ms.")
    say(console, f"Those that served until now are in schema {beside(settings, 'old')}.")


async def drop_old(settings: Settings) -> None:
    """Removes the old tables. Raises CannotDo."""
    there = await told(run.drop_old(settings))
    say(Console(), "Dropped." if there else "There were none.")


def passed_over(tally: Tally) -> str:
    """What of the log was not folded, in words."""
    void = sum(count for terms in tally.void.values() for count in terms.values())
    parts = []
    if void:
        parts.append(f"{void:,} void records of {sum(map(len, tally.void.values())):,} terms, which never happened")
    if tally.unknown:
        types = ", ".join(f"{count:,} of type {name}" for name, count in sorted(tally.unknown.items()))
        parts.append(f"events that only newer code knows: {types}")
    if tally.unreadable_count:
        parts.append(f"{tally.unreadable_count:,} unreadable events, parked: {'; '.join(tally.unreadable[:3])}")
    return f"Skipped: {'. '.join(parts)}." if parts else ""


def say(console: Console, text: str) -> None:
    """A line, as it is; nothing for an empty one."""
    if text:
        console.print(text, highlight=False, markup=False, soft_wrap=True)
