"""How commands gather while a shard is busy. Tests ``producers/engine/shard.py``."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from infra.base.settings import Settings
from producers.engine import shard as shard_module
from tests.producers.shards import owning, posted


async def test_who_was_just_answered_comes_into_the_next_turn(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Long enough for a busy machine: a rest is no longer than the turn before it anyway.
    monkeypatch.setattr(shard_module, "REST_SECONDS", 1.0)
    sizes, begun = list[int](), asyncio.Event()
    async with owning(settings) as shard:
        await shard.room()

        async def slowly(append: Callable[..., Awaitable[int]], records: Sequence[tuple[bytes, bytes]]) -> int:
            sizes.append(len(records))
            begun.set()
            await asyncio.sleep(0.2)
            return await append(records)

        shard.log.instead = slowly
        first = asyncio.create_task(shard.say("first"))
        await begun.wait()
        second = asyncio.create_task(shard.say("second"))
        await first
        await asyncio.gather(shard.say("third"), second)
        # Nobody else waits: there is nothing to gather for.
        await shard.say("fourth")
        assert sizes == [1, 2, 1]
    assert await posted(settings) == {"first": 1, "second": 2, "third": 3, "fourth": 4}
