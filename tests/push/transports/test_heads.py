"""The heads of requests: exactly as large as they may be, in one packet or many, and targets in absolute form."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

import h11
import pytest

from infra.base.settings import Settings
from push.transports import heads
from tests.push.conftest import until
from tests.push.server import Running, serving, token
from tests.sockets import HANDSHAKE, Raw, command, frame, raw, websocket

GET = b"GET /v1/nowhere HTTP/1.1\r\nHost: 127.0.0.1\r\n"


@pytest.fixture
async def server(settings: Settings) -> AsyncIterator[Running]:
    async with serving(settings) as running:
        yield running


def of_size(size: int, begin: bytes = GET) -> bytes:
    """A head of this many bytes."""
    left = size - len(begin) - len(b"X-Long: \r\n\r\n")
    return begin + b"X-Long: " + b"x" * left + b"\r\n\r\n"


def of_lines(lines: int, begin: bytes = GET) -> bytes:
    """A head of so many lines between the first and the blank one."""
    return begin + b"X-A: b\r\n" * (lines - begin.count(b"\r\n") + 1) + b"\r\n"


async def _ends(client: Raw, what: str) -> None:
    reply = await client.reply()
    assert (reply.status, reply.code) == (431, "head_too_large"), what
    assert str(heads.BYTES).encode() in reply.body and str(heads.LINES).encode() in reply.body, what
    assert await client.end() == b"", what


_GOOD = {"bytes": of_size(heads.BYTES), "lines": of_lines(heads.LINES)}
_BAD = {
    "a byte more": of_size(heads.BYTES + 1),
    "a line more": of_lines(heads.LINES + 1),
    "100,000 bytes": of_size(100_000),
    "5,000 lines": of_lines(5000),
    "a method of 60,000 bytes": b"B" * 60_000 + GET,
    "a path of 60,000 bytes": GET.replace(b"nowhere", b"n" * 60_000) + b"\r\n",
    "a handshake of many lines": of_lines(heads.LINES + 1, HANDSHAKE[:-2]),
    "a handshake of many bytes": of_size(heads.BYTES + 1, HANDSHAKE[:-2]),
    "bare line feeds": of_lines(heads.LINES + 1).replace(b"\r\n", b"\n"),
    "no end": b"GET /v1/nowhere HTTP/1.1\r\nX-A: " + b"x" * heads.BYTES,
    "no end and many lines": b"GET /v1/nowhere HTTP/1.1\r\n" + b"X-A: b\r\n" * (heads.LINES + 2),
}


@pytest.mark.parametrize("before", ["", "pipelined"])
@pytest.mark.parametrize("pieces", [1, 2, 40])
async def test_a_head_is_as_large_as_it_may_be(server: Running, before: str, pieces: int) -> None:
    first = GET + b"\r\n" if before else b""

    def cut(head: bytes) -> list[bytes]:
        step = -(-len(first + head) // pieces)
        return [(first + head)[at : at + step] for at in range(0, len(first + head), step)]

    for what, head in (_GOOD | _BAD).items():
        if before and "handshake" in what:
            continue
        async with raw(server.port, *cut(head)) as client:
            if before:
                assert (await client.reply()).status == 404, what
            if what in _GOOD:
                assert (await client.reply()).status == 404, what
            else:
                await _ends(client, what)


def test_what_is_too_large_is_known_before_its_end() -> None:
    for head in _BAD.values():
        assert heads.too_large(head)
    for head in _GOOD.values():
        assert not any(heads.too_large(head[:size]) for size in range(0, len(head) + 1, 97))
        # What comes behind it is not of it.
        assert not heads.too_large(head) and not heads.too_large(head + b"\n" * 100_000)


def test_targets_in_absolute_form() -> None:
    def seen(target: bytes) -> tuple[bytes, bytes]:
        found = heads.in_origin_form(h11.Request(method=b"GET", target=target, headers=[(b"Host", b"a"), (b"X", b"y")]))
        assert dict(found.headers)[b"x"] == b"y" and len(found.headers) == 2
        return dict(found.headers)[b"host"], found.target

    assert seen(b"http://b:80/v1/x?y=1") == (b"b:80", b"/v1/x?y=1")
    assert seen(b"HTTPS://b") == (b"b", b"/") and seen(b"http://b?y=1") == (b"b", b"/?y=1")
    assert seen(b"http:///v1") == (b"", b"/v1") and seen(b"http://u@b/") == (b"u@b", b"/")
    for other in (b"/v1/x", b"*", b"ftp://b/", b"b:80", b"/http://b/", b"//b/x"):
        assert seen(other) == (b"a", other)


async def test_a_plain_request_where_a_handshake_is_needed(server: Running) -> None:
    plain = GET.replace(b"nowhere", b"connection")
    for lines in (b"", b"Upgrade: foo\r\n", b"Upgrade: foo\r\nConnection: Upgrade\r\n", b"Upgrade: websocket\r\n"):
        async with raw(server.port, plain + lines + b"\r\n") as client:
            reply = await client.reply()
            assert (reply.status, reply.code) == (426, "upgrade_required"), lines
            assert reply.headers["upgrade"] == "websocket" and "upgrade" in reply.headers["connection"], lines
    async with raw(server.port, plain.replace(b"GET", b"POST") + b"\r\n") as client:
        assert (await client.reply()).status == 405


_CLOSE = frame(8, (1000).to_bytes(2))
#: Frames behind a bad one in the same packet, which come when nothing may be written any more.
_BEHIND = {"nothing": b"", "a ping": frame(9), "a close": _CLOSE, "text": frame(1, b"\xff"), "a pong": frame(10)}


@pytest.mark.parametrize("connected", [False, True])
async def test_text_that_is_no_utf8_ends_a_connection_quietly(
    server: Running, caplog: pytest.LogCaptureFixture, connected: bool
) -> None:
    for what, behind in _BEHIND.items():
        async with websocket(server.port) as client:
            if connected:
                await client.send(command(id=1, connect={"token": token("ann")}))
                assert b'"connect"' in await client.reader.read(4000)
            await client.send(frame(1, b"\xff") + behind)
            assert (await client.closed())[0] == (1007 if what != "a close" else 1000), what
    assert [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING] == []


async def test_work_that_has_not_begun_is_dropped_with_its_connection(
    server: Running, caplog: pytest.LogCaptureFixture
) -> None:
    """A command and a close right behind the handshake: the loop's next turn has the end before the work."""
    connect = command(id=1, connect={"token": token("ann")})
    for sent in ([HANDSHAKE + connect + _CLOSE], [HANDSHAKE, connect + _CLOSE]):
        async with raw(server.port, *sent) as client:
            assert (await client.reply()).status == 101
            await client.end()
    # A coroutine that was never awaited is said when it is collected: pytest makes it an error.
    await until(lambda: not server.server.server_state.tasks)
    assert [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING] == []
