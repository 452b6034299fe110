"""Snapshots in the stream: for a client whose place was lost, the first page of one as a publication."""

from __future__ import annotations

import asyncio

import msgspec

from push.delivery.bounds import FeedUnavailable
from push.delivery.hub import Hub
from push.protocol.backend import Backend, ConnectionIdentity
from push.protocol.items import FeedDelta

#: Snapshots that are made at once on a node: each is many reads, and lost places come in crowds.
AT_ONCE = 8


class _SnapshotStart(msgspec.Struct):
    cursor: int
    epoch: str


_place = msgspec.json.Decoder(_SnapshotStart)


class Snapshots:
    """Asks the backend for snapshots, a few at a time."""

    def __init__(self, hub: Hub, backend: Backend) -> None:
        self._hub = hub
        self._backend = backend
        self._slots = asyncio.Semaphore(AT_ONCE)
        #: By user, while it is made: all of somebody's connections share one, so that nobody has more than a turn.
        self._making: dict[str, asyncio.Task[FeedDelta]] = {}

    async def take(self, identity: ConnectionIdentity) -> FeedDelta:
        """The publication ``{"type": "snapshot", "data": <GET /v1/sync>}`` at the snapshot's own cursor.

        Raises Unavailable when the snapshot is of another epoch than the feed that this node reads, and what the
        backend raises.
        """
        making = self._making.get(identity.user)
        if making is None:
            making = self._making[identity.user] = asyncio.create_task(self._make(identity))
            making.add_done_callback(lambda task: self._made(identity.user, task))
        # Who gives up waiting takes it from nobody else.
        return await asyncio.shield(making)

    def _made(self, user: str, task: asyncio.Task[FeedDelta]) -> None:
        del self._making[user]
        if not task.cancelled():
            # Perhaps nobody waits for it any more.
            task.exception()

    async def _make(self, identity: ConnectionIdentity) -> FeedDelta:
        async with self._slots:
            data = await self._backend.snapshot(identity)
        place = _place.decode(data)
        if place.epoch != self._hub.epoch:
            raise FeedUnavailable(f"expected a snapshot of epoch {self._hub.epoch}, got one of {place.epoch}")
        return FeedDelta(place.cursor, b'{"type":"snapshot","data":%s}' % data)
