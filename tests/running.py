"""Projectors that run for the length of a test's block, and waiting for what they bring about."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from infra.base.settings import Settings, environment
from projectors.core.runner import Projector

#: A data folder that does not exist.
NOWHERE = str(Path(__file__).parent / "no-such-folder")


def variables(settings: Settings) -> dict[str, str]:
    """The environment of a command on an installation: what runs on the checkout's own data folder is not found."""
    return {**os.environ, **environment(settings), "KLATSCH_DATA": NOWHERE}


#: Seconds that a test waits for something to come true.
PATIENCE = 30.0


async def until(true: Callable[[], Awaitable[Any]], what: str, seconds: float = PATIENCE) -> Any:
    """Polls until the answer is true, and returns it; fails after ``seconds``."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not (answer := await true()):
        assert asyncio.get_running_loop().time() < deadline, f"not within {seconds} s: {what}"
        await asyncio.sleep(0.01)
    return answer


@asynccontextmanager
async def working(stop: Callable[[], None], seconds: float, *work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """The work goes on within the block; after it, ``stop`` says that it is enough, and ``seconds`` are left to end."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        yield
        stop()
        async with asyncio.timeout(seconds):
            await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def running(*projectors: Projector) -> AsyncIterator[None]:
    """The projectors run within the block."""
    tasks = [asyncio.create_task(projector.run()) for projector in projectors]
    try:
        yield
    finally:
        for projector in projectors:
            await projector.stop()
        await asyncio.gather(*tasks)
