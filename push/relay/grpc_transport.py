"""ChatService.Connect: the transport of members who come by gRPC."""

from __future__ import annotations

from typing import Any

import grpc.aio

from push.relay import metrics
from push.relay.core.endings import Ending, unauthenticated
from push.relay.core.relay_channel import RelayMember
from push.relay.guard import DROPPED_METADATA, Context, abort
from push.relay.member_stream import TransportLost
from push.relay.relay import Relay

#: Metadata of an answer to Listen, and of a call of Connect.
TICKET_METADATA = "channel-token"
#: Initial metadata of Connect, sent when the member is in: their number.
NUMBER_METADATA = "user-number"


class GrpcTransport:
    """Implements MemberTransport over one call, of bytes."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def welcome(self, member: RelayMember) -> None:
        try:
            await self._context.send_initial_metadata(((NUMBER_METADATA, str(member.number)),))
        except grpc.aio.BaseError as error:
            raise TransportLost("the call is over") from error

    async def read(self) -> bytes | None:
        try:
            raw: Any = await self._context.read()
        except grpc.aio.BaseError as error:
            raise TransportLost("the call is over") from error
        return None if raw is grpc.aio.EOF else raw

    async def write(self, frame: bytes) -> None:
        try:
            await self._context.write(frame)
        except grpc.aio.BaseError as error:
            raise TransportLost("the call is over") from error

    async def end(self, ending: Ending, dropped: int) -> None:
        """Raises AbortError unless the member has quit."""
        if ending.status != "OK":
            await abort(self._context, ending, dropped)
        metrics.ENDS.labels(ending.type).inc()
        self._context.set_trailing_metadata(((DROPPED_METADATA, str(dropped)),))


async def connect(relay: Relay, context: Context) -> None:
    """One call of Connect. Raises RelayRefused, AbortError."""
    await relay.serve(_token(context), GrpcTransport(context))


def _token(context: Context) -> str:
    tokens = [value for key, value in context.invocation_metadata() or () if key == TICKET_METADATA]
    if len(tokens) != 1:
        raise unauthenticated(f"expected one {TICKET_METADATA} in the metadata, got {len(tokens)}")
    (token,) = tokens
    if not isinstance(token, str):
        raise unauthenticated(f"{TICKET_METADATA}: expected text, got {len(token)} bytes")
    return token
