"""Fixtures of the push tests: the feed's writer and a running hub."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from infra.base.settings import Settings
from push.delivery.hub import Hub
from tests.push.feeding import Feed, feed_of


@pytest.fixture
async def feed(settings: Settings) -> AsyncIterator[Feed]:
    """The writer of this test's feed."""
    async with feed_of(settings) as found:
        yield found


@pytest.fixture
async def hub(settings: Settings) -> AsyncIterator[Hub]:
    """A hub that has reached the feed's end."""
    hub = Hub(settings)
    await hub.start()
    yield hub
    await hub.stop()


async def until(condition: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait for a condition, or fail."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, "the condition did not come true in time"
        await asyncio.sleep(0.01)
