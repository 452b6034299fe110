"""The options of ``klatsch trace``."""

from __future__ import annotations

from typing import Annotated

import typer

from infra.operate.command import DEFAULT_DATA, Data, run

EXAMPLE = "Examples: **./klatsch trace 0199c2a4-…**, **./klatsch trace rooms/3/1234 --for ada**"


def trace(
    what: Annotated[str, typer.Argument(metavar="MESSAGE|POSITION", help="A message's id, or an event's position.")],
    user: Annotated[str, typer.Option("--for", metavar="USER", help="Of this person: id or username.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="JSON for programs.")] = False,
    data: Data = DEFAULT_DATA,
) -> None:
    """Why did they get it, or not: the way of a message from the command to the connections.

    Accepted (who, with which key), appended (position, term), projected (in the read models, or parked), fed (who was
    named in the feed), sent (to which present connections), read. Connections that have gone are not known.
    """
    from infra.operate import trace

    run(data, lambda settings: trace.run(settings, what, user or None, json=as_json, say=typer.echo))
