"""The stream of one member over any transport: one task reads, one writes, and the call itself waits for the end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from events.core.errors import KlatschError
from push.relay import metrics
from push.relay.core.endings import QUIT, Ending, RelayRefused
from push.relay.core.relay_channel import RelayMember
from push.relay.faults import fault


class TransportLost(KlatschError):
    """The connection is gone: nothing more can be read or written."""


class MemberTransport(Protocol):
    """One connection of a member. Reading and writing go on at once, each by one task."""

    async def welcome(self, member: RelayMember) -> None:
        """Tells the member that they are in, and their number. The first call, made once. Raises TransportLost."""
        ...

    async def read(self) -> bytes | None:
        """The next frame as the member sends it; None: they have quit. Raises TransportLost, and RelayRefused for what
        is no frame."""
        ...

    async def write(self, frame: bytes) -> None:
        """Sends a frame, and returns when the next one can be taken. Raises TransportLost."""
        ...

    async def end(self, ending: Ending, dropped: int) -> None:
        """Tells the member why it ends, and how many frames they have lost. The last call; may raise what ends the
        call in the transport's own way."""
        ...


class MemberStream:
    """Of one member, who has joined."""

    def __init__(
        self, transport: MemberTransport, member: RelayMember, taken: Callable[[RelayMember, bytes], None],
        left: Callable[[RelayMember], None], linger: float,
    ) -> None:  # fmt: skip
        """``taken``: takes what the member sends, and raises RelayRefused. ``left``: told once, when it ends.
        ``linger``: seconds to take what waits, at the end."""
        self._transport = transport
        self._member = member
        self._taken = taken
        self._left = left
        self._linger = linger
        loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[Ending] = loop.create_future()
        self._idle: asyncio.Future[None] | None = None

    def wake(self) -> None:
        """Something waits in the member's queue."""
        if self._idle is not None and not self._idle.done():
            self._idle.set_result(None)

    def end(self, ending: Ending) -> None:
        """The member has left, and is told why; the first reason counts."""
        if not self._ended.done():
            self._ended.set_result(ending)
            self._left(self._member)

    async def run(self) -> None:
        """Until the end. Raises what the transport's ``end`` raises, CancelledError when the transport is lost."""
        reader, writer = asyncio.create_task(self._read()), asyncio.create_task(self._write())
        try:
            ending = await asyncio.shield(self._ended)
            reader.cancel()
            self.wake()
            await asyncio.wait({writer}, timeout=self._linger)
        finally:
            # Neither may begin an operation once the call is over: gRPC frees it. A write that is under way still gets
            # out, before the status.
            self.end(QUIT)
            reader.cancel()
            writer.cancel()
            await asyncio.wait({reader, writer})
            metrics.DROPPED.inc(self._member.queue.clear())
        await self._transport.end(ending, self._member.queue.dropped)

    async def _read(self) -> None:
        try:
            while (raw := await self._transport.read()) is not None:
                self._taken(self._member, raw)
            self.end(QUIT)
        except RelayRefused as refused:
            self.end(refused.ending)
        except TransportLost:
            self.end(QUIT)
        except Exception as error:
            self.end(fault(error))

    async def _write(self) -> None:
        queue, write, loop = self._member.queue, self._transport.write, asyncio.get_running_loop()
        try:
            while True:
                while queue:
                    await write(queue.take())
                if self._ended.done():
                    return
                self._idle = loop.create_future()
                await self._idle
                self._idle = None
        except TransportLost:
            self.end(QUIT)
        except Exception as error:
            self.end(fault(error))
