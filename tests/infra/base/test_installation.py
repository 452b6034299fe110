"""That topics and schema belong together, for the tests' own installations."""

from __future__ import annotations

import asyncio

import pytest

from infra.base import kafka
from infra.base.installation import LogReplaced, prepare
from infra.base.settings import Settings
from tests.running import until


async def test_several_prepare_at_once(settings: Settings) -> None:
    await asyncio.gather(*(prepare(settings) for _ in range(3)))


async def test_topics_made_anew_are_refused(settings: Settings) -> None:
    await prepare(settings)
    topic = settings.topic("rooms")
    async with kafka.admin(settings) as client:
        await client.delete_topics([topic])

        async def gone() -> bool:
            return topic not in await client.list_topics()

        await until(gone, "the topic is still there")
    with pytest.raises(LogReplaced, match=r"expected the ids users=.* found users=.*another KLATSCH_SCHEMA"):
        await prepare(settings)
