"""The shared fixture: real parts, of the versions that the project names. Tests ``tests/parts.py``."""

from __future__ import annotations

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient

from infra.base.settings import Settings
from tests.parts import Parts


async def test_kafka_and_postgres_answer(parts: Parts) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=parts.kafka)
    await admin.start()
    try:
        assert "brokers" in await admin.describe_cluster()
    finally:
        await admin.close()
    connection = await asyncpg.connect(parts.postgres)
    try:
        assert connection.get_server_version().major == 18
    finally:
        await connection.close()


async def test_each_test_has_an_installation_of_its_own(settings: Settings) -> None:
    assert settings.prefix == settings.schema
    assert settings.prefix.startswith("t")
    assert len(settings.secret) == 64
