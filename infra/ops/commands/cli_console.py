"""The options of ``klatsch console``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from infra.ops.commands.command import DEFAULT_DATA, Data, run
from infra.ops.commands.errors import CannotDo

if TYPE_CHECKING:
    from infra.base.settings import Settings


def console(data: Data = DEFAULT_DATA) -> None:
    """Print a link that opens the operators' console in a browser.

    The link is good for five minutes and gives all that an operator may do: hand it to nobody. The page that it opens
    stays open for a day.
    """
    run(data, _print)


async def _print(settings: Settings) -> None:
    from infra.ops import operator_token

    if not settings.secret:
        raise CannotDo(
            "expected an installation that runs on the data folder, or its secret in KLATSCH_SECRET; found neither: "
            "start it with './klatsch up', or name it with --data"
        )
    typer.echo(operator_token.console_link(settings))
