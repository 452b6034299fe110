"""The stream of one member: one task reads, one writes, and the call itself waits for the end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import grpc.aio

from push.relay import metrics
from push.relay.core.endings import QUIT, Ending, RelayRefused
from push.relay.core.relay_channel import RelayMember
from push.relay.guard import DROPPED_METADATA, Context, abort, fault


class MemberStream:
    """Of one call to Connect, which has joined."""

    def __init__(
        self, context: Context, member: RelayMember, taken: Callable[[RelayMember, bytes], None],
        left: Callable[[RelayMember], None], linger: float,
    ) -> None:  # fmt: skip
        """``taken``: takes what the member sends, and raises RelayRefused. ``left``: told once, when it ends.
        ``linger``: seconds to take what waits, at the end."""
        self._context = context
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
        """Until the end. Raises AbortError unless the member has quit, CancelledError when the transport is lost."""
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
        dropped = self._member.queue.dropped
        if ending.status != "OK":
            await abort(self._context, ending, dropped)
        metrics.ENDS.labels(ending.type).inc()
        self._context.set_trailing_metadata(((DROPPED_METADATA, str(dropped)),))

    async def _read(self) -> None:
        try:
            while (raw := await self._context.read()) is not grpc.aio.EOF:
                self._taken(self._member, raw)
            self.end(QUIT)
        except RelayRefused as refused:
            self.end(refused.ending)
        except grpc.aio.BaseError:
            self.end(QUIT)
        except Exception as error:
            self.end(fault(error))

    async def _write(self) -> None:
        queue, write, loop = self._member.queue, self._context.write, asyncio.get_running_loop()
        try:
            while True:
                while queue:
                    await write(queue.take())
                if self._ended.done():
                    return
                self._idle = loop.create_future()
                await self._idle
                self._idle = None
        except grpc.aio.BaseError:
            # The transport is lost: nothing more can be written.
            self.end(QUIT)
        except Exception as error:
            self.end(fault(error))
