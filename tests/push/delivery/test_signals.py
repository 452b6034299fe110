"""Notes over a real Kafka: what is written is read by the others, what is lost is made good, an outage tells nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from infra.base import kafka
from infra.base.settings import Settings, load
from infra.embedded.kafka import EmbeddedKafka
from push.delivery.signals import Signals
from push.presence.last_seen import LastSeenWriter
from push.presence.presence import Departure
from push.presence.presence_hub import PresenceHub, Surroundings
from tests.producers.proxy import proxied
from tests.push.conftest import until
from tests.push.gatherings import Ear

TTL = 3.0


@asynccontextmanager
async def node(settings: Settings) -> AsyncIterator[PresenceHub]:
    """A node's share in the signals."""
    presence_hub = PresenceHub(ttl=TTL)
    signals = Signals(settings, presence_hub)
    await signals.start()
    try:
        yield presence_hub
    finally:
        await signals.stop()


def connect(presence_hub: PresenceHub, user: str) -> Ear:
    """A user in ``den`` connects."""
    ear = Ear()
    presence_hub.join(user, ear)
    presence_hub.learned(user, Surroundings({"den": 2}, (), ()))
    return ear


async def test_nodes_hear_of_each_other_s_people_and_of_a_node_that_stops(settings: Settings) -> None:
    async with node(settings) as here:
        ann = connect(here, "ann")
        async with node(settings) as there:
            bob = connect(there, "bob")
            await until(lambda: ann.status("bob")[0] == bob.status("ann")[0] == "online")
            there.type("bob", "den", True)
            await until(lambda: ann.last("typing", "den") == {"users": ["bob"]})
        await until(lambda: ann.status("bob")[0] == "offline", TTL)


async def test_who_cannot_write_is_dead_to_the_others_and_comes_back(settings: Settings) -> None:
    async with proxied(settings.kafka) as proxy:
        behind = msgspec.structs.replace(settings, kafka=proxy.bootstrap)
        async with node(settings) as here, node(behind) as there:
            ann, bob = connect(here, "ann"), connect(there, "bob")
            await until(lambda: ann.status("bob")[0] == bob.status("ann")[0] == "online")
            proxy.pass_requests.clear()
            await until(lambda: ann.status("bob")[0] == "offline")
            # The node that cannot write reads nothing of its own, so it does not know better of others either.
            assert there.state("ann").status == "online"
            proxy.pass_requests.set()
            await until(lambda: ann.status("bob")[0] == "online", 30)


async def test_an_outage_of_the_broker_makes_nobody_offline(tmp_path: Path) -> None:
    broker = EmbeddedKafka(tmp_path / "kafka", heap="384m")
    await asyncio.to_thread(broker.start)
    try:
        settings = load(broker.access(), prefix="signals", partitions=1, feed_partitions=2)
        await kafka.ensure_topics(settings)
        async with node(settings) as here, node(settings) as there:
            ann, bob = connect(here, "ann"), connect(there, "bob")
            await until(lambda: ann.status("bob")[0] == bob.status("ann")[0] == "online")
            await asyncio.to_thread(broker.kill)
            away = asyncio.get_running_loop().time()
            await until(lambda: asyncio.get_running_loop().time() > away + 2 * TTL)
            assert ann.status("bob")[0] == bob.status("ann")[0] == "online"
            await asyncio.to_thread(broker.start)
            there.leave(bob.client)
            await until(lambda: ann.status("bob")[0] == "offline", 60)
            assert there.state("ann").status == "online"
    finally:
        await asyncio.to_thread(broker.kill)


async def test_a_departure_that_cannot_be_noted_is_tried_again_and_then_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("push.presence.last_seen._RETRY_SECONDS", 0.01)
    tried: list[str] = []

    async def note(user: str, moment: int) -> None:
        tried.append(user)
        if user == "never" or tried.count(user) < 3:
            raise RuntimeError("not now")

    seen = LastSeenWriter(note)
    await seen.start()
    for user in ("never", "late"):
        seen.add(Departure(user, 1))
    await until(lambda: tried.count("never") == 3 and tried.count("late") == 3)
    await seen.stop()
    assert len(tried) == 6
