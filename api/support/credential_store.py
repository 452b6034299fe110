"""The vault: password hashes, and sealed secrets of applications. In a compacted topic of their own, not in events,
which are for ever and for analysts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec
from aiokafka import AIOKafkaProducer

from api.support.problems import Problem
from api.support.sealing import Sealer
from events.core.clock import uuid7
from infra.base import away, kafka
from infra.base.disk_watch import DiskWatch
from infra.base.postgres import Pool, queries
from infra.base.settings import Settings
from producers.commands import Refused, Unavailable
from producers.engine import storage

log = logging.getLogger(__name__)


class CredentialStore:
    """Writes to the topic ``secrets`` (key: credential id), then to Postgres, where log-ins look."""

    def __init__(self, settings: Settings, pool: Pool, disks: DiskWatch) -> None:
        self._topic = settings.topic("secrets")
        self._producer: AIOKafkaProducer = kafka.producer(settings)
        self._pool = pool
        self._disks = disks
        self.sealer = Sealer(settings)

    async def start(self) -> None:
        await kafka.start(self._producer)

    async def stop(self) -> None:
        await kafka.close(self._producer)

    async def put(self, hash: str, *, vital: bool = False) -> str:
        """Keeps a hash; returns the credential id that events name. A hash that nothing names does no harm.

        Raises Unavailable where there is no room for it; ``vital``: as of the command that names it.
        """
        id = uuid7()
        await self._write(id, hash=hash, vital=vital)
        return id

    async def _write(self, id: str, *, hash: str | None = None, sealed: str | None = None, vital: bool = False) -> None:
        storage.check(self._disks, vital=vital)
        value = {"hash": hash} if sealed is None else {"sealed": sealed}
        await self._producer.send_and_wait(self._topic, key=id.encode(), value=msgspec.json.encode(value))
        async with self._pool.acquire(timeout=5) as connection:
            await connection.execute(queries("vault")["put"], id, hash, sealed)

    @asynccontextmanager
    async def keeping(self, hash: str, *, vital: bool = False) -> AsyncIterator[str]:
        """Keeps a hash for a command that names it, and forgets it where the command did not happen."""
        async with self._named(await self.put(hash, vital=vital)) as id:
            yield id

    @asynccontextmanager
    async def keeping_sealed(self, secret: bytes, app: str) -> AsyncIterator[str]:
        """The same for a secret of an application."""
        id = uuid7()
        await self._write(id, sealed=self.sealer.seal(secret, id=id, app=app))
        async with self._named(id):
            yield id

    @asynccontextmanager
    async def _named(self, id: str) -> AsyncIterator[str]:
        try:
            yield id
        except (Refused, Unavailable, Problem) as error:
            # What may have happened may need it.
            if not (isinstance(error, Unavailable) and error.code == "unknown"):
                await self.remove(id)
            raise

    async def secret(self, id: str, app: str) -> bytes | None:
        """A secret of an application; None where the vault does not have it, any more or yet. Raises SealBroken."""
        async with self._pool.acquire(timeout=5) as connection:
            sealed = await connection.fetchval(queries("vault")["sealed"], id)
        return None if sealed is None else self.sealer.open(sealed, id=id, app=app)

    async def forget(self, ids: Sequence[str]) -> None:
        """Forgets many for good, but for their rows, which whoever asks removes. Raises what is away: some may be
        forgotten then, and it may be repeated."""
        sent = [await self._producer.send(self._topic, key=id.encode(), value=None) for id in ids]
        await asyncio.gather(*sent)

    async def remove(self, id: str) -> None:
        """Forgets what nothing names any more. Where a part is away it stays, and does no harm."""
        try:
            await self._producer.send_and_wait(self._topic, key=id.encode(), value=None)
            async with self._pool.acquire(timeout=5) as connection:
                await connection.execute(queries("vault")["remove"], id)
        except away.PARTS as error:
            log.warning("credential %s stays in the vault, although nothing names it: %r", id, error)
