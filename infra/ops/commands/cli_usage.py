"""The options of ``klatsch usage`` and its commands."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

import typer

from infra.ops.commands.command import DEFAULT_DATA, Data, given, run

app = typer.Typer(no_args_is_help=True, help="What applications use, by hour and day, and for bills.")

Which = Annotated[str, typer.Argument(metavar="APP", help="The application: id or name.", callback=given)]
Since = Annotated[str, typer.Option("--from", metavar="DAY", help="First day or time; else the month's first day.")]
Until = Annotated[str, typer.Option("--until", metavar="DAY", help="Day or time before which it ends; else now.")]
Window = Annotated[Literal["hour", "day"], typer.Option(help="How long a window is, in UTC.")]
Url = Annotated[str, typer.Option(help="Address of the API, if it is not the one of the installation.")]


@app.command("show", epilog="Example: **./klatsch usage show default --from 2026-11-01 --until 2026-12-01**")
def show(
    which: Which, since: Since = "", until: Until = "", window: Window = "day", url: Url = "", data: Data = DEFAULT_DATA
) -> None:  # fmt: skip
    """Show what an application used: a line for each window in which something happened, then the totals."""
    from infra.ops.commands import usage

    run(
        data,
        lambda settings: usage.show(settings, which, since=since, until=until, window=window, url=url, say=typer.echo),
    )


@app.command("export", epilog="Example: **./klatsch usage export default --from 2026-11-01 > november.csv**")
def export(
    which: Which,
    since: Since = "",
    until: Until = "",
    window: Window = "day",
    form: Annotated[
        Literal["csv", "json"], typer.Option("--format", help="CSV with a header, or a JSON object a line.")
    ] = "csv",
    url: Url = "",
    data: Data = DEFAULT_DATA,
) -> None:
    """Write what an application used to the standard output, a row for each window in which something happened.

    Columns: app, window, start, messages, active_users, new_users, rooms, bytes, events, peak_connections. How far it
    is goes to the standard error.
    """
    from infra.ops.commands import usage

    run(
        data,
        lambda settings: usage.export(
            settings, which, since=since, until=until, window=window, form=form, url=url, out=sys.stdout,
            say=lambda text: typer.echo(text, err=True),
        ),
    )  # fmt: skip


@app.command("rebuild")
def rebuild(data: Data = DEFAULT_DATA) -> None:
    """Count usage anew from the whole log, and replace the tables by it; the present ones serve until then.

    A worker goes on from there. It needs none: where Faust has no build, this counts.
    """
    from infra.ops.commands import usage

    run(data, lambda settings: usage.rebuild(settings, say=typer.echo))
