"""The log's writer while its broker is killed or restarted in mid-append, with a broker of the test's own.
Tests ``producers/engine/log.py``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from infra.base import kafka
from infra.base.settings import load
from infra.embedded.kafka import EmbeddedKafka
from tests.producers.owner import Owner, raw, valid


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[EmbeddedKafka]:
    broker = EmbeddedKafka(tmp_path / "kafka", heap="384m")
    await asyncio.to_thread(broker.start)
    yield broker
    await asyncio.to_thread(broker.stop)


@pytest.mark.parametrize("way", ["kill", "stop"])
async def test_a_broker_restart_in_mid_append(broker: EmbeddedKafka, way: str) -> None:
    settings = load(broker.access(), partitions=2, feed_partitions=2)
    await kafka.ensure_topics(settings)
    owner, told = Owner(settings, ack_seconds=1.0), dict[str, int]()
    enough = asyncio.Event()

    async def write() -> None:
        await owner.open()
        number = 0
        while not enough.is_set():
            told[f"c{number}"] = await owner.do(f"c{number}")
            number += 1

    writing = asyncio.create_task(write())
    await _grown(told, 100, writing)
    term = owner.log.term
    await asyncio.to_thread(getattr(broker, way))
    await asyncio.to_thread(broker.start)
    await _grown(told, len(told) + 100, writing)
    enough.set()
    await writing
    assert owner.log.term > term, "expected the owner to have opened again"
    assert valid(await raw(settings)) == list(told.items()), "each command once, in order, where it was acknowledged"
    await owner.producers.stop()


async def _grown(told: dict[str, int], size: int, writing: asyncio.Task[None]) -> None:
    """Poll until that many commands were acknowledged, for a minute at most."""
    async with asyncio.timeout(60):
        while len(told) < size:
            assert not writing.done(), writing.exception()
            await asyncio.sleep(0.02)
