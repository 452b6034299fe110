"""The options of ``klatsch parked`` and its commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from infra.ops.commands.command import DEFAULT_DATA, Data, fail, given, goes_on, run

if TYPE_CHECKING:
    from infra.base.settings import Settings

app = typer.Typer(invoke_without_command=True)

As_json = Annotated[bool, typer.Option("--json", help="JSON for programs.")]


@app.callback(epilog="Examples: **./klatsch parked**, **./klatsch parked retry --all**")
def parked(context: typer.Context, as_json: As_json = False, data: Data = DEFAULT_DATA) -> None:
    """Events that could not be applied, and what waits behind them: list, show, retry after a fix, skip.

    An event that the read models cannot take parks its stream, and only that: later events of the stream wait behind
    it, in order, and all other streams go on. Without a command: 'parked list'.
    """
    if not goes_on(context):
        list_(as_json, data)


@app.command("list")
def list_(as_json: As_json = False, data: Data = DEFAULT_DATA) -> None:
    """List the streams that wait: the event on which each does, its error, how many events, and since when."""
    from infra.ops.commands import parked

    run(data, lambda settings: parked.listing(settings, json=as_json, say=typer.echo))


@app.command("show", epilog="Examples: **./klatsch parked show lobby**, **./klatsch parked show rooms/3/1234**")
def show(
    what: Annotated[
        str,
        typer.Argument(
            metavar="STREAM|POSITION", help="A room or user, by id or name, or an event's position.", callback=given
        ),
    ],
    as_json: As_json = False,
    data: Data = DEFAULT_DATA,
) -> None:
    """Show an event that is parked: its error, the event, its entities as they are, and what waits behind it."""
    from infra.ops.commands import parked

    run(data, lambda settings: parked.show(settings, what, json=as_json, say=typer.echo))


@app.command("retry", epilog="Examples: **./klatsch parked retry lobby**, **./klatsch parked retry --all**")
def retry(
    stream: Annotated[
        str, typer.Argument(metavar="[STREAM]", help="A room or user, by id or name.", callback=given)
    ] = "",
    every: Annotated[bool, typer.Option("--all", help="All streams, several at a time.")] = False,
    jobs: Annotated[int, typer.Option(min=1, max=64, help="Streams at a time.")] = 8,
    data: Data = DEFAULT_DATA,
) -> None:
    """Apply parked events again, after a fix, in order within each stream, up to the first that still fails.

    Each stream in one transaction. Safe to repeat and to interrupt. Run it with the code that has the fix, after the
    projectors run on that code. Exit code 0: nothing is parked there any more; 1: something still is.
    """
    if bool(stream) == every:
        fail("expected a stream's id or --all, got " + ("both" if every else "neither"))
    from infra.ops.commands import retrying

    async def work(settings: Settings) -> bool:
        return await retrying.retry(settings, stream or None, jobs=jobs)

    raise typer.Exit(0 if run(data, work) else 1)


@app.command("skip", epilog="Example: **./klatsch parked skip rooms/3/1234 --reason 'made by a test of ours'**")
def skip(
    position: Annotated[str, typer.Argument(metavar="POSITION", help="topic/partition/offset.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept with the event.")],
    operator: Annotated[str, typer.Option("--by", help="Who decides it; the user of this shell if not given.")] = "",
    data: Data = DEFAULT_DATA,
) -> None:
    """Pass over a parked event for good, with a reason, and go on with what waits behind it.

    The event stays in the log. Read models never have it, whenever they are rebuilt; 'parked skipped' lists it.
    """
    from events.core.positions import parse_position
    from infra.ops.commands import skipping

    run(data, lambda settings: skipping.skip(settings, parse_position(position), reason, operator, say=typer.echo))


@app.command("skipped")
def skipped(as_json: As_json = False, data: Data = DEFAULT_DATA) -> None:
    """List the events that were skipped: which, why, by whom, when."""
    from infra.ops.commands import skipping

    run(data, lambda settings: skipping.listing(settings, json=as_json, say=typer.echo))
