"""The options of ``klatsch token``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from infra.ops.commands.command import DEFAULT_DATA, Data, run
from infra.ops.commands.errors import CannotDo

if TYPE_CHECKING:
    from infra.base.settings import Settings

EXAMPLES = "Examples: **TOKEN=$(./klatsch token)**, **./klatsch token --minutes 60**"
#: The longest that a token is good for: nothing takes it back, but another secret for the whole installation.
MOST_MINUTES = 24 * 60


def token(
    minutes: Annotated[
        int, typer.Option("--minutes", min=1, max=MOST_MINUTES, help="How long it is valid, from now.")
    ] = 15,
    data: Data = DEFAULT_DATA,
) -> None:
    """Print an operator's token, and nothing else: for programs that call what only operators may.

    It gives all that an operator may do until it expires, and cannot be taken back: hand it to nobody.
    """

    async def show(settings: Settings) -> None:
        from infra.ops import operator_token

        if not settings.secret:
            raise CannotDo(
                "expected an installation that runs on the data folder, or its secret in KLATSCH_SECRET; found "
                "neither: start it with './klatsch up', or name it with --data"
            )
        typer.echo(operator_token.token(settings, seconds=60.0 * minutes))

    run(data, show)
