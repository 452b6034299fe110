"""The options of ``klatsch apps`` and its commands."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from infra.ops.commands.command import DEFAULT_DATA, Data, given, run, warn

app = typer.Typer(no_args_is_help=True, help="Applications that the installation serves, and their keys.")

Which = Annotated[str, typer.Argument(metavar="APP", help="The application: id or name.", callback=given)]
As_json = Annotated[bool, typer.Option("--json", help="JSON for programs.")]
Url = Annotated[str, typer.Option(help="Address of the API, if it is not the one of the installation.")]


@app.command("create", epilog="Examples: **./klatsch apps create Harbour**, **./klatsch apps create Harbour --json**")
def create(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="What operators and people see it called.", callback=given)
    ],
    as_json: As_json = False,
    url: Url = "",
    data: Data = DEFAULT_DATA,
) -> None:
    """Make an application, and print its id, its API key and its secret.

    The secret signs the tokens of the application's users. It is shown only now; a lost one is replaced: 'apps
    roll-key'.
    """
    from infra.ops.commands import applications

    run(data, lambda settings: applications.create(
        settings, name, json=as_json, url=url, say=typer.echo, warn=warn
    ))  # fmt: skip


@app.command("list")
def list_(as_json: As_json = False, url: Url = "", data: Data = DEFAULT_DATA) -> None:
    """List all applications: id, state, name, API keys and plan, the default one first."""
    from infra.ops.commands import applications

    run(data, lambda settings: applications.listing(settings, json=as_json, url=url, say=typer.echo))


@app.command(
    "roll-key", epilog="Examples: **./klatsch apps roll-key Harbour**, **./klatsch apps roll-key Harbour --grace 0**"
)
def roll_key(
    which: Which,
    grace: Annotated[
        int, typer.Option(min=0, help="Seconds for which the present key stays valid; 0 ends it at once.")
    ] = 86_400,
    as_json: As_json = False,
    url: Url = "",
    data: Data = DEFAULT_DATA,
) -> None:
    """Give an application a new API key and secret, and print them.

    The key before stays valid for a day, so that servers and clients can change over. One that was still valid beside
    it ends now.
    """
    from infra.ops.commands import applications

    run(data, lambda settings: applications.roll(settings, which, grace=grace, json=as_json, url=url, say=typer.echo))


@app.command("change", epilog="Example: **./klatsch apps change Harbour --session-hours 24**")
def change(
    which: Which,
    name: Annotated[str, typer.Option(help="What operators, and people before they log in, see it called.")] = "",
    registration: Annotated[bool | None, typer.Option(help="Whether anybody may register.")] = None,
    session_hours: Annotated[
        int | None, typer.Option(min=0, help="Hours without use after which a log-in ends; 0: it ends with its token.")
    ] = None,
    url: Url = "",
    data: Data = DEFAULT_DATA,
) -> None:
    """Rename an application, or change its settings. What is not named stays."""
    from infra.ops.commands import applications

    settings_ = {"registration": registration, "session_hours": session_hours}
    changed = {name: value for name, value in settings_.items() if value is not None}
    run(data, lambda settings: applications.change(
        settings, which, name=name, changed=changed, url=url, say=typer.echo
    ))  # fmt: skip


@app.command("suspend", epilog="Example: **./klatsch apps suspend Harbour --reason 'The bill was not paid.'**")
def suspend(
    which: Which,
    reason: Annotated[str, typer.Option(help="Why, for other operators.")] = "",
    url: Url = "",
    data: Data = DEFAULT_DATA,
) -> None:
    """Serve an application no longer, until 'apps resume'. The default one cannot be suspended."""
    from infra.ops.commands import applications

    run(data, lambda settings: applications.suspend(settings, which, reason=reason, url=url, say=typer.echo))


@app.command("resume", epilog="Example: **./klatsch apps resume Harbour**")
def resume(which: Which, url: Url = "", data: Data = DEFAULT_DATA) -> None:
    """Serve a suspended application again."""
    from infra.ops.commands import applications

    run(data, lambda settings: applications.resume(settings, which, url=url, say=typer.echo))


@app.command("erase", epilog="Examples: **./klatsch apps erase Harbour**, **./klatsch apps erase Harbour --yes**")
def erase(
    which: Which,
    reason: Annotated[str, typer.Option(help="Why, for other operators.")] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: As_json = False,
    url: Url = "",
    data: Data = DEFAULT_DATA,
) -> None:
    """Close an application for good, and remove all that it has: people, rooms, messages, keys.

    Asks for its name or id once more, unless told not to. Waits until the rows are gone, and prints the receipt: what
    went, and what is left in the log. Cut short, the removal goes on: 'apps receipt' tells.
    """
    from infra.ops.commands import applications

    def confirmed(name: str, id: str) -> str | None:
        if yes:
            return id
        if not sys.stdin.isatty():
            return None
        typed: str = typer.prompt(f"This removes all that {name} ({id}) has, for good. Its name", err=True)
        return typed

    run(
        data,
        lambda settings: applications.erase(
            settings, which, reason=reason, confirmed=confirmed, json=as_json, url=url, say=typer.echo
        ),
    )


@app.command("receipt", epilog="Example: **./klatsch apps receipt Harbour**")
def receipt(which: Which, as_json: As_json = False, url: Url = "", data: Data = DEFAULT_DATA) -> None:
    """Tell what was removed of an erased application, and what the log still has of it, until when."""
    from infra.ops.commands import applications

    run(data, lambda settings: applications.receipt(settings, which, json=as_json, url=url, say=typer.echo))


@app.command("plan", epilog="Examples: **./klatsch apps plan Harbour Pro**, **./klatsch apps plan Harbour**")
def plan(
    which: Which,
    chosen: Annotated[str, typer.Argument(metavar="PLAN", help="The plan: id or name; without it, none.")] = "",
    url: Url = "",
    data: Data = DEFAULT_DATA,
) -> None:
    """Choose the plan of an application, or none: its limits hold within a second."""
    from infra.ops.commands import plans

    run(data, lambda settings: plans.choose(settings, which, chosen, url=url, say=typer.echo))
