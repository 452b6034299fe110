"""Kafka and Postgres are killed and come back; the projectors go on by themselves, nothing is lost or twice.
Tests ``projectors/core/runner.py``."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator

import asyncpg
import pytest
from aiokafka.errors import KafkaError

from infra.base import kafka, postgres
from infra.base.settings import Settings, load
from infra.embedded.kafka import EmbeddedKafka
from infra.embedded.postgres import EmbeddedPostgres
from producers.engine.log import OutcomeUnknown
from projectors.read_models.projector import ReadModels
from tests.given import Given, given
from tests.projectors.hearing import feed, producing, texts, until_heard
from tests.projectors.scenes import created, joined, posted
from tests.running import running, until

SCENE = [created("r", "ada"), joined("r", "ada"), joined("r", "bob")]


@pytest.fixture(scope="module")
async def broker(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedKafka]:
    found = EmbeddedKafka(tmp_path_factory.mktemp("outage") / "kafka")
    await asyncio.to_thread(found.start)
    yield found
    await asyncio.to_thread(found.kill)


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedPostgres]:
    found = EmbeddedPostgres(tmp_path_factory.mktemp("outage") / "postgres")
    await asyncio.to_thread(found.start)
    yield found
    await asyncio.to_thread(found.kill)
    found.remove()


@pytest.fixture
async def own(broker: EmbeddedKafka, server: EmbeddedPostgres) -> Settings:
    """An installation on parts that the test may kill."""
    name = f"t{secrets.token_hex(5)}"
    settings = load(broker.access(), postgres=server.dsn, prefix=name, schema=name, partitions=2, feed_partitions=2)
    await kafka.ensure_topics(settings)
    await postgres.install(settings)
    return settings


async def _append_again(writer: Given, seq: int, text: str) -> None:
    """Opens the shard as its owner would after an outage, however often it takes, then appends."""
    log = await writer.log(writer.shard("rooms", "r"))

    async def opened() -> bool:
        try:
            await log.open()
        except (OutcomeUnknown, KafkaError):
            return False
        return True

    await until(opened, "the shard is open again", 60)
    await writer.events(posted("r", "ada", seq, text))


async def _rows(settings: Settings) -> tuple[int, int]:
    connection = await asyncpg.connect(settings.postgres, server_settings=postgres.server_settings(settings))
    try:
        [row] = await connection.fetch(
            "select (select count(*) from changes where type = 'message.posted'), (select count(*) from messages)"
        )
        changes, messages = row
        return changes, messages
    finally:
        await connection.close()


async def test_a_killed_broker(own: Settings, broker: EmbeddedKafka) -> None:
    async with producing(own) as producer, given(own, *SCENE, posted("r", "ada", 1, "before")) as writer:
        models, feeder = ReadModels(own), feed(own, producer)
        async with running(models, feeder):
            await until_heard(own, "bob", "before")
            await asyncio.to_thread(broker.kill)
            await asyncio.to_thread(broker.start)
            await _append_again(writer, 2, "after")
            heard = await until_heard(own, "bob", "after")
            await writer.level()
    assert texts(heard, "bob") == ["before", "after"]
    assert await _rows(own) == (2, 2)


async def test_a_killed_postgres(own: Settings, server: EmbeddedPostgres) -> None:
    async with producing(own) as producer, given(own, *SCENE, posted("r", "ada", 1, "before")) as writer:
        models, feeder = ReadModels(own), feed(own, producer)
        async with running(models, feeder):
            await until_heard(own, "bob", "before")
            await writer.level()
            await asyncio.to_thread(server.kill)
            await writer.events(posted("r", "ada", 2, "meanwhile"))

            async def noticed() -> bool:
                return not models.health()["healthy"] and not feeder.health()["healthy"]

            await until(noticed, "both say that they cannot work")
            await asyncio.to_thread(server.start)
            heard = await until_heard(own, "bob", "meanwhile")
            await writer.level()

            async def recovered() -> bool:
                return bool(models.health()["healthy"] and feeder.health()["healthy"])

            await until(recovered, "both say that they work")
    assert texts(heard, "bob") == ["before", "meanwhile"]
    assert await _rows(own) == (2, 2)
