"""``klatsch parked retry``: parked streams are applied again, several at a time, each in one transaction."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, NamedTuple

from rich.console import Console

from infra.base import postgres
from infra.base.postgres import connected, queries
from infra.base.progress import READ_MODELS
from infra.base.settings import Settings
from infra.ops.commands.bars import Bar
from infra.ops.commands.errors import CannotDo
from infra.ops.commands.event_format import clean, short
from infra.ops.commands.people import stream_id
from projectors.core.runner import SESSION, close
from projectors.read_models.redrive import redrive

#: Streams that still fail which are named.
_NAMED = 10


class Retried(NamedTuple):
    """What came of one stream."""

    stream: str
    applied: int
    parked: int


async def retry(settings: Settings, stream: str | None, *, jobs: int = 8, console: Console | None = None) -> bool:
    """Retries one stream, or all that the read models wait for; says what came of it. Whether nothing is parked there.

    Raises CannotDo for a stream of which nothing is parked.
    """
    console = console or Console(soft_wrap=True)
    streams = await _streams(settings, stream)
    found: list[Retried] = []
    with Bar(console, "retried", len(streams), "streams") as bar:
        waiting = deque(streams)

        async def work() -> None:
            connection = await postgres.connect(settings, **SESSION)
            try:
                while waiting:
                    name = waiting.popleft()
                    found.append(Retried(name, *await redrive(connection, settings, name)))
                    bar.advance(1)
            finally:
                await close(connection)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(jobs, len(streams))):
                group.create_task(work())
    await _summary(settings, console, found)
    return not any(one.parked for one in found)


async def _streams(settings: Settings, stream: str | None) -> list[str]:
    async with connected(settings) as connection:
        rows = await connection.fetch(queries("operate")["parked_list"])
        if stream is not None and stream not in {row["stream"] for row in rows}:
            stream = await stream_id(connection, stream, "STREAM")
    mine = [row["stream"] for row in rows if row["consumer"] == READ_MODELS]
    if stream is None:
        return mine
    if stream in mine:
        return [stream]
    others = [row["consumer"] for row in rows if row["stream"] == stream]
    if others:
        raise CannotDo(
            f"expected a stream that the read models wait for, got {stream}, of which {', '.join(others)} skipped "
            "an event: its recipients get it with the next snapshot; 'parked skip' removes it from the list"
        )
    raise CannotDo(f"expected a stream with parked events, got {stream}; see 'parked list'")


async def _summary(settings: Settings, console: Console, found: list[Retried]) -> None:
    def say(text: str) -> None:
        console.print(clean(text), markup=False, highlight=False)

    if not found:
        say("Nothing is parked.")
        return
    failing = [one for one in found if one.parked]
    say(f"{sum(one.applied for one in found):,} events of {len(found):,} streams applied; "
        f"{len(found) - len(failing):,} streams are free.")  # fmt: skip
    if not failing:
        return
    say(f"{len(failing):,} streams still wait, with {sum(one.parked for one in failing):,} events:")
    errors = await _errors(settings, [one.stream for one in failing[:_NAMED]])
    for one in failing[:_NAMED]:
        say(f"  {one.stream}: {short(errors.get(one.stream, ''), 160)}")
    if len(failing) > _NAMED:
        say(f"  ... and {len(failing) - _NAMED:,} more; see 'parked list'")


async def _errors(settings: Settings, streams: list[str]) -> dict[str, Any]:
    async with connected(settings) as connection:
        rows = await connection.fetch(queries("operate")["parked_list"])
    return {row["stream"]: row["error"] for row in rows if row["stream"] in streams and row["consumer"] == READ_MODELS}
