"""What the hub does when the broker dies, or the feed topic becomes another one, under connected clients.
Tests ``push/delivery/hub.py`` and ``push/delivery/tail.py``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from infra.base import kafka
from infra.base.settings import Settings, load
from infra.embedded.kafka import EmbeddedKafka
from push.delivery.bounds import FeedUnavailable
from push.delivery.hub import Hub
from push.protocol import codes
from push.protocol.backend import ConnectionIdentity
from push.protocol.commands import Since
from tests.push.conftest import until
from tests.push.delivery.test_hub import Sink, now
from tests.push.feeding import Feed, feed_of


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[EmbeddedKafka]:
    broker = EmbeddedKafka(tmp_path / "kafka", heap="384m")
    await asyncio.to_thread(broker.start)
    yield broker
    await asyncio.to_thread(broker.kill)


async def test_deltas_go_on_after_the_broker_was_killed_and_came_back(broker: EmbeddedKafka) -> None:
    settings = load(broker.access(), prefix="push", partitions=1, feed_partitions=2)
    await kafka.ensure_topics(settings)
    hub = Hub(settings, ring_records=4)
    await hub.start()
    try:
        async with feed_of(settings) as feed:
            start = await now(hub, "ann")
            sink = Sink(hub, "ann").follow(start)
            await feed.send("ann", "before")
            await until(lambda: sink.texts == ["before"])
        await asyncio.to_thread(broker.kill)
        # Positions in the ring are known without Kafka; older ones are not, and the client is told to try again.
        assert (await hub.locate("ann", Since(sink.cursors[0], hub.epoch))).recovered
        with pytest.raises(FeedUnavailable):
            await hub.locate("ann", Since(sink.cursors[0] + 100 * 4096, hub.epoch))
        await asyncio.to_thread(broker.start)
        async with feed_of(settings) as feed:
            texts = [str(n) for n in range(20)]
            feed.position = 100
            await feed.send("ann", *texts)
            await until(lambda: len(sink.texts) == 21, 60)
            assert sink.texts == ["before", *texts]
            again = Sink(hub, "ann").follow(start)
            await until(lambda: len(again.texts) == 21, 60)
            assert again.texts == sink.texts
        assert sink.disconnect is None
    finally:
        await hub.stop()


async def test_another_topic_of_the_same_name_is_another_epoch_and_nobody_stays_on_the_old_one(
    settings: Settings, hub: Hub, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    await feed.send("ann", "old")
    old = hub.here("ann")

    class Peer(Sink):
        client = "c"

    peer = Peer(hub, "ann")
    assert hub.peers.join(peer, ConnectionIdentity(user="ann", session="s", expires=2e9), 0.0) is None
    peer.follow(old.cursor)
    async with kafka.admin(settings) as client:
        await client.delete_topics([settings.topic("feed")])
        await until(lambda: not hub.ready, 30)
        deadline = asyncio.get_running_loop().time() + 20
        while settings.topic("feed") in await client.list_topics():
            assert asyncio.get_running_loop().time() < deadline
            await asyncio.sleep(0.05)
    await kafka.ensure_topics(settings)
    await until(lambda: hub.ready and hub.epoch != old.epoch, 30)
    assert peer.disconnect == codes.INSUFFICIENT_STATE
    assert not (await hub.locate("ann", Since(old.cursor, old.epoch))).recovered
    async with feed_of(settings) as anew:
        sink = Sink(hub, "ann").follow(await now(hub, "ann"))
        await anew.send("ann", "new")
        await until(lambda: sink.texts == ["new"])
