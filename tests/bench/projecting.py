"""One projector alone in a process, until it has everything: ``python -m tests.bench.projecting read_models``.

Settings come from KLATSCH_* variables. It prints ``Projected`` as JSON.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time

import msgspec
import prometheus_client
import uvloop

from infra.base.progress import READ_MODELS
from infra.base.settings import Settings, environment, load
from infra.ops.roles import settle_memory
from infra.ops.supervisor.parts import ROOT
from producers.engine.log import LogProducer, ShardLog
from projectors.feed.projector import FEED, FeedProjector, feed_topics
from projectors.read_models.projector import ReadModels, event_shards


class Projected(msgspec.Struct, frozen=True):
    """What it has dealt with, and what that took: seconds of the clock, of the process's CPU."""

    events: int
    seconds: float
    cpu: float


async def alone(settings: Settings, projector: str) -> Projected:
    """Runs a projector in a process of its own; returns what that printed. Raises RuntimeError when it failed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, projector, cwd=ROOT, env={**os.environ, **environment(settings)},
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise RuntimeError(f"expected {projector} to get through the log, it ended with {process.returncode}")
    return msgspec.json.decode(said, type=Projected)


async def _run(settings: Settings, name: str) -> Projected:
    writer = LogProducer(settings)
    await writer.start()
    projector = ReadModels(settings) if name == READ_MODELS else FeedProjector(settings, lambda number: ShardLog(
        writer, settings.topic("feed"), number, "bench:0"
    ))  # fmt: skip
    settle_memory()
    shards = event_shards(settings) if name == READ_MODELS else event_shards(settings, feed_topics())
    began, cpu = time.perf_counter(), time.process_time()
    task = asyncio.create_task(projector.run())
    while len(lag := projector.lag()) < len(shards) or any(lag.values()):
        if task.done():
            task.result()
        await asyncio.sleep(0.005)
    # It deals with what it has taken, then ends.
    await projector.stop()
    await task
    found = Projected(_events(name), time.perf_counter() - began, time.process_time() - cpu)
    await writer.stop()
    return found


def _events(name: str) -> int:
    return int(prometheus_client.REGISTRY.get_sample_value("klatsch_projector_events_total", {"projector": name}) or 0)


if __name__ == "__main__":
    assert sys.argv[1] in (READ_MODELS, FEED), f"expected {READ_MODELS} or {FEED}, got {sys.argv[1]}"
    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(_run(load(), sys.argv[1]))))
