"""Scenarios that need much time at their real sizes, at tiny ones: that they find what they are to find."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from infra.base.settings import Settings
from tests.bench import talking
from tests.bench.scenarios import Options, catchup, connections, relay
from tests.bench.systems.own import Beside, Own
from tests.parts import Parts
from tests.push.drivers import build

OPTIONS = Options(quick=True, clients=12)


@pytest.fixture(scope="module")
async def own(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Own]:
    folder = tmp_path_factory.mktemp("bench")
    async with Own(
        Beside(Settings(kafka=parts.kafka, postgres=parts.postgres), {}), folder, partitions=2, feed_partitions=2
    ) as found:
        await found.start("project", "api")
        yield found


async def test_who_was_away_has_everything(own: Own, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catchup, "SHORT", 30)
    monkeypatch.setattr(catchup, "QUICK_LONG", 60)
    found = {figure.name: figure for figure in await catchup.run(own, OPTIONS)}
    for title in ("30 missed", "30 missed, before 60 of others", "60 missed"):
        assert found[f"{title}: last delta, p50"].median > 0
        assert found[f"{title}: last delta, bare socket, p50"].median > 0
        assert 200 < found[f"{title}: bytes a message"].median < 2000
        assert found[f"{title}: share from Kafka"].median == 0
        assert found[f"{title}: CPU of api, 1,000 messages"].median >= 0
    assert found["snapshot of 20 rooms: size"].median > 5


async def test_a_storm_of_connections_is_survived(own: Own) -> None:
    found = {figure.name: figure for figure in await connections.run(own, OPTIONS)}
    assert found["connects in a storm"].median > 0
    assert {"memory an idle connection, api", "CPU, 1,000 connects, api"} <= set(found)


async def test_members_of_live_channels_talk(own: Own, tmp_path: Path) -> None:
    build("members of live channels", ("go",), talking.FOLDER, talking.BUILD)
    found = {figure.name: figure for figure in await relay.measured(own, tmp_path, OPTIONS)}
    for way in ("gRPC", "WebSocket", "bare echo"):
        assert found[f"{way}: delivered"].median > 0
        assert found[f"{way}: sent → received, p50"].median > 0
        assert found[f"{way}: CPU of the server, 100,000 deliveries"].median > 0
    assert {"gRPC: CPU : bare echo", "WebSocket: CPU : bare echo"} <= set(found)
