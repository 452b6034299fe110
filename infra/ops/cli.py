"""The command line: reads options, imports what a command needs, and turns expected errors into one line."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from infra.ops.commands import (
    cli_apps,
    cli_connect,
    cli_console,
    cli_events,
    cli_months,
    cli_parked,
    cli_past,
    cli_plans,
    cli_readers,
    cli_rebuild,
    cli_token,
    cli_trace,
    cli_usage,
    cli_users,
)
from infra.ops.commands.command import DEFAULT_DATA, Data, fail, installation

ROOT = Path(__file__).resolve().parent.parent.parent
ROLES = ("api", "push", "feed", "project", "analytics", "usage", "relay")
#: Those of Faust, which needs a process without others.
FAUST = frozenset({"analytics", "usage"})
#: Those that make or read tokens.
WITH_SECRET = frozenset({"api", "push", "analytics", "usage", "relay"})

app = typer.Typer(
    name="klatsch",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="An event-sourced chat backend whose database is its history.\n\n"
    "Start everything with **./klatsch up**, look at it with **./klatsch status**, stop it with Ctrl-C. "
    "Configuration is by KLATSCH_* variables (docs/reference): KLATSCH_KAFKA and KLATSCH_POSTGRES name servers of "
    "your own instead of the embedded ones.",
)
imports = typer.Typer(no_args_is_help=True, help="Import conversations from elsewhere.")
app.add_typer(imports, name="import")

Port = Annotated[
    int,
    typer.Option(
        "--port",
        min=1,
        max=65523,
        help="Port of the API. The other parts take the ports +1, +2, +3 (gRPC), +4, +10, +11 and +12.",
        envvar="KLATSCH_PORT",
    ),
]


@app.command(epilog="Examples: **./klatsch up**, **./klatsch up --port 9400 --data /srv/klatsch**")
def up(port: Port = 8400, data: Data = DEFAULT_DATA) -> None:
    """Start Kafka, Postgres and all roles, and keep them running until Ctrl-C.

    The first start fetches Kafka (45 MB). Data stays in the data folder for the next start.
    """
    import asyncio

    from infra.ops.errors import EXPECTED
    from infra.ops.supervisor.report import StartReport
    from infra.ops.supervisor.up import up as run

    try:
        asyncio.run(run(data, port, StartReport()))
    except EXPECTED as error:
        fail(error)


@app.command()
def down(data: Data = DEFAULT_DATA) -> None:
    """Stop the installation that runs on a data folder; returns when it has ended."""
    from infra.ops.supervisor.folder import DataFolder, FolderError

    try:
        owner = DataFolder(data).owner()
    except FolderError as error:
        fail(error)
    if owner is None:
        typer.echo(f"Not running (data in {data.absolute()}).")
        return
    try:
        os.kill(owner, signal.SIGTERM)
    except PermissionError:
        fail(f"process {owner} belongs to another user; run this as that user")
    deadline = time.monotonic() + 60
    while DataFolder(data).owner() == owner:
        if time.monotonic() > deadline:
            fail(f"process {owner} has not ended within 60 s; see {data.absolute() / 'logs'}")
        time.sleep(0.1)
    typer.echo("Stopped.")


@app.command()
def status(
    data: Data = DEFAULT_DATA,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Show every part of a running installation: address, process, health, the read models' lag, room on the disk.

    Exit code 0: all is well. 1: a part is not, or the disk is full. 2: the options are wrong. 3: nothing runs.
    """
    import msgspec
    from rich.console import Console

    from infra.ops.supervisor.folder import FolderError
    from infra.ops.supervisor.status import show
    from infra.ops.supervisor.status import status as ask

    try:
        found = ask(data)
    except FolderError as error:
        fail(error)
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
    else:
        show(found, Console())
    raise typer.Exit(found.exit_code)


@app.command(epilog="Example: **KLATSCH_KAFKA=broker:9092 ./klatsch serve --roles api,push --port 8400**")
def serve(
    roles: Annotated[str, typer.Option(help=f"Comma-separated: {', '.join(ROLES)}.")] = "api,push,feed,project",
    port: Annotated[int | None, typer.Option(help="Port to listen on (KLATSCH_PORT, else 8400).")] = None,
) -> None:
    """Run some roles in this process, against the Kafka and Postgres of KLATSCH_KAFKA and KLATSCH_POSTGRES.

    Topics and schema must be there: see 'install'.
    """
    from infra.base.settings import load
    from infra.ops import roles as running
    from infra.ops.errors import EXPECTED

    wanted = frozenset(part.strip() for part in roles.split(",") if part.strip())
    unknown = sorted(wanted - set(ROLES))
    if unknown or not wanted:
        fail(f"--roles: expected some of {', '.join(ROLES)}, got {', '.join(unknown) or 'nothing'}")
    if wanted & FAUST and wanted - FAUST:
        fail("--roles: analytics and usage (Faust) need a process of their own: run them separately")
    try:
        settings = load(port=port)
        if not settings.secret and wanted & WITH_SECRET:
            fail(
                "KLATSCH_SECRET: expected the key of the installation, 64 hexadecimal digits, the same for all its "
                "processes; got none. The one of './klatsch up' is in the file `secret` of its data folder; a new one: "
                "openssl rand -hex 32"
            )
        running.run(settings, wanted)
    except EXPECTED as error:
        fail(error)


@app.command()
def install() -> None:
    """Make topics and schema in the Kafka and Postgres of KLATSCH_KAFKA and KLATSCH_POSTGRES; 'up' does it itself.

    What is there is checked, never changed.
    """
    import asyncio

    from infra.base.installation import prepare
    from infra.base.settings import load
    from infra.ops.errors import EXPECTED

    try:
        asyncio.run(prepare(load()))
    except EXPECTED as error:
        fail(error)
    typer.echo("Topics and schema are there.")


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
    epilog="Examples: **./klatsch test**, **./klatsch test --fast**, **./klatsch test tests/infra -x -k jars**",
)
def test(context: typer.Context) -> None:
    """Run the tests on a real Kafka and Postgres: all of them in two processes, or as pytest's arguments say.

    --fast: only those that need no server, no browser and no process, for the time between two edits.
    """
    arguments = context.args or ["-n", "2"]
    if arguments == ["--fast"]:
        # They share nothing: a process takes what is left, from whichever folder.
        arguments = ["--fast", "-n", "2", "--dist=worksteal"]
    os.chdir(ROOT)
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *arguments])


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
    epilog="Examples: **./klatsch bench --quick**, **./klatsch bench --help**",
)
def bench(context: typer.Context) -> None:
    """Measure Klatsch beside the floor of this machine and plain baselines: see docs/howto/benchmark.md."""
    os.chdir(ROOT)
    os.execv(sys.executable, [sys.executable, "-m", "tests.bench", *context.args])


@app.command(epilog="Examples: **./klatsch check**, **./klatsch check --fix**")
def check(
    fix: Annotated[bool, typer.Option("--fix", help="First format the code, and mend what the linter can.")] = False,
) -> None:
    """Missing rows, lint, formatting, types, direction of imports, names of classes, freshness of generated files."""
    from infra.ops.checks import run

    os.chdir(ROOT)
    raise typer.Exit(run(fix=fix))


@app.command()
def schemas(
    missing: Annotated[
        bool, typer.Option("--missing", help="Only say which tables lack a row, and in which file; write nothing.")
    ] = False,
) -> None:
    """Write the generated contracts and reference again: schemas/, docs/reference."""
    from infra.ops import missing as walk

    code = walk.main()
    if missing or code:
        raise typer.Exit(code)
    from infra.ops import generate

    raise typer.Exit(generate.main(check=False))


@imports.command("irc", epilog="Example: **./klatsch import irc ../shared/data/ubuntu-irc**")
def import_irc(
    paths: Annotated[list[Path], typer.Argument(exists=True, help="Log files, or folders of them.")],
    data: Data = DEFAULT_DATA,
    url: Annotated[str, typer.Option(help="Base URL of the API, if it is not the one of the installation.")] = "",
    channel: Annotated[str, typer.Option(help="Only this channel; needed if no line and no name gives it.")] = "",
    encoding: Annotated[str, typer.Option(help="Encoding of lines that are not UTF-8, such as cp1252.")] = "",
    plan: Annotated[bool, typer.Option("--plan", help="Show people and counts; write nothing, ask no server.")] = False,
) -> None:
    """Import IRC channel logs, with their original times; a second import adds nothing.

    Goes to the installation that the variables KLATSCH_KAFKA and KLATSCH_POSTGRES name, else to that which runs on the
    data folder; with --data to that in any case.
    """
    from infra.base.settings import load
    from infra.ops import irc
    from infra.ops.commands.errors import CannotDo
    from infra.ops.errors import EXPECTED

    try:
        settings = load() if plan else installation(data)
        raise typer.Exit(irc.run(settings, paths, url=url, channel=channel, encoding=encoding, plan=plan))
    except (*EXPECTED, CannotDo, irc.BadLog, irc.ImportFailed) as error:
        fail(error)


#: Of the help: what works on an installation that is there.
_OPERATORS = "Commands for operators"

app.command("console", rich_help_panel=_OPERATORS)(cli_console.console)
app.command("token", epilog=cli_token.EXAMPLES, rich_help_panel=_OPERATORS)(cli_token.token)
app.command("connect", epilog=cli_connect.EXAMPLES, rich_help_panel=_OPERATORS)(cli_connect.connect)
app.add_typer(cli_events.app, name="events", rich_help_panel=_OPERATORS)
app.command("trace", epilog=cli_trace.EXAMPLE, rich_help_panel=_OPERATORS)(cli_trace.trace)
app.add_typer(cli_parked.app, name="parked", rich_help_panel=_OPERATORS)
app.command("verify", epilog=cli_rebuild.VERIFY_EXAMPLES, rich_help_panel=_OPERATORS)(cli_rebuild.verify)
app.command("rebuild", epilog=cli_rebuild.REBUILD_EXAMPLES, rich_help_panel=_OPERATORS)(cli_rebuild.rebuild)
app.command("as-of", epilog=cli_past.AS_OF_EXAMPLES, rich_help_panel=_OPERATORS)(cli_past.as_of)
app.command("diff", epilog=cli_past.DIFF_EXAMPLES, rich_help_panel=_OPERATORS)(cli_past.diff)
app.command("undo", epilog=cli_past.UNDO_EXAMPLES, rich_help_panel=_OPERATORS)(cli_past.undo)
app.command("restore", epilog=cli_past.RESTORE_EXAMPLES, rich_help_panel=_OPERATORS)(cli_past.restore)
app.add_typer(cli_months.app, name="months", rich_help_panel=_OPERATORS)
app.add_typer(cli_users.app, name="users", rich_help_panel=_OPERATORS)
app.add_typer(cli_apps.app, name="apps", rich_help_panel=_OPERATORS)
app.add_typer(cli_readers.app, name="readers", rich_help_panel=_OPERATORS)
app.add_typer(cli_usage.app, name="usage", rich_help_panel=_OPERATORS)
app.add_typer(cli_plans.app, name="plans", rich_help_panel=_OPERATORS)


def main() -> None:
    """Entry point of the launcher.

    Exit code 2 for arguments that are no text, as for all wrong ones; 0 where whoever reads the output has had enough,
    as ``head`` does.
    """
    for argument in sys.argv[1:]:
        # A file or folder that is there may be called anything.
        if not _is_text(argument) and not os.path.lexists(argument):
            # As the shell has it, but for what a terminal cannot show.
            shown = os.fsencode(argument).decode(errors="backslashreplace")
            typer.secho(f"error: expected arguments in UTF-8, got {shown}", fg="red", err=True)
            raise SystemExit(2)
    try:
        app(prog_name="klatsch")
    except SystemExit as end:
        # Rich and typer both make 1 of it, which says something else: of status, that a part is not well.
        if not isinstance(end.__context__, BrokenPipeError):
            raise
        # What is still in the buffer is written when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno() if sys.__stdout__ else 1)
        sys.exit(0)


def _is_text(argument: str) -> bool:
    """Whether it was UTF-8: Python has half a surrogate pair for each byte that was not."""
    try:
        argument.encode()
    except UnicodeEncodeError:
        return False
    return True


if __name__ == "__main__":
    main()
