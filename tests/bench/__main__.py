"""The command line of ``klatsch bench``."""

from __future__ import annotations

import logging
import resource
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import typer

from infra.ops.commands.command import INTERRUPTED, fail
from infra.ops.errors import EXPECTED
from tests.bench import arguments, figures, plots, report
from tests.bench.client import RequestFailed
from tests.bench.run import Plan, run
from tests.bench.scenarios import NAMES, NUMBERS, Options
from tests.bench.system import Wrong
from tests.bench.systems import SYSTEMS

#: Enough for the connections of every scenario, at both ends.
_FILES = 65_536

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command(
    epilog="Examples: **./klatsch bench --quick**, **./klatsch bench b1 b2 --repeat 5 --json run.json**, "
    "**./klatsch bench b3 --system ours --system sockets**",
)
def bench(
    scenarios: arguments.Scenarios = None,
    quick: arguments.Quick = False,
    system: arguments.Systems = None,
    url: arguments.Url = "",
    repeat: arguments.Repeat = None,
    messages: arguments.Messages = None,
    members: arguments.Members = None,
    shards: arguments.Shards = None,
    clients: arguments.Clients = None,
    irc: arguments.Irc = None,
    json: arguments.Json = None,
    markdown: arguments.Markdown = None,
    before: arguments.Before = None,
    record: arguments.Record = False,
) -> None:
    """Measure Klatsch beside the floor of this machine and plain baselines, in one run, with the systems in turn.

    Starts everything itself: 'klatsch up' on a new data folder, bare floors, Starlette with an INSERT, Socket.IO where
    Node is. How to read the figures, and how to add a system: docs/howto/benchmark.md.
    """
    # What a client says of a broker that is being stopped is no news.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    plan = Plan(
        scenarios=_chosen(scenarios or list(arguments.USUAL)),
        systems=_known("--system", system or list(SYSTEMS), SYSTEMS),
        url=url,
        options=Options(
            quick=quick,
            repeat=repeat or (1 if quick else 3),
            messages=messages,
            members=members,
            shards=shards,
            irc=irc,
            clients=clients,
        ),
    )
    earlier = _earlier(before)
    results = _run(plan)
    text = report.table(results)
    if earlier is not None:
        text += "\n" + report.changes(earlier, results)
    typer.echo(text, nl=False)
    if json:
        figures.write(results, json)
    if markdown:
        markdown.write_text(text)
    if record:
        report.append(results, arguments.HISTORY)
        plots.write(results, arguments.HISTORY.parent)


def _earlier(path: Path | None) -> figures.Results | None:
    """Read before anything runs: a wrong file is told at once."""
    try:
        return None if path is None else figures.read(path)
    except figures.BadResults as error:
        fail(error)


def _run(plan: Plan) -> figures.Results:
    import uvloop

    try:
        with tempfile.TemporaryDirectory(prefix="klatsch-bench-") as folder:
            return uvloop.run(run(plan, Path(folder)))
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    except (*EXPECTED, RequestFailed, Wrong) as error:
        fail(error)


def _chosen(given: list[str]) -> list[str]:
    """Names of scenarios, in the order in which they run."""
    if "all" in given:
        return list(NAMES)
    return _known("SCENARIO", [NUMBERS.get(name, name) for name in given], NAMES)


def _known(what: str, given: Sequence[str], known: Iterable[str]) -> list[str]:
    names = list(known)
    unknown = [name for name in given if name not in names]
    if unknown:
        fail(f"{what}: expected some of {', '.join(names)}, got {', '.join(unknown)}")
    return [name for name in names if name in given]


def main() -> None:
    """Entry point."""
    # A connection is a file: servers inherit how many this process may open.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
    app(prog_name="klatsch bench")


if __name__ == "__main__":
    main()
