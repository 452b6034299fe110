"""A process of its own that folds some shards: ``python -m projectors.rebuild.worker``.

The task comes as a line on standard input, which stays open for as long as the parent lives; progress goes to standard
output, a line of JSON each.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import msgspec

from events.core.positions import Shard, encode_vector, parse_vector
from infra.base.settings import Settings
from projectors.core.source import LogMismatch
from projectors.rebuild.follower import RebuildFollower, Told
from projectors.rebuild.fresh import ROOT, RebuildError
from projectors.rebuild.reading import Tally

#: Pieces after which cycles are looked for.
_COLLECT_AFTER = 20


class Task(msgspec.Struct, frozen=True, kw_only=True):
    settings: Settings
    schema: str
    #: As ``encode_vector`` gives it: up to where.
    vector: str


class WorkerLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a worker tells: how far a shard is; in the end what it read, or why it failed."""

    position: str = ""
    tally: Tally | None = None
    error: str = ""


async def fold(settings: Settings, schema: str, vector: Mapping[Shard, int], told: Told) -> Tally:
    """The work, in this process."""

    pieces = 0

    def stored(shard: Shard, offset: int) -> None:
        nonlocal pieces
        if (pieces := pieces + 1) % _COLLECT_AFTER == 0:
            gc.collect(0)
        told(shard, offset)

    # What is read and folded has no cycles: they are looked for when much of it is gone, not while it is there.
    enabled = gc.isenabled()
    gc.disable()
    try:
        async with RebuildFollower(settings, schema, stored, filling=True) as follower:
            await follower.reach(vector)
            return follower.tally
    finally:
        if enabled:
            gc.enable()


async def folded(settings: Settings, schema: str, vector: Mapping[Shard, int], told: Told, jobs: int) -> Tally:
    """The work, in up to ``jobs`` processes. Raises RebuildError when one of them fails; the others end then."""
    parts = _shared_out(vector, jobs)
    if len(parts) <= 1:
        return await fold(settings, schema, vector, told)
    tally = Tally()
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_process(settings, schema, part, told)) for part in parts]
    except* RebuildError as errors:
        raise errors.exceptions[0] from None
    for task in tasks:
        tally.add(task.result())
    return tally


def _shared_out(vector: Mapping[Shard, int], jobs: int) -> list[dict[Shard, int]]:
    """The shards in ``jobs`` parts, of about the same number of records."""
    parts: list[dict[Shard, int]] = [{} for _ in range(jobs)]
    for shard in sorted(vector, key=lambda one: vector[one], reverse=True):
        min(parts, key=lambda part: sum(part.values()))[shard] = vector[shard]
    return [part for part in parts if part]


async def _process(settings: Settings, schema: str, vector: Mapping[Shard, int], told: Told) -> Tally:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "projectors.rebuild.worker", cwd=ROOT, stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)}, limit=1 << 24,
    )  # fmt: skip
    assert process.stdin is not None and process.stdout is not None
    try:
        task = Task(settings=settings, schema=schema, vector=encode_vector(vector))
        process.stdin.write(msgspec.json.encode(task) + b"\n")
        await process.stdin.drain()
        async for raw in process.stdout:
            line = msgspec.json.decode(raw, type=WorkerLine)
            if line.error:
                raise RebuildError(line.error)
            if line.tally is not None:
                return line.tally
            for shard, offset in parse_vector(line.position).items():
                told(shard, offset)
        raise RebuildError(f"expected a worker to finish, it ended with code {await process.wait()}; start again")
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def _watch_parent() -> None:
    """Ends this process as soon as its parent has ended, whatever it does."""
    while sys.stdin.buffer.read(1):
        continue
    os._exit(1)


async def _work(write: Callable[[WorkerLine], None]) -> None:
    task = msgspec.json.decode(sys.stdin.buffer.readline(), type=Task)
    threading.Thread(target=_watch_parent, daemon=True).start()

    def told(shard: Shard, offset: int) -> None:
        write(WorkerLine(position=encode_vector({shard: offset})))

    write(WorkerLine(tally=await fold(task.settings, task.schema, parse_vector(task.vector), told)))


def main(run: Callable[[Coroutine[Any, Any, None]], Any]) -> int:
    """Reads the task, and tells its end in the last line."""

    def write(line: WorkerLine) -> None:
        sys.stdout.buffer.write(msgspec.json.encode(line) + b"\n")
        sys.stdout.buffer.flush()

    try:
        run(_work(write))
    except (RebuildError, LogMismatch) as error:
        write(WorkerLine(error=str(error)))
        return 1
    # The parent says it: whatever it is.
    except Exception as error:
        write(WorkerLine(error=f"{type(error).__name__}: {error}"))
        return 1
    return 0


if __name__ == "__main__":
    import uvloop

    sys.exit(main(uvloop.run))
