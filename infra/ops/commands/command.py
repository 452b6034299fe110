"""How an operator's command runs: on which installation, and with which errors as one line instead of a traceback."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer

if TYPE_CHECKING:
    from infra.base.settings import Settings

T = TypeVar("T")

#: Whether the command line has ``--data``. KLATSCH_DATA only says where to look.
_data_given: ContextVar[bool] = ContextVar("data_given", default=False)


def _note_given(context: typer.Context, option: typer.CallbackParam, data: Path) -> Path:
    source = context.get_parameter_source(option.name or "")
    _data_given.set(source is not None and source.name == "COMMANDLINE")
    return data


def given(context: typer.Context, option: typer.CallbackParam, value: T) -> T:
    """Refuses an empty text that stands in the command line: a variable of the shell that is not set would else mean
    everything, or whatever has no name."""
    source = context.get_parameter_source(option.name or "")
    texts = value if isinstance(value, list) else [value]
    if source is not None and source.name == "COMMANDLINE" and "" in texts:
        raise typer.BadParameter("expected a text, got an empty one")
    return value


#: Of an operator's command: which installation it acts on, ``target.py`` says.
Data = Annotated[
    Path,
    typer.Option(
        "--data",
        metavar="DIR",
        help="Data folder of the installation.",
        envvar="KLATSCH_DATA",
        callback=_note_given,
    ),
]
DEFAULT_DATA = Path(__file__).resolve().parents[3] / ".klatsch"
#: Exit code of a command that the user has interrupted.
INTERRUPTED = 130


def run(
    data: Path,
    work: Callable[[Any], Awaitable[T]],
    around: Callable[[Path], AbstractAsyncContextManager[Any]] | None = None,
) -> T:
    """What ``work`` gives for the settings of the installation. Errors that a user can mend end the program.

    ``around`` provides the installation, where it need not run already.
    """
    import asyncio
    import logging

    from events.core.positions import BadPosition
    from infra.base import away
    from infra.ops.commands.errors import CannotDo
    from infra.ops.errors import EXPECTED

    # What the client would say of a broker that is away, the error below says once.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        return asyncio.run(_on(data, work, around))
    except (*EXPECTED, CannotDo, BadPosition) as error:
        fail(error)
    except BrokenPipeError:
        # Whoever read the output has had enough of it, as 'head' does.
        sys.stderr.close()
        raise typer.Exit(0) from None
    except away.PARTS as error:
        fail(
            f"expected Kafka and Postgres of the installation to answer, got: {away.words(error)}; see "
            "'klatsch status', or name the installation with --data or KLATSCH_KAFKA and KLATSCH_POSTGRES"
        )
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None


async def _on(
    data: Path,
    work: Callable[[Any], Awaitable[T]],
    around: Callable[[Path], AbstractAsyncContextManager[Any]] | None,
) -> T:
    if around is None:
        return await work(installation(data))
    async with around(data) as settings:
        return await work(settings)


def data_given() -> bool:
    """Whether the command line that runs names the data folder."""
    return _data_given.get()


def installation(data: Path) -> Settings:
    """The settings of the installation that the command line means; says which, if two come into question.

    Raises CannotDo, and what reading the folder raises.
    """
    from infra.ops.commands import target

    settings, notice = target.installation(data, given=data_given())
    say(notice)
    return settings


def say(notice: str) -> None:
    """One line beside the command's own output; none for nothing."""
    if notice:
        typer.echo(f"klatsch: {notice}", err=True)


def goes_on(context: typer.Context) -> bool:
    """Whether a command of the group follows. Ends the program where options stand before it: they would be lost."""
    if context.invoked_subcommand is None:
        return False
    sources = (context.get_parameter_source(name) for name in context.params)
    if any(source is not None and source.name == "COMMANDLINE" for source in sources):
        fail(f"expected options after the command: {context.command_path} {context.invoked_subcommand} ... OPTIONS")
    return True


def warn(text: str) -> None:
    """Says something aside to whoever sits at the terminal; scripts have nothing to do about it."""
    if sys.stderr.isatty():
        typer.echo(text, err=True)


def fail(error: Exception | str) -> NoReturn:
    """Says it, and ends with exit code 1."""
    typer.secho(f"error: {error}", fg="red", err=True)
    raise typer.Exit(1)
