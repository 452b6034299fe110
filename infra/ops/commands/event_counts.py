"""What ``klatsch events`` prints besides events: counts and rates."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping

import msgspec
import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table

from events.core.positions import Shard


def say(text: str) -> None:
    """A line, at once: who follows the log through a pipe wants to see it now."""
    typer.echo(text)
    sys.stdout.flush()


def counts(found: Counter[str], as_json: bool) -> int:
    """So many of each type, the most frequent first, and in all; returns that."""
    total = found.total()
    if as_json:
        say(msgspec.json.encode(dict(found.most_common())).decode())
        return total
    for name, count in sorted(found.items(), key=lambda item: (-item[1], item[0])):
        say(f"{count:>12,}  {name}")
    if found:
        say(f"{total:>12,}  in all")
    return total


async def rates(found: AsyncIterator[Mapping[Shard, float]], as_json: bool) -> int:
    """Each second: a table on a terminal, else a line. Returns how often there was one."""
    console, times = Console(), 0
    if as_json or not console.is_terminal:
        async for rate in found:
            times += 1
            text = msgspec.json.encode({str(shard): round(value, 2) for shard, value in rate.items()}).decode()
            say(text if as_json else _line(rate))
        return times
    with Live(console=console, auto_refresh=False) as live:
        async for rate in found:
            times += 1
            live.update(_table(rate), refresh=True)
    return times


def _topics(rate: Mapping[Shard, float]) -> dict[str, float]:
    sums: dict[str, float] = {}
    for shard, value in rate.items():
        sums[shard.topic] = sums.get(shard.topic, 0.0) + value
    return sums


def _line(rate: Mapping[Shard, float]) -> str:
    sums = _topics(rate)
    busy = ", ".join(f"{shard} {value:,.1f}" for shard, value in rate.items() if value)
    topics = ", ".join(f"{topic} {value:,.1f}" for topic, value in sums.items())
    return f"{sum(sums.values()):,.1f} events/s: {topics}" + (f" ({busy})" if busy else "")


def _table(rate: Mapping[Shard, float]) -> Table:
    table = Table(box=None, pad_edge=False)
    sums = _topics(rate)
    for title in ("events/s", *sums):
        table.add_column(title, justify="right")
    for number in sorted({shard.partition for shard in rate}):
        cells = (rate.get(Shard(topic, number)) for topic in sums)
        table.add_row(str(number), *("" if value is None else f"{value:,.1f}" for value in cells))
    table.add_row("all", *(f"{value:,.1f}" for value in sums.values()), style="bold")
    return table
