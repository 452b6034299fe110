"""The options of ``klatsch rebuild`` and ``klatsch verify``."""

from __future__ import annotations

from typing import Annotated

import typer

from infra.ops.commands.command import DEFAULT_DATA, Data, fail, run

REBUILD_EXAMPLES = (
    "Examples: **./klatsch rebuild**, **./klatsch rebuild --model rooms**, **./klatsch rebuild --keep**, then "
    "**./klatsch rebuild --switch-back** or **./klatsch rebuild --drop-old**"
)
VERIFY_EXAMPLES = (
    "Examples: **./klatsch verify**, **./klatsch verify --heal**, **./klatsch verify --model rooms --json**"
)

Model = Annotated[str, typer.Option("--model", metavar="NAME", help="all, users, handles, apps, rooms or changes.")]
Jobs = Annotated[int | None, typer.Option(min=1, max=256, help="Processes that fold; one per core if not given.")]


def rebuild(
    model: Model = "all",
    jobs: Jobs = None,
    restart: Annotated[
        bool, typer.Option("--restart", help="Start again; otherwise continue where the last one stopped.")
    ] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the old tables for --switch-back.")] = False,
    switch_back: Annotated[bool, typer.Option("--switch-back", help="Serve from the kept tables again.")] = False,
    drop_old: Annotated[bool, typer.Option("--drop-old", help="Remove the kept tables.")] = False,
    data: Data = DEFAULT_DATA,
) -> None:
    """Fold the read models again from the log, and switch to them; the present ones serve until then.

    Nothing is sent to anybody. Interrupted at any point it has changed nothing that serves, and goes on when it is
    started again. Exit code 0: the new rows serve.
    """
    from infra.ops.commands import rebuilding

    if switch_back + drop_old + (keep or restart or model != "all") > 1:
        fail("expected --switch-back or --drop-old by itself")
    if keep and model != "all":
        fail(f"--keep: expected --model all, got {model}; the old tables are kept only of all models together")
    if switch_back:
        run(data, rebuilding.switch_back)
    elif drop_old:
        run(data, rebuilding.drop_old)
    else:
        run(data, lambda settings: rebuilding.rebuild(settings, model, jobs=jobs, restart=restart, keep=keep))


def verify(
    model: Model = "all",
    jobs: Jobs = None,
    heal: Annotated[bool, typer.Option("--heal", help="Rewrite the rows that differ, and only those.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for programs.")] = False,
    data: Data = DEFAULT_DATA,
) -> None:
    """Prove that the read models equal the log, or name each row that does not, and the event it should come from.

    Runs beside a working installation. Checks the log too: gaps, void and unreadable records, what is named and not
    there, commands carried out twice. Exit code 0: all is well, or was healed; 1: something is not.
    """
    from infra.ops.commands import verifying

    work = run(data, lambda settings: verifying.verify(settings, model, jobs=jobs, heal=heal, json=as_json))
    raise typer.Exit(0 if work else 1)
