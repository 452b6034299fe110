"""Raw sockets to a running server: bytes as a test writes them, and what comes back until the server closes."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

#: Seconds that a server gets to answer and to close.
PATIENCE = 20.0
HANDSHAKE = (
    b"GET /v1/connection HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class Reply(NamedTuple):
    """One HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        """The code of the problem document that it is. Fails for an answer that is none."""
        assert self.headers["content-type"] == "application/problem+json", self
        problem = json.loads(self.body)
        assert problem["status"] == self.status and problem["title"] and problem["detail"], problem
        assert problem["type"].startswith("urn:klatsch:problem:"), problem
        # The guard says it in the header too; servers of push alone have none.
        assert problem["request_id"] == self.headers.get("x-request-id", problem["request_id"]), self
        return str(problem["type"].removeprefix("urn:klatsch:problem:"))


class Raw:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def reply(self, *, body: bool = True) -> Reply:
        """The next HTTP answer with a length; without its body where it has none (HEAD)."""
        async with asyncio.timeout(PATIENCE):
            head = await self.reader.readuntil(b"\r\n\r\n")
            first, *lines = head.decode().strip().split("\r\n")
            headers = {}
            for line in lines:
                name, _, value = line.partition(":")
                headers[name.lower()] = value.strip()
            content = await self.reader.readexactly(int(headers.get("content-length", 0)) if body else 0)
        return Reply(int(first.split(" ")[1]), headers, content)

    async def end(self) -> bytes:
        """All that comes until the server closes. Fails when it does not."""
        async with asyncio.timeout(PATIENCE):
            return await self.reader.read()

    async def closed(self) -> tuple[int, str]:
        """Close code and reason of a WebSocket, the server's last words; other frames before it are passed over."""
        data = await self.end()
        while data:
            opcode, size = data[0] & 15, data[1]
            at = 2
            if size == 126:
                size, at = struct.unpack(">H", data[2:4])[0], 4
            elif size == 127:
                size, at = struct.unpack(">Q", data[2:10])[0], 10
            payload, data = data[at : at + size], data[at + size :]
            if opcode == 8:
                return int.from_bytes(payload[:2]), payload[2:].decode()
        raise AssertionError("the server closed without a close frame")


@asynccontextmanager
async def raw(port: int, *parts: bytes) -> AsyncIterator[Raw]:
    """A connection on which these bytes were sent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    connection = Raw(reader, writer)
    try:
        for part in parts:
            await connection.send(part)
        yield connection
    finally:
        writer.close()


@asynccontextmanager
async def websocket(port: int, *frames: bytes) -> AsyncIterator[Raw]:
    """The same as a WebSocket: behind the handshake, whose answer has been read."""
    async with raw(port, HANDSHAKE) as connection:
        assert (await connection.reply()).status == 101
        for one in frames:
            await connection.send(one)
        yield connection


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True) -> bytes:
    """A client's frame (RFC 6455 5.2), with a mask of zeros."""
    size = len(payload)
    length = bytes([0x80 | size]) if size < 126 else b"\xfe" + size.to_bytes(2)
    return bytes([(0x80 if fin else 0) | opcode]) + length + bytes(4) + payload


def command(**members: Any) -> bytes:
    """A command in a text frame."""
    return frame(1, json.dumps(members).encode())
