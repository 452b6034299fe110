"""Which frames a connection takes, by what was said in its handshake, and that binary ones have the bounds of text.
Tests ``push/transports/ws.py``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import centrifuge.protocol.client_pb2 as sdk
import msgspec
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from infra.base.settings import Settings
from tests.push.protocol.test_protobuf import delimited, replies
from tests.push.server import Running, serving, token
from tests.sockets import HANDSHAKE, frame, raw

PROTOBUF = Subprotocol("centrifuge-protobuf")
JSON = Subprotocol("centrifuge-json")
BINARY, CONTINUED = 2, 0


@pytest.fixture
async def server(settings: Settings) -> AsyncIterator[Running]:
    """A server with small bounds."""
    small = msgspec.structs.replace(
        settings, early_frames=20, early_bytes=4000, control_frames=10, body_bytes=5000, ping_seconds=1
    )
    async with serving(small) as running:
        yield running


def speaking(server: Running, *subprotocols: Subprotocol, query: str = "") -> connect:
    offered: Sequence[Subprotocol] | None = subprotocols or None
    return connect(server.url + query, compression=None, subprotocols=offered)


async def opened(socket: ClientConnection) -> Any:
    """The connect reply."""
    await socket.send(delimited(sdk.Command(id=1, connect=sdk.ConnectRequest(token=token("ann")))))
    got = await asyncio.wait_for(socket.recv(), 10)
    assert isinstance(got, bytes)
    [reply] = replies(got)
    return reply.connect


async def closed(socket: ClientConnection) -> tuple[int, str]:
    """Code and reason with which the server closes."""
    async with asyncio.timeout(15):
        while True:
            try:
                await socket.recv()
            except ConnectionClosed:
                return socket.close_code or 0, socket.close_reason or ""


async def test_who_asks_for_protobuf_gets_it(server: Running) -> None:
    async with speaking(server, PROTOBUF, JSON) as socket:
        assert socket.subprotocol == PROTOBUF
        assert (await opened(socket)).subs["user:ann"].recoverable
    async with speaking(server, query="?cf_protocol=protobuf") as socket:
        assert socket.subprotocol is None
        assert (await opened(socket)).version == "klatsch"
    for offered in ((JSON,), (Subprotocol("graphql-ws"), JSON)):
        async with speaking(server, *offered) as socket:
            assert socket.subprotocol == JSON
            await socket.send('{"id":1,"connect":{"token":""}}')
            assert (await closed(socket))[0] == 3500
    async with speaking(server, Subprotocol("graphql-ws")) as socket:
        assert socket.subprotocol is None


async def test_frames_of_the_other_kind_are_refused_with_words(server: Running) -> None:
    async with speaking(server, PROTOBUF) as socket:
        await socket.send('{"id":1,"connect":{"token":"t"}}')
        assert await closed(socket) == (3501, "bad request: expected binary frames, got a text one")
    async with speaking(server) as socket:
        await socket.send(delimited(sdk.Command(id=1)))
        assert await closed(socket) == (3501, "bad request: expected text frames, got a binary one")
    async with speaking(server, PROTOBUF) as socket:
        await opened(socket)
        await socket.send("{}")
        assert await closed(socket) == (3501, "bad request: expected binary frames, got a text one")


async def test_what_is_no_protobuf_is_refused_with_words_after_what_came_before(server: Running) -> None:
    async with speaking(server, PROTOBUF) as socket:
        await opened(socket)
        good = delimited(sdk.Command(id=2, rpc=sdk.RPCRequest(method="echo", data=b"7")))
        await socket.send(good + b"\x02\xff\xff")
        got = await asyncio.wait_for(socket.recv(), 10)
        assert isinstance(got, bytes) and replies(got)[0].rpc.data == b"7"
        code, reason = await closed(socket)
        assert code == 3501 and "expected a protobuf message" in reason


async def test_pings_and_pongs(server: Running) -> None:
    async with speaking(server, PROTOBUF) as socket:
        await opened(socket)
        for _ in range(2):
            assert await asyncio.wait_for(socket.recv(), 10) == b"\x00"
            await socket.send(b"\x00")


async def test_the_bounds_of_frames_hold_for_binary_ones(server: Running) -> None:
    async with speaking(server, PROTOBUF) as socket:
        await opened(socket)
        # Commands, in one frame each, are no control frames: more than ten times ten at once are answered.
        for id in range(2, 202):
            await socket.send(delimited(sdk.Command(id=id, ping=sdk.PingRequest())))
        answered: list[int] = []
        async with asyncio.timeout(15):
            while len(answered) < 200:
                got = await socket.recv()
                assert isinstance(got, bytes)
                answered += [reply.id for reply in replies(got) if reply.id]
        assert answered == list(range(2, 202))
        await socket.send(b"\x00" * 5001)
        assert await closed(socket) == (3501, "bad request: expected a frame of at most 5000 bytes")
    async with speaking(server, PROTOBUF) as socket:
        await opened(socket)
        await socket.send(bytes(10_001))
        assert (await closed(socket))[0] == 1009


@pytest.mark.parametrize(
    "sent",
    [
        frame(BINARY, b"\x00", fin=False) + frame(CONTINUED, b"\x00", fin=False) * 20,
        frame(BINARY, bytes(3000), fin=False) + frame(CONTINUED, bytes(1100)),
    ],
    ids=["frames", "bytes"],
)
async def test_before_the_connect_reply_too(server: Running, sent: bytes) -> None:
    handshake = HANDSHAKE.replace(b"/v1/connection", b"/v1/connection?cf_protocol=protobuf")
    async with raw(server.port, handshake) as client:
        assert (await client.reply()).status == 101
        await client.send(sent)
        assert await client.closed() == (3501, "bad request: too many frames or bytes before the connect reply")


async def test_a_wrong_version_of_websocket_is_told_the_right_one(server: Running) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with connect(server.url, additional_headers={"Sec-WebSocket-Version": "8"}):
            pass
    assert refused.value.response.headers["Sec-WebSocket-Version"] == "13"
