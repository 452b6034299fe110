"""What ``klatsch bench`` takes on the command line: one annotated type each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from infra.ops.supervisor.parts import ROOT
from tests.bench.scenarios import NAMES, NUMBERS
from tests.bench.systems import SYSTEMS

#: What runs when nothing is named: what is quick to prepare.
USUAL = ("latency", "throughput", "fanout")
HISTORY = ROOT / "docs" / "benchmarks" / "history.jsonl"

_NUMBERED = ", ".join(f"{number} {name}" for number, name in NUMBERS.items())
_OTHERS = ", ".join(NAMES[len(NUMBERS) :])

Scenarios = Annotated[
    list[str] | None,
    typer.Argument(
        help=f"Which: {_NUMBERED}, {_OTHERS}, or all; without any, {', '.join(USUAL)}.",
        metavar="[SCENARIO]...",
        show_default=False,
    ),
]
Quick = Annotated[bool, typer.Option("--quick", help="About a minute in all: ratios to look at, no more.")]
Systems = Annotated[
    list[str] | None,
    typer.Option(
        "--system", help=f"Only these of {', '.join(SYSTEMS)}; repeatable.", metavar="NAME", show_default=False
    ),
]
Url = Annotated[
    str, typer.Option(help="Measure the Klatsch that runs there, as 'ours'. What is made there stays.", metavar="URL")
]


def _size(help: str) -> Any:
    return typer.Option(min=1, help=help, show_default=False)


Repeat = Annotated[int | None, _size("Repetitions, with the systems in turn; 3 unless quick.")]
Messages = Annotated[int | None, _size("Messages of the large data sets (b6, b7, rebuild).")]
Members = Annotated[int | None, _size("Members of the largest room (b7).")]
Shards = Annotated[int | None, _size("Shards at most (b7).")]
Clients = Annotated[int | None, _size("Connections (b5).")]
Irc = Annotated[
    Path | None,
    typer.Option(
        exists=True, help="Folder of IRC logs to make large data sets of.", metavar="FOLDER", show_default=False
    ),
]
Json = Annotated[Path | None, typer.Option(help="Write everything, with histograms, to this file.", metavar="FILE")]
Markdown = Annotated[Path | None, typer.Option(help="Write the tables to this file too.", metavar="FILE")]
Before = Annotated[
    Path | None,
    typer.Option(
        exists=True, dir_okay=False, help="Result of an earlier run (--json): shows what has changed.", metavar="FILE"
    ),
]
Record = Annotated[bool, typer.Option("--record", help=f"Add a line to {HISTORY.relative_to(ROOT)}.")]
