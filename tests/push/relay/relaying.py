"""A relay on a real gRPC server, channel tokens for it, and members who connect."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
import jwt

from push.relay.core.limits import RelayLimits
from push.relay.core.member_queue import MemberQueue
from push.relay.core.tickets import ChannelTicket, TicketRefused
from push.relay.core_service_pb2 import Message
from push.relay.grpc_transport import NUMBER_METADATA, TICKET_METADATA
from push.relay.options import options
from push.relay.relay import Relay
from push.relay.service import handlers

SECRET = "0123456789abcdef" * 4
PROOF = "a proof of this installation"
SERVER = "relay-1"
#: Seconds that anything may take on a busy machine.
PATIENCE = 30.0


class Issuer:
    """Makes and reads channel tokens with the claims that Listen's have."""

    def __init__(self) -> None:
        self._versions = itertools.count(1)

    def token(self, user: int, channel: int = 1, secret: str = SECRET, **changes: Any) -> str:
        """A token of the user with this number."""
        version = next(self._versions)
        claims = {
            "sub": f"user-{user}", "username": f"name{user}", "num": user, "channel": channel, "server": SERVER,
            "prev": "", "ver": version, "timestamp": time.time(), "jti": f"ticket-{version}",
            "sid": f"session-{user}",
        }  # fmt: skip
        return jwt.encode(claims | changes, secret, "HS256")

    def read(self, token: str) -> ChannelTicket:
        try:
            claims = jwt.decode(token, SECRET, ["HS256"])
        except jwt.InvalidTokenError as error:
            raise TicketRefused(f"expected a channel token of this installation, got one that fails: {error}") from None
        return ChannelTicket(
            claims["sub"], claims["username"], claims["num"], claims["channel"], claims["server"], claims["prev"],
            claims["ver"], claims["jti"], claims["timestamp"], claims["sid"],
        )  # fmt: skip


class RelayServer:
    """A relay that serves at ``address``; who joined and left, in order, in ``told``."""

    def __init__(self, limits: RelayLimits | None = None) -> None:
        self.issuer = Issuer()
        self.told: list[tuple[str, str]] = []
        self.relay = Relay(
            SERVER, self.issuer, limits,
            on_join=lambda ticket: self.told.append(("joined", ticket.username)),
            on_leave=lambda ticket: self.told.append(("left", ticket.username)),
        )  # fmt: skip
        self.address = ""

    def queue_of(self, number: int) -> MemberQueue:
        """What waits for a member."""
        return self.relay._state.users[f"user-{number}"].queue

    def members(self, channel: int = 1) -> list[int]:
        """The numbers of who is in a channel."""
        return [
            ticket.number for one in self.relay.served() if one.id == channel for ticket in one.members
        ]  # fmt: skip


@asynccontextmanager
async def relaying(limits: RelayLimits | None = None, **more: float) -> AsyncIterator[RelayServer]:
    """A server with a channel 1 of 25 members and a channel 2 of 2. ``more``: of its options."""
    found = RelayServer(limits)
    server = grpc.aio.server(options=list(options(found.relay.limits, **more).items()))
    server.add_generic_rpc_handlers(handlers(found.relay, PROOF))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    found.address = f"127.0.0.1:{port}"
    found.relay.start()
    found.relay.add(1, "one", 25)
    found.relay.add(2, "two", 2)
    try:
        yield found
    finally:
        await found.relay.stop()
        await server.stop(1)


class ChatMember:
    """A client of Connect with a connection of its own."""

    def __init__(self, address: str, metadata: Sequence[tuple[str, str]]) -> None:
        # Else connections of one process to one address are shared.
        self.connection = grpc.aio.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)])
        connect = self.connection.stream_stream(
            "/ChatService/Connect",
            request_serializer=Message.SerializeToString,
            response_deserializer=Message.FromString,
        )
        self.call: Any = connect(metadata=metadata, timeout=PATIENCE * 4)

    async def joined(self) -> str:
        """Until the member is in. Returns the number that the server says."""
        async with asyncio.timeout(PATIENCE):
            return str(dict(await self.call.initial_metadata())[NUMBER_METADATA])

    async def say(self, data: bytes, user_id: int = 0, timestamp: int = 0) -> None:
        await self.call.write(Message(user_id=user_id, timestamp=timestamp, data=data))

    async def received(self, count: int) -> list[Message]:
        """The next messages; fewer when the stream ends."""
        found: list[Message] = []
        async with asyncio.timeout(PATIENCE):
            while len(found) < count and (message := await self.call.read()) is not grpc.aio.EOF:
                found.append(message)
        return found

    async def rest(self) -> list[Message]:
        """All until the stream ends, whatever its status."""
        found: list[Message] = []
        try:
            async with asyncio.timeout(PATIENCE):
                while (message := await self.call.read()) is not grpc.aio.EOF:
                    found.append(message)
        except grpc.aio.AioRpcError:
            pass  # The status says it: ``ended``.
        return found

    async def ended(self) -> tuple[str, str]:
        """Name and sentence of the status, once there is one."""
        async with asyncio.timeout(PATIENCE):
            return (await self.call.code()).name, await self.call.details()

    async def trailing(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE):
            return dict(await self.call.trailing_metadata())


@asynccontextmanager
async def member(
    server: RelayServer, number: int, channel: int = 1, *, token: str | None = None
) -> AsyncIterator[ChatMember]:
    """A member who is in."""
    found = ChatMember(
        server.address, ((TICKET_METADATA, token or server.issuer.token(number, channel)),)
    )  # fmt: skip
    try:
        assert await found.joined() == str(number)
        yield found
    finally:
        found.call.cancel()
        await found.connection.close()


async def refused(server: RelayServer, *metadata: tuple[str, str]) -> tuple[str, str]:
    """The status of a Connect that does not come to be."""
    found = ChatMember(server.address, metadata)
    try:
        return await found.ended()
    finally:
        await found.connection.close()
