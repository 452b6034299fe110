"""How the owner of a shard comes to know its command keys: old ones from Postgres in the background, and its own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from events.core.positions import Shard
from events.core.records import Record
from infra.base import away
from infra.base.postgres import Pool, queries
from infra.base.progress import READ_MODELS
from producers.batch.cache import ReceiptKey, receipt_key
from producers.batch.keys import KeyDigests

log = logging.getLogger(__name__)

#: Offsets of a shard up to which its keys are learnt: at most 4 bytes of memory for each. Beyond it, all are looked up.
INDEXED = 10_000_000
#: Offsets whose keys are learnt at once.
WINDOW = 250_000
#: Seconds until it is tried again, when Postgres is away.
_RETRY_SECONDS = 1.0


class IdempotencyIndex:
    """The keys of one shard. ``begin()`` when it opens, ``load()`` once it is open; ``stop()`` at the end."""

    def __init__(self, shard: Shard, pool: Pool, gate: asyncio.Semaphore) -> None:
        """``gate``: how many shards of a process learn at the same time."""
        self._shard = shard
        self._pool = pool
        self._gate = gate
        self._keys = KeyDigests()
        self._below = 0
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Forgets all: another owner may have written. From here on what is folded and appended is added."""
        self._end()
        self._keys = KeyDigests()

    def add(self, records: Sequence[Record]) -> None:
        """Takes what stands in the log from the offset on that ``load`` gets."""
        self._keys.add({receipt_key(record) for record in records})

    def load(self, below: int) -> None:
        """Begins to learn what stands below an offset, which the read models have."""
        self._end()
        self._below = below
        self._keys.mark_uncertain()
        if below <= INDEXED:
            self._task = asyncio.create_task(self._load(self._keys), name=f"keys of {self._shard}")

    def reload(self) -> None:
        """The rows were mended: there may be some that were not there."""
        self.load(self._below)

    def may_contain(self, key: ReceiptKey) -> bool:
        """Whether a command with this key may have happened."""
        return key in self._keys

    async def stop(self) -> None:
        task = self._task
        self._end()
        if task is not None:
            await asyncio.gather(task, return_exceptions=True)

    def _end(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _load(self, keys: KeyDigests) -> None:
        async with self._gate:
            while True:
                try:
                    await self._read(keys)
                except away.POSTGRES as error:
                    log.info("keys of shard %s are not learnt yet: %r", self._shard, error)
                    await asyncio.sleep(_RETRY_SECONDS)
                else:
                    return

    async def _read(self, keys: KeyDigests) -> None:
        sql, shard = queries("shard"), self._shard
        # First: what is no longer doubtful when it is asked for is among the changes when these are read.
        rows = await self._pool.fetch(sql["doubtful"], READ_MODELS, *shard)
        found = []
        for begin in range(0, self._below, WINDOW):
            found.append(await self._pool.fetchval(sql["keys"], *shard, begin, min(begin + WINDOW, self._below)))
        keys.load((part for part in found if part is not None), (row["stream"] for row in rows))
