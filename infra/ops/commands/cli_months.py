"""The options of ``klatsch months`` and its commands."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from infra.ops.commands.command import DEFAULT_DATA, Data, goes_on, run

if TYPE_CHECKING:
    from infra.base.postgres import Connection
    from infra.base.settings import Settings

T = TypeVar("T")
app = typer.Typer(invoke_without_command=True)


def _month(text: str) -> str:
    """Refuses what is no month before anything is asked."""
    from infra.base.months import is_month

    if not is_month(text):
        raise typer.BadParameter(f"expected a month of 1970 to 2199 such as 2025-01, got {text!r}")
    return text


Month = Annotated[str, typer.Argument(help="Such as 2025-01.", callback=_month)]


@app.callback(epilog="Examples: **./klatsch months**, **./klatsch months detach 2025-01**")
def months(context: typer.Context, data: Data = DEFAULT_DATA) -> None:
    """Months of messages: list them with their rows, size and state; put old ones aside, take them back."""
    if goes_on(context):
        return
    from infra.base import months as parts

    for month in _on(data, lambda connection, settings: parts.listing(connection)):
        if not parts.is_month(month.name) and not month.rows:
            continue
        # What came without an id that has its time stands in no month.
        name = month.name if parts.is_month(month.name) else "undated"
        typer.echo(f"{name}  {month.rows:>12,} messages  {month.bytes / 2**20:>10,.1f} MiB  {month.state}")


@app.command("detach", epilog="Example: **./klatsch months detach 2025-01**")
def detach(month: Month, data: Data = DEFAULT_DATA) -> None:
    """Put a month aside: its messages are no longer read or found, and its table may be copied elsewhere."""
    from infra.base import months as parts

    _on(data, lambda connection, settings: parts.detach(connection, settings, month))
    typer.echo(f"{month} is archived. Its table is {parts.table_of(month)}; 'months attach {month}' takes it back.")


@app.command("attach", epilog="Example: **./klatsch months attach 2025-01**")
def attach(month: Month, data: Data = DEFAULT_DATA) -> None:
    """Take an archived month back: its messages are read and found again."""
    from infra.base import months as parts

    _on(data, lambda connection, settings: parts.attach(connection, settings, month))
    typer.echo(f"{month} is attached.")


def _on(data: Path, work: Callable[[Connection, Settings], Awaitable[T]]) -> T:
    """What ``work`` gives for a connection to the installation, and its settings."""
    from infra.base import months as parts

    async def connected(settings: Settings) -> T:
        async with parts.connected(settings) as connection:
            return await work(connection, settings)

    return run(data, connected)
