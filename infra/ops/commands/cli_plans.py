"""The options of ``klatsch plans`` and its commands."""

from __future__ import annotations

from typing import Annotated

import typer

from infra.ops.commands.command import DEFAULT_DATA, Data, given, run, warn

app = typer.Typer(no_args_is_help=True, help="Plans that applications may choose, with prices and limits.")

Which = Annotated[str, typer.Argument(metavar="PLAN", help="The plan: id or name.", callback=given)]
As_json = Annotated[bool, typer.Option("--json", help="JSON for programs.")]
Url = Annotated[str, typer.Option(help="Address of the API, if it is not the one of the installation.")]
Amount = Annotated[str, typer.Option(metavar="AMOUNT", help="Price, such as 49.90; without it, by agreement.")]
Many = Annotated[list[str] | None, typer.Option("--feature", metavar="NAME", help="What it has; may be given again.")]
Limits = Annotated[
    list[str] | None,
    typer.Option("--limit", metavar="NAME=NUMBER", help="What it bounds, such as users=100; may be given again."),
]


@app.command(
    "define",
    epilog="Examples: **./klatsch plans define Pro --tier pro --monthly 49.90 --limit users=1000**, **./klatsch plans "
    "define Pro --again Pro --tier pro --limit users=2000**",
)
def define(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What people see it called.", callback=given)],
    again: Annotated[str, typer.Option(metavar="PLAN", help="The plan that is to be this from here on.")] = "",
    tier: Annotated[str, typer.Option(help="What plans of one kind have in common.")] = "standard",
    monthly: Amount = "",
    yearly: Amount = "",
    currency: Annotated[str, typer.Option(help="Currency of the prices (ISO 4217).")] = "EUR",
    feature: Many = None,
    limit: Limits = None,
    as_json: As_json = False,
    url: Url = "",
    data: Data = DEFAULT_DATA,
) -> None:
    """Make a plan, and print its id and name; with --again, say what one is from here on, all of it.

    Limits: users, rooms, room_members, messages_day, message_chars, attachment_bytes, connections, calls_minute. What
    is not named has none.
    """
    from infra.ops.commands import plans

    run(data, lambda settings: plans.define(
        settings, name, again=again, tier=tier, monthly=monthly, yearly=yearly, currency=currency,
        features=feature or (), limits=limit or (), json=as_json, url=url, say=typer.echo,
        warn=warn,
    ))  # fmt: skip


@app.command("list")
def list_(as_json: As_json = False, url: Url = "", data: Data = DEFAULT_DATA) -> None:
    """List all plans: id, state, name, price of a month and limits."""
    from infra.ops.commands import plans

    run(data, lambda settings: plans.listing(settings, json=as_json, url=url, say=typer.echo))


@app.command("withdraw", epilog="Example: **./klatsch plans withdraw Pro**")
def withdraw(which: Which, url: Url = "", data: Data = DEFAULT_DATA) -> None:
    """Offer a plan no longer; applications that have it keep it."""
    from infra.ops.commands import plans

    run(data, lambda settings: plans.withdraw(settings, which, url=url, say=typer.echo))
