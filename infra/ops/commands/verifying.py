"""``klatsch verify``: runs it and says what it found."""

from __future__ import annotations

from typing import Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from infra.base import installation
from infra.base.settings import Settings
from infra.ops.commands.event_format import clean, short
from infra.ops.commands.rebuilding import passed_over, say, told
from infra.ops.commands.watching import Watching
from projectors.rebuild.building import UNSEEN, cores
from projectors.rebuild.models import model
from projectors.verify.findings import Difference, Findings
from projectors.verify.run import verify as run

#: Characters of a value, and differences, that are shown; ``--json`` has all.
_CHARS, _SHOWN = 80, 50


async def verify(settings: Settings, name: str, *, jobs: int | None, heal: bool, json: bool) -> bool:
    """Compares, heals if wanted, and tells; whether all is well in the end. Raises CannotDo."""
    console = Console()
    with Watching(console) as shown:
        watch = UNSEEN if json else shown.watch
        found = await told(_verify(settings, name, jobs or cores(), heal, watch))
    if json:
        typer.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
    else:
        _show(console, found, heal)
    return found.log.sound and (found.equal or heal)


async def _verify(settings: Settings, name: str, jobs: int, heal: bool, watch: Any) -> Findings:
    wanted = model(name)
    # A log that is not the one of these rows has nothing to say about them.
    await installation.prepare(settings)
    return await run(settings, wanted, jobs=jobs, healing=heal, watch=watch)


def _show(console: Console, found: Findings, heal: bool) -> None:
    table = Table(box=None, pad_edge=False)
    for title in ("table", "rows by the log", "rows", "digest"):
        table.add_column(title, justify="left" if title in ("table", "digest") else "right")
    for one in found.tables:
        digests = "equal" if one.equal else f"expected {one.expected_digest}, got {one.actual_digest}"
        table.add_row(one.table, f"{one.expected:,}", f"{one.actual:,}", digests, style="" if one.equal else "red")
    console.print(table)
    for difference in found.differences[:_SHOWN]:
        _show_one(console, difference)
    if len(found.differences) > _SHOWN:
        say(console, f"... and {sum(found.counts.values()) - _SHOWN:,} more; --json has them")
    if found.waiting:
        streams = ", ".join(found.waiting[:10])
        say(console, f"Left out: {len(found.waiting):,} streams that wait for a parked event ({streams}); see 'parked'")
    _show_log(console, found)
    say(console, _verdict(found, heal))


def _show_one(console: Console, one: Difference) -> None:
    key = ", ".join(f"{name} {value}" for name, value in one.key.items())
    event = "" if one.event is None else f"; event {one.event.position} {one.event.type}"
    say(console, clean(f"{one.table} ({key}): {one.kind}{event}"))
    if one.kind == "differs":
        for column, (expected, actual) in one.columns.items():
            say(console, clean(f"  {column}: expected {_value(expected)}, got {_value(actual)}"))


def _value(value: Any) -> str:
    return short(msgspec.json.encode(value, enc_hook=str).decode(), _CHARS)


def _show_log(console: Console, found: Findings) -> None:
    say(console, passed_over(found.log.tally))
    for title, lines in (
        ("Gaps in the numbers of messages", found.log.gaps), ("Named, but not there", found.log.dangling),
        ("Commands carried out twice", found.log.repeated), ("Events that cannot be applied", found.log.refused),
    ):  # fmt: skip
        if lines:
            say(console, f"{title}:")
        for line in lines[:_SHOWN]:
            say(console, clean(f"  {line}"))


def _verdict(found: Findings, heal: bool) -> str:
    log = "the log is sound" if found.log.sound else "the log is not sound, see above"
    if found.equal:
        rows = "the rows equal the log"
    elif heal:
        rows = f"the rows equal the log now: {found.healed:,} rewritten"
        if found.settled:
            rows += f", {found.settled:,} had become right meanwhile"
    else:
        rows = f"{sum(found.counts.values()):,} rows differ; --heal rewrites exactly those"
    return f"{found.log.tally.events:,} events in {found.seconds:.1f} s: {rows}; {log}."
