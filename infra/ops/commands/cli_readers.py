"""The options of ``klatsch readers`` and its commands."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from infra.ops.commands.command import DEFAULT_DATA, Data, given, run

app = typer.Typer(
    no_args_is_help=True, help="Roles of Postgres that see the rows of one application, for analysts and their tools."
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The role's name: a-z, 0-9 and _.", callback=given)]
As_json = Annotated[bool, typer.Option("--json", help="JSON for programs.")]


@app.command("create", epilog="Example: **./klatsch readers create harbour_reports --app Harbour**")
def create(
    name: Name,
    which: Annotated[str, typer.Option("--app", metavar="APP", help="The application: id or name.", callback=given)],
    as_json: As_json = False,
    sql: Annotated[
        bool, typer.Option("--sql", help="Make nothing: print the statements, for one who may create roles.")
    ] = False,
    data: Data = DEFAULT_DATA,
) -> None:
    """Make a role that reads what is of one application, and print how it connects.

    The password is shown only now. Works with any Postgres 18; where the installation's own role may not create roles,
    --sql prints what somebody else can run.
    """
    from infra.ops.commands import readers

    warn = partial(typer.echo, err=True)
    run(data, lambda settings: readers.create(settings, name, which, json=as_json, sql=sql, say=typer.echo, warn=warn))


@app.command("list")
def list_(as_json: As_json = False, data: Data = DEFAULT_DATA) -> None:
    """List all readers: name, application's id and name."""
    from infra.ops.commands import readers

    run(data, lambda settings: readers.listing(settings, json=as_json, say=typer.echo))


@app.command("drop", epilog="Example: **./klatsch readers drop harbour_reports**")
def drop(name: Name, data: Data = DEFAULT_DATA) -> None:
    """Take a reader away. Where it is connected it sees nothing from now on."""
    from infra.ops.commands import readers

    run(data, lambda settings: readers.drop(settings, name, say=typer.echo))
