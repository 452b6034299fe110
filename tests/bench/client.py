"""Push connections at little cost: just enough of WebSocket and of the JSON protocol that the SDKs speak.

Frames that carry deltas are handed on as they are, undecoded: a generator that decodes is the bottleneck itself.
"""

from __future__ import annotations

import asyncio
import base64
import os
from asyncio import Future
from collections.abc import Callable
from time import perf_counter
from typing import Any, NamedTuple, TypeVar, cast

import msgspec

#: Called with the payload of a frame that carries deltas, the moment it has come.
Heard = Callable[[bytes], None]
_T = TypeVar("_T", bound="WebSocket")


class Reply(NamedTuple):
    """An answer, and when it came (``perf_counter``)."""

    at: float
    body: bytes


class RequestFailed(Exception):
    """A system answered with an error; the text is its answer."""


class WebSocket(asyncio.Protocol):
    """Handshake and frames (RFC 6455), without compression. Subclasses take payloads."""

    def __init__(self, host: str, path: str) -> None:
        self.bytes_in = self.bytes_out = 0
        #: Done when the connection can be used; fails when it cannot.
        self.connected: Future[None] = asyncio.get_running_loop().create_future()
        #: Why it ended; "" while it has not.
        self.ended = ""
        self._host = host
        self._path = path
        self._rest = b""
        self._upgraded = False
        self._transport: asyncio.Transport | None = None

    def upgraded(self) -> None:
        """The handshake is done."""
        raise NotImplementedError

    def took(self, payload: bytes) -> None:
        """A text frame."""
        raise NotImplementedError

    def lost(self, why: str) -> None:
        """The connection has ended."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none by inheritance.
        self._transport = cast("asyncio.Transport", transport)
        key = base64.b64encode(os.urandom(16)).decode()
        self._write(
            f"GET {self._path} HTTP/1.1\r\nHost: {self._host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        self.bytes_in += len(data)
        if self._rest:
            data = self._rest + data
            self._rest = b""
        if not self._upgraded:
            head, found, rest = data.partition(b"\r\n\r\n")
            if not found:
                self._rest = data
                return
            if not head.startswith(b"HTTP/1.1 101"):
                self._end(f"expected an upgrade, got {data[:300]!r}")
                return
            self._upgraded, data = True, rest
            self.upgraded()
        self._frames(data)

    def _frames(self, data: bytes) -> None:
        begin, end = 0, len(data)
        while end - begin >= 2:
            size, body = data[begin + 1], begin + 2
            if size > 125:
                body = begin + (4 if size == 126 else 10)
                if end < body:
                    break
                size = int.from_bytes(data[begin + 2 : body])
            stop = body + size
            if stop > end:
                break
            operation = data[begin] & 0x0F
            if operation == 1:
                self.took(data[body:stop])
            elif operation == 8:
                self._end(f"closed: {int.from_bytes(data[body : body + 2])} {data[body + 2 : stop].decode()}")
            elif operation == 9:
                self._frame(0x8A, data[body:stop])
            begin = stop
        if begin < end:
            self._rest = data[begin:]

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._end(f"the connection is lost: {error!r}")

    def close(self) -> None:
        """Drops the connection without a word."""
        if self._transport is not None:
            self._transport.abort()

    def text(self, payload: bytes) -> None:
        """Sends a text frame, masked with zeros, which is a mask too."""
        self._frame(0x81, payload)

    def _frame(self, first: int, payload: bytes) -> None:
        size = len(payload)
        if size < 126:
            head = bytes((first, 0x80 | size))
        elif size < 65536:
            head = bytes((first, 0xFE)) + size.to_bytes(2)
        else:
            head = bytes((first, 0xFF)) + size.to_bytes(8)
        self._write(head + bytes(4) + payload)

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self.bytes_out += len(data)
            self._transport.write(data)

    def _end(self, why: str) -> None:
        if self.ended:
            return
        self.ended = why
        self.lost(why)
        fail(self.connected, ConnectionError(why))


class Client(WebSocket):
    """One connection of the push protocol. It answers pings; deltas go to ``heard``, replies to who asked."""

    def __init__(self, host: str, token: str, heard: Heard, connect: dict[str, Any] | None = None) -> None:
        """``connect``: further members of the connect command, as ``{"subs": ...}`` of an SDK that comes back."""
        super().__init__(host, "/v1/connection")
        #: The reply to the connect command.
        self.welcome = b""
        self._heard = heard
        self._connect = {"token": token, **(connect or {})}
        self._key = base64.urlsafe_b64encode(os.urandom(9)).decode()
        self._id = 1
        self._waiting: dict[int, Future[Reply]] = {}

    def call(self, method: str, data: object) -> Future[Reply]:
        """Runs an operation. The future fails with RequestFailed, or ConnectionError."""
        self._id += 1
        future: Future[Reply] = asyncio.get_running_loop().create_future()
        if self.ended:
            future.set_exception(ConnectionError(self.ended))
            return future
        self._waiting[self._id] = future
        self.text(msgspec.json.encode({"id": self._id, "rpc": {"method": method, "data": data}}))
        return future

    def send(self, room: str, text: str) -> Future[Reply]:
        """See system.Sender."""
        token = f"{self._key}-{self._id}"
        return self.call("messages.send", {"room": room, "token": token, "type": "text", "content": {"text": text}})

    def upgraded(self) -> None:
        self.text(msgspec.json.encode({"id": 1, "connect": self._connect}))

    def took(self, payload: bytes) -> None:
        if payload.startswith(b'{"push"') and b'\n{"id"' not in payload:
            self._heard(payload)
        elif payload == b"{}":
            self.text(b"{}")
        else:
            for line in payload.split(b"\n"):
                if line.startswith(b'{"push"'):
                    self._heard(line)
                elif line.startswith(b'{"id":'):
                    self._answered(line)

    def _answered(self, line: bytes) -> None:
        comma = line.index(b",", 6)
        number, failed = int(line[6:comma]), line.startswith(b'"error"', comma + 1)
        if number == 1:
            self.welcome = line
            if failed:
                self._end(line.decode())
            elif not self.connected.done():
                self.connected.set_result(None)
            return
        future = self._waiting.pop(number)
        if future.done():
            return
        if failed:
            future.set_exception(RequestFailed(line.decode()))
        else:
            future.set_result(Reply(perf_counter(), line))

    def lost(self, why: str) -> None:
        for future in self._waiting.values():
            fail(future, ConnectionError(why))
        self._waiting.clear()


def fail(future: Future[Any], error: Exception) -> None:
    """Who waits for it is told; a connection that is dropped on purpose has nobody who waits."""
    if not future.done():
        future.set_exception(error)
        future.exception()


async def opened(make: Callable[[], _T], host: str, port: int) -> _T:
    """A connection that can be used. Raises ConnectionError, TimeoutError after a minute."""
    async with asyncio.timeout(60):
        _, made = await asyncio.get_running_loop().create_connection(make, host, port)
        await made.connected
    return made
