"""The options of ``klatsch as-of``, ``diff``, ``undo`` and ``restore``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated

import typer

from infra.ops.commands.command import DEFAULT_DATA, Data, fail, given, run

AS_OF_EXAMPLES = (
    "Examples: **./klatsch as-of 2026-11-21T08:15:30Z room lobby**, **./klatsch as-of 2h user ada**, "
    "**./klatsch as-of rooms/3/1235 message 0199c2a4-…**"
)
DIFF_EXAMPLES = (
    "Examples: **./klatsch diff 2026-11-21T08:00Z 2026-11-21T09:00Z --room lobby**, **./klatsch diff rooms/3/100 "
    "rooms/3/200**"
)
UNDO_EXAMPLES = (
    "Examples: **./klatsch undo --by eve --from 2026-11-21T14:00Z --to 2026-11-21T14:20Z**, **./klatsch undo --by eve "
    "--by mallory --from 15m --room lobby --yes**"
)
RESTORE_EXAMPLES = "Examples: **./klatsch restore lobby --to 2026-11-21T14:00Z**, **... --to rooms/3/1234 --yes**"


class PastKind(StrEnum):
    """What can be looked at."""

    room = "room"
    user = "user"
    message = "message"
    app = "app"


Moment = typer.Argument(
    help="A time (2026-11-21T08:15:30Z, 2026-11-21, 15m: that long ago), or next offsets: rooms/3/1235 is before the "
    "event at that position."
)
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
Every = Annotated[bool, typer.Option("--all", help="Show every event, not only the first ones.")]
Json = Annotated[bool, typer.Option("--json", help="JSON for programs: one object per line.")]
Url = Annotated[str, typer.Option(help="Base URL of the API, if it is not the one of the installation.")]


def as_of(
    moment: Annotated[str, Moment],
    kind: PastKind,
    id: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="Id or name of a room, user or application; id of a message.", callback=given
        ),
    ],
    as_json: Json = False,
    data: Data = DEFAULT_DATA,
) -> None:
    """Show a room with its members and last messages, a user, a message or an application as it was.

    Shows everything, also what was deleted since. A time is about when things happened: what was imported since, with
    older times, counts, and the last line says so; a position is what the log had. Clients ask with as_of.
    """
    from infra.ops.commands import asof

    run(data, lambda settings: asof.run(settings, moment, kind.value, id, json=as_json, say=typer.echo))


def diff(
    a: Annotated[str, Moment],
    b: Annotated[str, Moment],
    room: Annotated[
        str, typer.Option("--room", metavar="ROOM", help="Only in this room: id or name.", callback=given)
    ] = "",
    user: Annotated[
        str, typer.Option("--user", metavar="USER", help="Only of this user's stream: id or username.", callback=given)
    ] = "",
    as_json: Json = False,
    data: Data = DEFAULT_DATA,
) -> None:
    """Show which entities differ between two moments: table, key, column, before and after, and the events between.

    Exit code 0 whether or not something differs.
    """
    from infra.ops.commands import diff as comparing

    if room and user:
        fail("expected one of --room and --user, got both")
    work = run(data, lambda s: comparing.run(s, a, b, room=room, user=user, json=as_json, say=typer.echo))
    if work == 0 and not as_json:
        typer.echo("Nothing differs.", err=True)


def undo(
    by: Annotated[
        list[str],
        typer.Option("--by", metavar="USER", help="Whose events: id or username; repeatable.", callback=given),
    ],
    since: Annotated[str, typer.Option("--from", metavar="TIME", help="From this moment on.")],
    until: Annotated[str, typer.Option("--to", metavar="TIME", help="Up to this moment; now if not given.")] = "0s",
    room: Annotated[
        str, typer.Option("--room", metavar="ROOM", help="Only in this room: id or name.", callback=given)
    ] = "",
    yes: Yes = False,
    every: Every = False,
    as_json: Json = False,
    url: Url = "",
    data: Data = DEFAULT_DATA,
) -> None:
    """Take back what somebody did: shows what it would append, asks, and appends it. Never edits the log.

    Messages are deleted, edits and deletions taken back, who joined leaves, roles, names and settings are set back;
    what somebody else has changed since stays, and is named. Giving it again is harmless. Exit code 1: something was
    not taken back that could be.
    """
    from infra.ops.commands import revert_run

    work = run(
        data,
        lambda settings: revert_run.of_people(
            settings, by, since, until, room or None, ask=_ask(yes), all=every, json=as_json, url=url
        ),
    )
    raise typer.Exit(0 if work else 1)


def restore(
    room: Annotated[str, typer.Argument(metavar="ROOM", help="Its id or name.", callback=given)],
    to: Annotated[str, typer.Option("--to", metavar="MOMENT", help="A time, or a position: before that event.")],
    yes: Yes = False,
    every: Every = False,
    as_json: Json = False,
    url: Url = "",
    data: Data = DEFAULT_DATA,
) -> None:
    """Take back all that happened in a room since a moment, whoever did it; as 'undo' does, and with its rules."""
    from infra.ops.commands import revert_run

    work = run(
        data,
        lambda settings: revert_run.of_room(settings, room, to, ask=_ask(yes), all=every, json=as_json, url=url),
    )
    raise typer.Exit(0 if work else 1)


def _ask(yes: bool) -> Callable[[str], bool]:
    def ask(question: str) -> bool:
        if yes or not sys.stdin.isatty():
            return yes
        return typer.confirm(question)

    return ask
