"""The WebSocket of a relay on a real server, and members who connect to it as browsers do."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from infra.base.settings import Settings
from infra.embedded.ports import free_port
from push.relay import websocket
from push.relay.core_service_pb2 import Message
from push.transports.ws import uvicorn_options
from tests.push.relay.relaying import PATIENCE, RelayServer


class _Server(uvicorn.Server):
    """Leaves the test runner's signal handlers alone."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def socketing(server: RelayServer, settings: Settings | None = None) -> AsyncIterator[int]:
    """The port on which the relay is served over WebSocket."""
    port = free_port()
    app = Starlette(routes=websocket.routes(server.relay))
    config = uvicorn.Config(
        app, host="127.0.0.1", port=port, log_config=None, lifespan="off", **uvicorn_options(settings or Settings())
    )
    found = _Server(config)
    serving = asyncio.create_task(found.serve())
    try:
        while not found.started:
            assert not serving.done(), "the server did not start"
            await asyncio.sleep(0.01)
        yield port
    finally:
        found.should_exit = True
        await serving


class SocketMember:
    """A client that has connected, and has shown nothing yet."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def show(self, token: str) -> dict[str, Any]:
        """Shows a token. Returns the server's first message."""
        await self.socket.send(token)
        return dict(json.loads(await self._next()))

    async def say(self, data: bytes, user_id: int = 0, timestamp: int = 0) -> None:
        await self.socket.send(Message(user_id=user_id, timestamp=timestamp, data=data).SerializeToString())

    async def received(self, count: int) -> list[Message]:
        """The next messages."""
        found = [await self._next() for _ in range(count)]
        assert all(isinstance(one, bytes) for one in found), found
        return [Message.FromString(one) for one in found]

    async def _next(self) -> Any:
        async with asyncio.timeout(PATIENCE):
            return await self.socket.recv()

    async def rest(self) -> list[Message]:
        """All until the connection ends."""
        found = []
        with contextlib.suppress(ConnectionClosed):
            while True:
                found.append(Message.FromString(await self._next()))
        return found

    async def ended(self) -> tuple[int, dict[str, Any]]:
        """Code and reason with which the server closes, after whatever else it has said."""
        await self.rest()
        return self.said()

    def said(self) -> tuple[int, dict[str, Any]]:
        """Code and reason with which the server has closed."""
        reason = self.socket.close_reason or ""
        assert len(reason.encode()) <= 123
        return self.socket.close_code or 0, json.loads(reason)


@asynccontextmanager
async def opened(port: int, channel: int | str = 1, **options: Any) -> AsyncIterator[SocketMember]:
    """A connection for a channel; ``options`` of the client's library."""
    url = f"ws://127.0.0.1:{port}/v1/channels/{channel}/connect"
    async with connect(url, compression=None, ping_interval=None, **options) as socket:
        yield SocketMember(socket)


@asynccontextmanager
async def socket_member(port: int, server: RelayServer, number: int, channel: int = 1) -> AsyncIterator[SocketMember]:
    """A member who is in."""
    async with opened(port, channel) as found:
        assert await found.show(server.issuer.token(number, channel)) == {"number": number, "channel": channel}
        yield found
