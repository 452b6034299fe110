"""Many push connections in one process at little cost: just enough of WebSocket, and counts of what comes."""

from __future__ import annotations

import asyncio
import base64
import os
from collections import Counter

import msgspec


class Client(asyncio.Protocol):
    """One connection. It answers pings, and counts frames and signals instead of keeping them."""

    def __init__(self, token: str, host: str) -> None:
        self.token = token
        self.connected: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        #: Frames and bytes that carried signals.
        self.frames = self.bytes = 0
        self.kinds: Counter[str] = Counter()
        self._host = host
        self._buffer = bytearray()
        self._upgraded = False
        self._transport: asyncio.Transport | None = None
        self._id = 1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(
            f"GET /v1/connection HTTP/1.1\r\nHost: {self._host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._upgraded:
            head, found, rest = self._buffer.partition(b"\r\n\r\n")
            if not found:
                return
            if not head.startswith(b"HTTP/1.1 101"):
                self._fail(f"expected an upgrade, got {bytes(head[:60])!r}")
                return
            self._upgraded = True
            self._buffer = rest
            self.write({"id": 1, "connect": {"token": self.token}})
        while (frame := self._frame()) is not None:
            self._take(*frame)

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._fail(f"the connection is lost: {error!r}")

    def call(self, method: str, data: object) -> None:
        """Run an operation; nobody waits for the answer."""
        self._id += 1
        self.write({"id": self._id, "rpc": {"method": method, "data": data}})

    def write(self, command: object) -> None:
        """Send one command, in a masked text frame (RFC 6455, 5.2); a mask of zeros is one too."""
        payload = msgspec.json.encode(command)
        size = len(payload)
        head = bytes((0x81, 0x80 | size)) if size < 126 else b"\x81\xfe" + size.to_bytes(2)
        if self._transport is not None:
            self._transport.write(head + bytes(4) + payload)

    def abort(self) -> None:
        """Drop the connection without a word."""
        if self._transport is not None:
            self._transport.abort()

    def _frame(self) -> tuple[int, bytes] | None:
        """The next whole frame: operation and payload."""
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        size, begin = buffer[1] & 0x7F, 2
        if size > 125:
            begin = 4 if size == 126 else 10
            if len(buffer) < begin:
                return None
            size = int.from_bytes(buffer[2:begin])
        if len(buffer) < begin + size:
            return None
        operation, payload = buffer[0] & 0x0F, bytes(buffer[begin : begin + size])
        del buffer[: begin + size]
        return operation, payload

    def _take(self, operation: int, payload: bytes) -> None:
        if operation == 8:
            self._fail(f"closed: {payload[2:].decode(errors='replace')}")
        elif payload == b"{}":
            self.write({})
        elif payload.startswith(b'{"push"'):
            found = 0
            for kind in ("presence", "typing", "watching"):
                count = payload.count(b'{"signal":"%s"' % kind.encode())
                self.kinds[kind] += count
                found += count
            if found:
                self.frames += 1
                self.bytes += len(payload)
        elif payload.startswith(b'{"id":1,"connect"') and not self.connected.done():
            self.connected.set_result(None)

    def _fail(self, why: str) -> None:
        if not self.connected.done():
            self.connected.set_exception(ConnectionError(why))
            # Who waits for it is told; a connection that is dropped on purpose has nobody who waits.
            self.connected.exception()


class Crowd:
    """Clients of one node."""

    def __init__(self, host: str, port: int, tokens: list[str]) -> None:
        self._host = host
        self._port = port
        self._tokens = tokens
        self.clients: list[Client] = []

    async def connect(self, at_once: int = 200) -> float:
        """Connect all, with so many handshakes under way; a refused one is tried again. Returns the seconds."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        slots = asyncio.Semaphore(at_once)
        self.clients = await asyncio.gather(*(self._one(token, slots) for token in self._tokens))
        return loop.time() - began

    async def _one(self, token: str, slots: asyncio.Semaphore) -> Client:
        loop = asyncio.get_running_loop()
        async with slots:
            while True:
                try:
                    async with asyncio.timeout(60):
                        _, client = await loop.create_connection(
                            lambda: Client(token, self._host), self._host, self._port
                        )
                        await client.connected
                        return client
                except (OSError, TimeoutError):
                    await asyncio.sleep(0.2)

    def drop(self) -> None:
        """Lose all connections at once."""
        for client in self.clients:
            client.abort()

    def counts(self) -> tuple[int, int, Counter[str]]:
        """Frames and bytes with signals, and signals by kind, over all clients."""
        kinds: Counter[str] = Counter()
        for client in self.clients:
            kinds += client.kinds
        return sum(client.frames for client in self.clients), sum(client.bytes for client in self.clients), kinds
