"""HTTP requests over one connection at little cost: one after the other, bodies with a length."""

from __future__ import annotations

import asyncio
import secrets
from asyncio import Future
from time import perf_counter
from typing import Any, cast

import msgspec

from tests.bench.client import Reply, RequestFailed, fail


class Http(asyncio.Protocol):
    """One kept connection. A request waits until the one before is answered: who wants more at once, opens more."""

    def __init__(self, host: str) -> None:
        self.bytes_in = self.bytes_out = 0
        self._host = host
        self._buffer = b""
        #: Bytes of the whole answer that is coming; 0 while its head is not known.
        self._wanted = 0
        self._head = b""
        self._waiting: Future[Reply] | None = None
        self._transport: asyncio.Transport | None = None

    @classmethod
    async def opened(cls, host: str, port: int) -> Http:
        """Connected. Raises OSError."""
        _, made = await asyncio.get_running_loop().create_connection(lambda: cls(f"{host}:{port}"), host, port)
        return made

    def request(self, method: str, path: str, body: Any = None, token: str = "") -> Future[Reply]:
        """Sends at once. The future fails with RequestFailed for an answer above 299, or ConnectionError."""
        assert self._waiting is None, "expected the answer to the request before it"
        future = self._waiting = asyncio.get_running_loop().create_future()
        if self._transport is None:
            self._fail("the connection is closed")
            return future
        content = b"" if body is None else msgspec.json.encode(body)
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self._host}"]
        if token:
            lines.append(f"Authorization: Bearer {token}")
        if content or method != "GET":
            lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
        data = "\r\n".join([*lines, "", ""]).encode() + content
        self.bytes_out += len(data)
        self._transport.write(data)
        return future

    async def json(self, method: str, path: str, body: Any = None, token: str = "") -> Any:
        """The decoded answer."""
        answer = await self.request(method, path, body, token)
        return msgspec.json.decode(answer.body) if answer.body else None

    def close(self) -> None:
        """Drops the connection."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none by inheritance.
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._fail(f"the connection is lost: {error!r}")

    def data_received(self, data: bytes) -> None:
        self.bytes_in += len(data)
        self._buffer += data
        if not self._wanted:
            head, found, _ = self._buffer.partition(b"\r\n\r\n")
            if not found:
                return
            self._head = head.lower()
            self._wanted = len(head) + 4 + self._length()
        if len(self._buffer) >= self._wanted:
            body = self._buffer[len(self._head) + 4 : self._wanted]
            self._buffer, self._wanted = self._buffer[self._wanted :], 0
            self._answer(body)

    def _length(self) -> int:
        """Bytes of the body; 0 where there is none (204)."""
        _, found, rest = self._head.partition(b"content-length:")
        return int(rest.partition(b"\r\n")[0]) if found else 0

    def _answer(self, body: bytes) -> None:
        future, self._waiting = self._waiting, None
        if future is None or future.done():
            return
        if self._head[9:10] == b"2":
            future.set_result(Reply(perf_counter(), body))
        else:
            future.set_exception(RequestFailed(f"{self._head[:12].decode()}: {body[:500].decode(errors='replace')}"))

    def _fail(self, why: str) -> None:
        future, self._waiting = self._waiting, None
        if future is not None:
            fail(future, ConnectionError(why))


class Poster:
    """Sends messages as one person over a connection of its own; see system.Sender."""

    def __init__(self, http: Http, path: str, token: str) -> None:
        """``path``: of a room's messages, with ``{room}`` in it."""
        self._http = http
        self._path = path
        self._token = token
        self._key = secrets.token_urlsafe(9)
        self._count = 0

    def send(self, room: str, text: str) -> Future[Reply]:
        """See system.Sender. One at a time."""
        self._count += 1
        body = {"token": f"{self._key}-{self._count}", "type": "text", "content": {"text": text}}
        return self._http.request("POST", self._path.format(room=room), body, self._token)

    def close(self) -> None:
        self._http.close()

    @property
    def bytes_in(self) -> int:
        return self._http.bytes_in

    @property
    def bytes_out(self) -> int:
        return self._http.bytes_out
