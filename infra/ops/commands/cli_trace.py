"""The options of ``klatsch trace``."""

from __future__ import annotations

from typing import Annotated

import typer

from infra.ops.commands.command import DEFAULT_DATA, Data, given, run

EXAMPLE = "Examples: **./klatsch trace 0199c2a4-…**, **./klatsch trace rooms/3/1234 --for ada**"


def trace(
    what: Annotated[
        str, typer.Argument(metavar="MESSAGE|POSITION", help="A message's id, or an event's position.", callback=given)
    ],
    user: Annotated[
        str, typer.Option("--for", metavar="USER", help="Of this person: id or username.", callback=given)
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="JSON for programs.")] = False,
    data: Data = DEFAULT_DATA,
) -> None:
    """Why did they get it, or not: the way of a message from the command to the connections.

    Accepted (the command was decided), appended (it is in the log), projected (reads show it), fed (it is in the
    streams of those whom it is for), sent (to which present connections), read. With times in UTC, and how long a
    stage took after the one before. Connections that have gone are not known.
    """
    from infra.ops.commands import trace

    run(data, lambda settings: trace.run(settings, what, user or None, json=as_json, say=typer.echo))
