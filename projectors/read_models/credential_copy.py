"""The vault's copy in Postgres: what the compacted topic ``secrets`` holds, should Postgres have lost it.

The API writes both; this follows the topic so that a new, empty Postgres gets them back.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any, ClassVar

import msgspec
from aiokafka import TopicPartition

from infra.base import kafka, postgres
from projectors.core.runner import Projector

#: Milliseconds that a look at the topic waits for more.
_POLL_MS = 500


class _Secret(msgspec.Struct, frozen=True):
    """One of both."""

    hash: str | None = None
    sealed: str | None = None


class CredentialCopy(Projector):
    """Copies credentials; a null value (tombstone) removes one. Starts from the topic's beginning: it is compacted."""

    name: ClassVar[str] = "vault"
    effects: ClassVar[str] = ""

    def lag(self) -> dict[Any, int]:
        return {}

    async def session(self) -> None:
        async with AsyncExitStack() as stack:
            connection = await postgres.connect(self.settings)
            stack.callback(connection.terminate)
            consumer = kafka.consumer(self.settings, fetch_max_wait_ms=_POLL_MS)
            await kafka.start(consumer)
            stack.push_async_callback(kafka.close, consumer)
            partitions = [
                TopicPartition(self.settings.topic("secrets"), number) for number in range(self.settings.partitions)
            ]
            consumer.assign(partitions)
            for partition, offset in (await consumer.beginning_offsets(partitions)).items():
                consumer.seek(partition, offset)
            while not self.stopping:
                batches = await consumer.getmany(timeout_ms=_POLL_MS)
                self.working()
                for records in batches.values():
                    await self._copy(connection, records)

    async def _copy(self, connection: postgres.Connection, records: Any) -> None:
        sql = postgres.queries("vault")
        kept: dict[str, _Secret | None] = {}
        for record in records:
            secret = None if record.value is None else msgspec.json.decode(record.value, type=_Secret)
            kept[record.key.decode()] = secret
        async with connection.transaction():
            put = [(id, one.hash, one.sealed) for id, one in kept.items() if one is not None]
            await connection.executemany(sql["put"], put)
            await connection.executemany(sql["remove"], [(id,) for id, one in kept.items() if one is None])
