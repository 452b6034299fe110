"""What a client can take from a node before it has shown a token: frames, bytes, time, connections."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

import msgspec
import pytest

from infra.base.settings import Settings
from push.transports import refusals
from push.transports.door import Door, forwarded, network
from tests.push.server import Running, serving, token
from tests.running import until
from tests.sockets import HANDSHAKE, Raw, command, frame, raw, websocket

CLOSE, PING, PONG, TEXT, BINARY, CONTINUED = 8, 9, 10, 1, 2, 0


@pytest.fixture
async def server(settings: Settings) -> AsyncIterator[Running]:
    """A server with small bounds."""
    small = msgspec.structs.replace(
        settings, early_frames=20, early_bytes=4000, control_frames=10, head_seconds=0.5, body_seconds=0.5, strangers=5
    )
    async with serving(small) as running:
        yield running


async def connected(client: Raw) -> None:
    await client.send(command(id=1, connect={"token": token("ann")}))
    async with asyncio.timeout(10):
        while b'"connect"' not in await client.reader.read(4000):
            continue


#: What is sent before the connect command, and what is left of the reason.
_EARLY = {
    "pings": frame(PING) * 21,
    "pongs": frame(PONG) * 21,
    "one text in many parts": frame(TEXT, b"{", fin=False) + frame(CONTINUED, fin=False) * 20,
    "parts that hold a byte": frame(TEXT, b"{", fin=False) + frame(CONTINUED, b" ", fin=False) * 20,
    "bytes": frame(TEXT, b" " * 3000, fin=False) + frame(CONTINUED, b" " * 1100),
}


@pytest.mark.parametrize("sent", list(_EARLY.values()), ids=list(_EARLY))
async def test_before_the_connect_reply_frames_and_bytes_are_bounded(server: Running, sent: bytes) -> None:
    async with websocket(server.port, sent) as client:
        code, reason = await client.closed()
    # 3501: SDKs do not come back.
    assert (code, reason) == (3501, "bad request: too many frames or bytes before the connect reply")


async def test_a_flood_in_one_packet_is_not_read_to_its_end(server: Running) -> None:
    """The bound acts where frames are parsed: of ten thousand pings, only those below it get a pong."""
    async with websocket(server.port, frame(PING) * 10_000) as client:
        data = await client.end()
    assert data.count(b"\x8a\x00") <= 20 and data.endswith(b"before the connect reply")


@pytest.mark.parametrize("kind", ["pings", "pongs", "parts"])
async def test_control_frames_and_fragments_are_bounded_after_it_too(server: Running, kind: str) -> None:
    flood = {
        "pings": frame(PING) * 150,
        "pongs": frame(PONG) * 150,
        "parts": frame(TEXT, b"{", fin=False) + frame(CONTINUED, fin=False) * 150,
    }[kind]
    async with websocket(server.port) as client:
        await connected(client)
        await client.send(flood)
        assert await client.closed() == (3501, "bad request: too many control frames or fragments")


async def test_a_close_between_fragments_is_answered_with_its_code(server: Running) -> None:
    close = (1001).to_bytes(2) + b"bye"
    for parts in ([frame(TEXT, b"{", fin=False)], [frame(TEXT, b"{", fin=False), frame(CONTINUED, b" ", fin=False)]):
        async with websocket(server.port) as client:
            await connected(client)
            await client.send(b"".join(parts) + frame(CLOSE, close))
            assert await client.closed() == (1001, "bye")


async def test_what_clients_do_is_within_the_bounds(server: Running) -> None:
    """A command in parts with pings between, pongs unasked, and more commands than frames were allowed before."""
    async with websocket(server.port) as client:
        await connected(client)
        for number in range(2, 42):
            await client.send(command(id=number, ping={}))
        parts = [b'{"id":99,"r', b'pc":{"method":"e', b'cho","data":7}}']
        await client.send(frame(TEXT, parts[0], fin=False) + frame(PING, b"x") + frame(CONTINUED, parts[1], fin=False))
        await client.send(frame(PONG) + frame(CONTINUED, parts[2]))
        async with asyncio.timeout(10):
            got = await client.reader.readuntil(b'{"id":99,"rpc":{"data":7}}')
    assert got.count(b'"ping":{}') == 40 and b"\x8a\x01x" in got


async def test_frames_behind_the_head_wait_for_the_handshake(server: Running) -> None:
    """Also those that are no frames at all, which once ended as an AssertionError in the log."""
    async with raw(server.port, HANDSHAKE + frame(PING, b"early")) as client:
        assert (await client.reply()).status == 101
        async with asyncio.timeout(10):
            assert await client.reader.readexactly(7) == b"\x8a\x05early"
    async with raw(server.port, HANDSHAKE + b"GET / HTTP/1.1\r\n\r\n") as client:
        assert (await client.reply()).status == 101
        assert (await client.closed())[0] == 1002
    both = HANDSHAKE + command(id=1, connect={"token": token("ann")})
    async with raw(server.port, both[:40], both[40:]) as client:
        assert (await client.reply()).status == 101
        async with asyncio.timeout(10):
            await client.reader.readuntil(b'{"id":1,"connect"')


def _handshake(**changed: str | None) -> bytes:
    lines = {
        "Host": "127.0.0.1", "Upgrade": "websocket", "Connection": "Upgrade",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "13",
        **{name.replace("_", "-"): value for name, value in changed.items()},
    }  # fmt: skip
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value is not None)
    return b"GET /v1/connection HTTP/1.1\r\n" + head.encode() + b"\r\n"


_ODD: dict[str, tuple[bytes, int, str]] = {
    "no key": (_handshake(Sec_WebSocket_Key=None), 400, "malformed"),
    "a short key": (_handshake(Sec_WebSocket_Key="YQ=="), 400, "malformed"),
    "a key that is no base64": (_handshake(Sec_WebSocket_Key="?" * 24), 400, "malformed"),
    "two keys": (_handshake(Host="127.0.0.1\r\nSec-WebSocket-Key: YQ=="), 400, "malformed"),
    "no version": (_handshake(Sec_WebSocket_Version=None), 400, "malformed"),
    "version 8": (_handshake(Sec_WebSocket_Version="8"), 426, "upgrade_required"),
    "two versions": (_handshake(Sec_WebSocket_Version="13\r\nSec-WebSocket-Version: 13"), 400, "malformed"),
    "no Connection": (_handshake(Connection=None), 426, "upgrade_required"),
    "Connection: close": (_handshake(Connection="close"), 426, "upgrade_required"),
    "two upgrades": (_handshake(Upgrade="websocket\r\nUpgrade: websocket"), 426, "upgrade_required"),
    "a body": (_handshake(Content_Length="5") + b"hello", 400, "malformed"),
    "a body in chunks": (_handshake(Transfer_Encoding="chunked") + b"0\r\n\r\n", 400, "malformed"),
    "a long line": (_handshake(Cookie="x" * 9000), 431, "head_too_large"),
    "many lines": (_handshake(Cookie="x" + "\r\nX-A: b" * 200), 431, "head_too_large"),
    "a long path": (_handshake().replace(b"/v1/connection", b"/" + b"x" * 9000), 431, "head_too_large"),
    "a head without end": (b"GET /v1/connection HTTP/1.1\r\nX-A: " + b"x" * 40_000, 431, "head_too_large"),
    "a line without colon": (_handshake(Host="127.0.0.1\r\nnonsense"), 400, "malformed"),
    "POST": (_handshake().replace(b"GET", b"POST"), 400, "malformed"),
    "HTTP/1.0": (_handshake().replace(b"HTTP/1.1", b"HTTP/1.0"), 400, "malformed"),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "malformed"),
    "a path without WebSocket": (_handshake().replace(b"/v1/connection", b"/v1/stream"), 404, "not_found"),
    "an absolute address elsewhere": (_handshake().replace(b"/v1/", b"http://127.0.0.1/v2/"), 404, "not_found"),
    "bytes that are no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00" + bytes(500) + b"\r\n\r\n", 400, "malformed"),
    "two lengths in one": (b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 3, 4\r\n\r\nabc", 400, "malformed"),
    "length and coding": (
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400, "malformed",
    ),
}  # fmt: skip


async def test_an_odd_head_is_answered_and_the_connection_ends(
    server: Running, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        for name, (sent, status, code) in _ODD.items():
            for parts in ([sent], [sent[:20], sent[20:]]):
                async with raw(server.port, *parts) as client:
                    reply = await client.reply()
                    assert (reply.status, reply.code) == (status, code), (name, len(parts), reply)
                    assert reply.headers["x-content-type-options"] == "nosniff", name
                    assert reply.headers.get("sec-websocket-version") == ("13" if "version" in name else None), name
                    assert await client.end() == b"", name
    # Clients of a Kafka that another test has stopped may say so meanwhile.
    assert [one.getMessage() for one in caplog.records if not one.name.startswith("aiokafka")] == []


async def test_what_comes_too_slowly_is_answered_or_closed(server: Running) -> None:
    head = b"POST /v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    async with raw(server.port) as idle:
        assert await idle.end() == b""
    for name, sent in {
        "half a head": head,
        "half a handshake": HANDSHAKE[:50],
        "half the head of a second request": b"GET /v1/nowhere HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" + head,
    }.items():
        async with raw(server.port, sent) as client:
            if "second" in name:
                assert (await client.reply()).status == 404
            reply = await client.reply()
            assert (reply.status, reply.code) == (408, "too_slow"), name
            assert await client.end() == b"", name


async def test_a_body_that_stops_ends_the_connection(server: Running) -> None:
    """Here the answer is out before the body is there, so that there is nothing more to say."""
    head = b"POST /v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n"
    async with raw(server.port, head + b"half") as client:
        assert (await client.reply()).status == 405
        await client.end()


async def test_an_idle_connection_that_was_used_is_not_cut_by_the_bound_of_heads(server: Running) -> None:
    async with raw(server.port) as client:
        for _ in range(3):
            await client.send(b"GET /v1/nowhere HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert (await client.reply()).status == 404
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.7):
                    await client.reader.read(1)


async def test_connections_of_one_address_without_a_token_are_bounded(server: Running) -> None:
    held = [raw(server.port) for _ in range(3)] + [websocket(server.port) for _ in range(2)]
    clients = [await one.__aenter__() for one in held]
    async with raw(server.port) as client:
        reply = await client.reply()
        assert (reply.status, reply.code, reply.headers["retry-after"]) == (429, "rate_limited", "1")
        assert await client.end() == b""
    # Who shows a token no longer counts.
    await connected(clients[-1])
    async with raw(server.port, b"GET /v1/nowhere HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n") as client:
        assert (await client.reply()).status == 404
    for one in held:
        await one.__aexit__(None, None, None)
    await _let_in(server.port)
    for _ in range(10):
        async with websocket(server.port) as client:
            await connected(client)


async def test_all_connections_are_bounded(settings: Settings) -> None:
    async with serving(msgspec.structs.replace(settings, connections=2)) as server:
        async with websocket(server.port) as first:
            await connected(first)
            async with websocket(server.port) as second:
                await connected(second)
                async with raw(server.port) as client:
                    reply = await client.reply()
                    assert (reply.status, reply.code) == (503, "overloaded")
                    assert await client.end() == b""
        await _let_in(server.port)


async def _let_in(port: int) -> None:
    """Until the server has noticed that there is room again."""

    async def answered() -> bool:
        async with raw(port, b"GET /v1/nowhere HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n") as client:
            return (await client.reply()).status == 404

    await until(answered, "a connection is let in again")


async def test_behind_proxies_each_address_counts_for_itself(settings: Settings) -> None:
    one = msgspec.structs.replace(settings, proxies=1, strangers=2)

    def from_(address: str) -> bytes:
        return HANDSHAKE.replace(b"\r\n\r\n", b"\r\nX-Forwarded-For: 6.6.6.6, %s\r\n\r\n" % address.encode())

    async with (
        serving(one) as server,
        raw(server.port, from_("192.0.2.1")) as a,
        raw(server.port, from_("192.0.2.1")) as b,
    ):
        assert (await a.reply()).status == (await b.reply()).status == 101
        async with raw(server.port, from_("192.0.2.1")) as refused, raw(server.port, from_("192.0.2.2")) as other:
            assert (await refused.reply()).code == "rate_limited"
            assert (await other.reply()).status == 101


def test_only_the_entries_of_our_own_proxies_are_believed() -> None:
    headers = [(b"x-forwarded-for", b"6.6.6.6, 192.0.2.1:4711"), (b"x-forwarded-for", b"[2001:db8::7]:80")]
    headers += [(b"x-forwarded-proto", b"https"), (b"forwarded", b'for="[2001:db8::1]:4711";proto=http, for=192.0.2.9')]
    assert forwarded(headers, b"x-forwarded-for", 1) == ("2001:db8::7", "https")
    assert forwarded(headers, b"x-forwarded-for", 2) == ("192.0.2.1", "https")
    assert forwarded(headers, b"forwarded", 1) == ("192.0.2.9", None)
    assert forwarded(headers, b"forwarded", 2) == ("2001:db8::1", "http")
    assert forwarded([(b"x-forwarded-for", b"unknown")], b"x-forwarded-for", 1) == (None, None)
    assert forwarded([], b"x-forwarded-for", 1) == (None, None)


def test_one_line_of_ipv6_is_one_address() -> None:
    assert network("2001:db8:1:2:3:4:5:6") == network("2001:db8:1:2::1") == "2001:db8:1:2::/64"
    assert network("::ffff:192.0.2.1") == network("192.0.2.1") == "192.0.2.1"
    assert network("fe80::1%eth0") == "fe80::/64"


def test_one_address_never_takes_more_than_half(settings: Settings) -> None:
    assert Door(msgspec.structs.replace(settings, connections=10)).strangers == 5


def test_each_refusal_is_a_row_of_the_problems() -> None:
    from api.support.problems import PROBLEMS

    assert {code: (kind.status, kind.title) for code, kind in refusals.KINDS.items()} == {
        code: (PROBLEMS[code].status, PROBLEMS[code].title) for code in refusals.KINDS
    }
