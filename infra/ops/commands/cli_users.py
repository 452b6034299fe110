"""The options of ``klatsch users`` and its commands."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from infra.ops.commands.command import DEFAULT_DATA, Data, fail, given, run

app = typer.Typer(no_args_is_help=True, help="People and their passwords.")


@app.command("reset", epilog="Examples: **./klatsch users reset ada**, **./klatsch users reset ada --stdin < file**")
def reset(
    who: Annotated[str, typer.Argument(metavar="USER", help="The person: id or username.", callback=given)],
    stdin: Annotated[bool, typer.Option("--stdin", help="Take the password from the first line of the input.")] = False,
    prompt: Annotated[bool, typer.Option("--prompt", help="Ask for the password, twice.")] = False,
    url: Annotated[str, typer.Option(help="Address of the API, if it is not the one of the installation.")] = "",
    data: Data = DEFAULT_DATA,
) -> None:
    """Give a person another password, and end all of their sessions.

    Prints a new password, made here, unless it is told which one. Hand it over by a safe way, and let the person change
    it. The event in the log, user.password_changed, has the operator as its author.
    """
    if stdin and prompt:
        fail("expected one of --stdin and --prompt, got both")
    from infra.ops.commands import resetting

    password = None
    if stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    elif prompt:
        password = typer.prompt("New password", hide_input=True, confirmation_prompt=True, err=True)
    run(data, lambda settings: resetting.reset(settings, who, password, url=url, say=typer.echo))
