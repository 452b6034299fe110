"""What a relay counts while members speak."""

from __future__ import annotations

import inspect

from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.registry import REGISTRY

from push.relay import metrics
from push.relay.core.limits import RelayLimits
from push.relay.grpc_transport import TICKET_METADATA
from tests.push.conftest import until
from tests.push.relay.relaying import member, refused, relaying


def figures() -> dict[str, float]:
    """Every figure of a relay, by name and the value of its one label."""
    found: dict[str, float] = {}
    for _, metric in inspect.getmembers(metrics, lambda one: isinstance(one, MetricWrapperBase)):
        for sample in next(iter(metric.collect())).samples:
            if not sample.name.endswith("_created"):
                found[" ".join((sample.name, *sample.labels.values()))] = sample.value
    return found


async def test_what_is_counted() -> None:
    before = figures()

    def more() -> dict[str, float]:
        return {name: value - before.get(name, 0) for name, value in figures().items() if value != before.get(name, 0)}

    async with relaying(RelayLimits(frames_second=2)) as server:
        async with member(server, 1) as one, member(server, 2) as two, member(server, 3) as three:
            assert more() == {"klatsch_relay_channels": 2, "klatsch_relay_members": 3}
            for _ in range(3):
                await one.say(b"twelve bytes")
            assert len(await two.received(2)) == len(await three.received(2)) == 2
            assert (await one.ended())[0] == "RESOURCE_EXHAUSTED"
            await refused(server)
            await refused(server, (TICKET_METADATA, server.issuer.token(4, channel=9)))
            assert more() == {
                "klatsch_relay_channels": 2,
                "klatsch_relay_members": 2,
                "klatsch_relay_frames_total": 2,
                "klatsch_relay_deliveries_total": 4,
                # Of each frame: 12 of its data, and 4 before it.
                "klatsch_relay_bytes_total": 4 * 16,
                "klatsch_relay_ends_total rate_limited": 1,
                "klatsch_relay_ends_total channel_token_invalid": 1,
                "klatsch_relay_ends_total channel_elsewhere": 1,
            }
        await until(lambda: not server.members())
    left = more()
    assert "klatsch_relay_members" not in left and "klatsch_relay_channels" not in left


def test_they_are_all_served() -> None:
    names = {metric.name for metric in REGISTRY.collect()}
    assert {"klatsch_relay_frames", "klatsch_relay_dropped", "klatsch_relay_members"} <= names
