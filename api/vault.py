"""The vault: password hashes. In a compacted topic of their own, not in events, which are for ever and for analysts."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from aiokafka import AIOKafkaProducer

from api.problems import Problem
from events.clock import uuid7
from infra import away, kafka
from infra.postgres import queries
from infra.settings import Settings
from producers.commands import Refused, Unavailable

log = logging.getLogger(__name__)


class Vault:
    """Writes hashes to the topic ``secrets`` (key: credential id), then to Postgres, where log-ins look."""

    def __init__(self, settings: Settings, pool: Any) -> None:
        self._topic = settings.topic("secrets")
        self._producer: AIOKafkaProducer = kafka.producer(settings)
        self._pool = pool

    async def start(self) -> None:
        await kafka.start(self._producer)

    async def stop(self) -> None:
        await self._producer.stop()

    async def put(self, hash: str) -> str:
        """Keeps a hash; returns the credential id that events name. A hash that nothing names does no harm."""
        id = uuid7()
        await self._producer.send_and_wait(self._topic, key=id.encode(), value=msgspec.json.encode({"hash": hash}))
        async with self._pool.acquire(timeout=5) as connection:
            await connection.execute(queries("vault")["put"], id, hash)
        return id

    @asynccontextmanager
    async def keeping(self, hash: str | None) -> AsyncIterator[str | None]:
        """Keeps a hash for a command that names it, and forgets it where the command did not happen."""
        id = None if hash is None else await self.put(hash)
        try:
            yield id
        except (Refused, Unavailable, Problem) as error:
            # What may have happened may need it.
            if id is not None and not (isinstance(error, Unavailable) and error.code == "unknown"):
                await self.remove(id)
            raise

    async def remove(self, id: str) -> None:
        """Forgets a hash that nothing names any more. Where a part is away it stays, and does no harm."""
        try:
            await self._producer.send_and_wait(self._topic, key=id.encode(), value=None)
            async with self._pool.acquire(timeout=5) as connection:
                await connection.execute(queries("vault")["remove"], id)
        except away.PARTS as error:
            log.warning("the password hash %s stays, although nothing names it: %r", id, error)
