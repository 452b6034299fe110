"""The options of ``klatsch months`` and its commands."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from infra.operate.command import DEFAULT_DATA, Data, goes_on, run

app = typer.Typer(invoke_without_command=True)

Month = Annotated[str, typer.Argument(help="Such as 2025-01.")]


@app.callback(epilog="Examples: **./klatsch months**, **./klatsch months detach 2025-01**")
def months(context: typer.Context, data: Data = DEFAULT_DATA) -> None:
    """Months of messages: list them with their rows, size and state; put old ones aside, take them back."""
    if goes_on(context):
        return
    from infra import months as parts

    for month in _on(data, lambda connection, settings: parts.listing(connection)):
        typer.echo(f"{month.name}  {month.rows:>12,} messages  {month.bytes / 2**20:>10,.1f} MiB  {month.state}")


@app.command("detach", epilog="Example: **./klatsch months detach 2025-01**")
def detach(month: Month, data: Data = DEFAULT_DATA) -> None:
    """Put a month aside: its messages are no longer read or found, and its table may be copied elsewhere."""
    from infra import months as parts

    _on(data, lambda connection, settings: parts.detach(connection, settings, month))
    typer.echo(f"{month} is archived. Its table is {parts.table_of(month)}; 'months attach {month}' takes it back.")


@app.command("attach", epilog="Example: **./klatsch months attach 2025-01**")
def attach(month: Month, data: Data = DEFAULT_DATA) -> None:
    """Take an archived month back: its messages are read and found again."""
    from infra import months as parts

    _on(data, lambda connection, settings: parts.attach(connection, settings, month))
    typer.echo(f"{month} is attached.")


def _on(data: Path, work: Callable[[Any, Any], Awaitable[Any]]) -> Any:
    """What ``work`` gives for a connection to the installation, and its settings."""
    from infra import months as parts

    async def connected(settings: Any) -> Any:
        async with parts.connected(settings) as connection:
            return await work(connection, settings)

    return run(data, connected)
