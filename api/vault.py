"""The vault: password hashes. In a compacted topic of their own, not in events, which are for ever and for analysts."""

from __future__ import annotations

from typing import Any

import msgspec
from aiokafka import AIOKafkaProducer

from events.clock import uuid7
from infra import kafka
from infra.postgres import queries
from infra.settings import Settings


class Vault:
    """Writes hashes to the topic ``secrets`` (key: credential id), then to Postgres, where log-ins look."""

    def __init__(self, settings: Settings, pool: Any) -> None:
        self._topic = settings.topic("secrets")
        self._producer: AIOKafkaProducer = kafka.producer(settings)
        self._pool = pool

    async def start(self) -> None:
        await self._producer.start()

    async def stop(self) -> None:
        await self._producer.stop()

    async def put(self, hash: str) -> str:
        """Keeps a hash; returns the credential id that events name. A hash that nothing names does no harm."""
        id = uuid7()
        await self._producer.send_and_wait(self._topic, key=id.encode(), value=msgspec.json.encode({"hash": hash}))
        async with self._pool.acquire(timeout=5) as connection:
            await connection.execute(queries("vault")["put"], id, hash)
        return id
