"""The options of ``klatsch events`` and its commands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infra.ops.commands.command import DEFAULT_DATA, Data, fail, given, goes_on, run, say

if TYPE_CHECKING:
    from infra.base.settings import Settings
    from infra.ops.commands.filters import EventFilter

app = typer.Typer(invoke_without_command=True)

Types = Annotated[
    list[str] | None, typer.Option("--type", metavar="TYPE", help="Event type, or a pattern: message.*; repeatable.")
]
Topics = Annotated[
    list[str] | None, typer.Option("--topic", metavar="TOPIC", help="users, rooms or handles; repeatable.")
]
Stream = Annotated[
    str,
    typer.Option(
        "--stream", metavar="ID", help="Only this room's or user's, by id or name, or this handle's.", callback=given
    ),
]
Actor = Annotated[
    str, typer.Option("--actor", metavar="USER", help="Only what this user did: id or username.", callback=given)
]
Since = Annotated[
    str,
    typer.Option(
        "--since", metavar="TIME", help="What happened since: 2026-11-21T08:15:30Z, 2026-11-21, 15m.", callback=given
    ),
]
Until = Annotated[str, typer.Option("--until", metavar="TIME", help="What happened before.", callback=given)]
Void = Annotated[
    bool, typer.Option("--void", help="Only void records: what a replaced owner got in late, which never happened.")
]
As_json = Annotated[bool, typer.Option("--json", help="JSON for programs: one object per line.")]


@app.callback(
    epilog="Examples: **./klatsch events --type 'message.\\*' --since 15m**, **./klatsch events --stream lobby "
    "--follow**, **./klatsch events --count**, **./klatsch events --rate --for 10**"
)
def events(
    context: typer.Context,
    types: Types = None,
    topics: Topics = None,
    stream: Stream = "",
    actor: Actor = "",
    since: Since = "",
    until: Until = "",
    void: Void = False,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with events as they are appended.")] = False,
    count: Annotated[bool, typer.Option("--count", help="How many of each type.")] = False,
    rate: Annotated[bool, typer.Option("--rate", help="Events per second of each topic and shard, live.")] = False,
    window: Annotated[float, typer.Option(min=1, max=3600, help="Seconds over which a rate is taken.")] = 10.0,
    seconds: Annotated[
        float | None, typer.Option("--for", metavar="SECONDS", min=0, help="End --follow or --rate after this time.")
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, help="Only the latest (20), or with --since the first (all), this many."),
    ] = None,
    as_json: As_json = False,
    data: Data = DEFAULT_DATA,
) -> None:
    """Look at events: the latest, those since a time, those to come; count them; show one; export and import.

    Reads Kafka alone; names of people and rooms come from the read models where these answer. Reading disturbs nobody.
    """
    if goes_on(context):
        return
    if follow + count + rate > 1:
        fail("expected one of --follow, --count and --rate, got more")
    if until and (follow or rate):
        fail("--until: expected no end of what is to come; end it with --for or --limit")
    from infra.ops.commands import event_counts, people
    from infra.ops.commands import events as looking
    from infra.ops.commands.errors import CannotDo
    from infra.ops.commands.filters import parse_filter

    async def work(settings: Settings) -> int:
        named = await people.ids(settings, actor=actor, stream=stream)
        wanted = parse_filter(
            types=types or (), topics=topics or (), stream=named.stream, actor=named.actor, since=since, until=until,
            void=void,
        )  # fmt: skip
        if named.unknown and (follow or rate):
            say(f"{named.unknown}; waiting for new events")
        found = await asked(settings, wanted)
        if named.unknown and not (found or follow or rate):
            raise CannotDo(f"{named.unknown}; no event matches")
        return found

    async def asked(settings: Settings, wanted: EventFilter) -> int:
        if count:
            return event_counts.counts(await looking.count(settings, wanted), as_json)
        if rate:
            return await event_counts.rates(looking.rates(settings, wanted, window=window, seconds=seconds), as_json)
        if follow:
            return await looking.follow(
                settings, wanted, limit=limit, json=as_json, say=event_counts.say, seconds=seconds
            )  # fmt: skip
        return await looking.show(settings, wanted, limit=limit, json=as_json, say=event_counts.say)

    if run(data, work) == 0 and not follow and not as_json:
        typer.echo("No event matches.", err=True)


@app.command("show", epilog="Example: **./klatsch events show rooms/3/1234**")
def show(
    position: Annotated[str, typer.Argument(metavar="POSITION", help="topic/partition/offset.")],
    as_json: As_json = False,
    data: Data = DEFAULT_DATA,
) -> None:
    """Show one event: the whole envelope, its headers, whether it is valid, and what it changed."""
    from events.core.positions import parse_position
    from infra.ops.commands import event

    run(data, lambda settings: event.show(settings, parse_position(position), json=as_json, say=typer.echo))


@app.command(
    "export", epilog="Examples: **./klatsch events export all.jsonl**, **... export said.parquet --type 'message.\\*'**"
)
def export(
    file: Annotated[Path, typer.Argument(help="Ends in .jsonl or .ndjson, or in .parquet.")],
    types: Types = None,
    topics: Topics = None,
    stream: Stream = "",
    actor: Actor = "",
    since: Since = "",
    until: Until = "",
    void: Void = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
    data: Data = DEFAULT_DATA,
) -> None:
    """Write events to a file: topic, partition, offset, time, headers, key, and the value as it stands.

    Without options to choose by, all records of the log are in it, also void ones, up to where the log ends now: such
    a file can be imported. Passwords' hashes are not in the log, and so not in the file.
    """
    from infra.ops.commands import exporting, people
    from infra.ops.commands.errors import CannotDo
    from infra.ops.commands.filters import parse_filter

    async def work(settings: Settings) -> None:
        named = await people.ids(settings, actor=actor, stream=stream)
        wanted = parse_filter(
            types=types or (), topics=topics or (), stream=named.stream, actor=named.actor, since=since, until=until,
            void=void,
        )  # fmt: skip
        if not await exporting.export(settings, file, wanted, force=force) and named.unknown:
            raise CannotDo(named.unknown)

    run(data, work)


@app.command("import", epilog="Example: **./klatsch install; ./klatsch events import all.jsonl; ./klatsch serve**")
def import_(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A file that 'events export' wrote.")],
    data: Data = DEFAULT_DATA,
) -> None:
    """Write the log of an export into an empty installation: every record at its position, with its id and time.

    The read models that are folded from it are equal, row by row. 'Empty' is: no event topic has a record, which
    means that no process with the role api has run yet. On a data folder on which nothing runs, Kafka and Postgres are
    started for as long as it takes.
    """
    from infra.ops.commands import importing
    from infra.ops.commands.stores import stores

    run(data, lambda settings: importing.import_(settings, file), around=stores)
