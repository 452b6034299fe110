"""``klatsch events export``: records of the log into a file, all of them or those that are asked for."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from rich.console import Console

from infra.base.settings import Settings
from infra.ops.commands import formats
from infra.ops.commands.bars import Bar
from infra.ops.commands.errors import CannotDo
from infra.ops.commands.filters import EventFilter, head_of
from infra.ops.commands.log import reading


async def export(
    settings: Settings, file: Path, wanted: EventFilter, *, force: bool = False, console: Console | None = None
) -> int:
    """Writes the file, whole or not at all, and returns how many records are in it.

    Without a choice it holds every record up to where the log ends now, void ones and ``log.opened`` too. Raises
    CannotDo where the file is there (and not ``force``), cannot be written, or has an ending that is not known.
    """
    _check(file, force)
    console = console or Console(soft_wrap=True)
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        with contextlib.ExitStack() as stack:
            stack.callback(part.unlink, missing_ok=True)
            with formats.writer(part, file) as output:
                count = await _write(settings, output, wanted, console)
            part.replace(file)
    except OSError as error:
        if error.filename is None:
            raise
        raise CannotDo(f"{file}: expected to write it, got {error.strerror}") from error
    console.print(f"{count:,} records in {file}, {_megabytes(file):,.1f} MB", markup=False, highlight=False)
    if wanted.everything:
        console.print("It is the whole log: 'events import' makes another installation of it.", highlight=False)
    return count


def _check(file: Path, force: bool) -> None:
    if file.exists() and not force:
        raise CannotDo(f"expected a file that is not there yet, got {file}; name another, or replace it with --force")


def _megabytes(file: Path) -> float:
    return file.stat().st_size / 1e6


async def _write(settings: Settings, output: formats.Output, wanted: EventFilter, console: Console) -> int:
    count = 0
    async with reading(settings) as log:
        begins, ends = await log.bounds(wanted.shards(settings))
        if wanted.since_ms is not None:
            begins = {**ends, **await log.appended_since(list(ends), wanted.since_ms)}
        total = sum(ends[shard] - begin for shard, begin in begins.items())
        with Bar(console, "exported", total, "records") as bar:
            async for batch in log.read(begins, ends):
                found = batch if wanted.everything else [raw for raw in batch if wanted.takes(raw, head_of(raw))]
                output.write(found)
                count += len(found)
                bar.advance(len(batch))
    return count
