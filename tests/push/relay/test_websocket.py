"""Members of a channel over WebSocket, alone and with others who come by gRPC."""

from __future__ import annotations

import asyncio
import json
import logging
import socket as sockets
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import msgspec
import pytest

from infra.base.settings import Settings
from push.relay import websocket
from push.relay.core.frames import relayed
from push.relay.core.limits import RelayLimits
from push.relay.core_service_pb2 import Message
from tests.push.conftest import until
from tests.push.relay.relaying import RelayServer, member, relaying
from tests.push.relay.socketing import SocketMember, opened, socket_member, socketing
from tests.sockets import Raw, frame, raw

# Each starts a server.
pytestmark = pytest.mark.long

HANDSHAKE = (
    b"GET /v1/channels/1/connect HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


@pytest.fixture
async def server() -> AsyncIterator[RelayServer]:
    async with relaying() as found:
        yield found


@pytest.fixture
async def port(server: RelayServer) -> AsyncIterator[int]:
    async with socketing(server) as found:
        yield found


async def refused(port: int, token: str, channel: int | str = 1) -> tuple[int, str, str]:
    """Code, type and detail with which a connection ends that shows this token."""
    async with opened(port, channel) as one:
        await one.socket.send(token)
        code, said = await one.ended()
        assert said["dropped"] == 0
        return code, said["type"], said["detail"]


async def test_members_of_both_transports_hear_each_other_in_one_order(server: RelayServer, port: int) -> None:
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(socket_member(port, server, 1))
        two = await stack.enter_async_context(socket_member(port, server, 2))
        three = await stack.enter_async_context(member(server, 3))
        assert server.members() == [1, 2, 3]
        for place in range(20):
            await one.say(b"a%d" % place, timestamp=place)
            await three.say(b"c%d" % place, user_id=3)
        heard = await two.received(40)
        assert [each.data for each in heard if each.user_id == 1] == [b"a%d" % place for place in range(20)]
        assert [each.data for each in heard if each.user_id == 3] == [b"c%d" % place for place in range(20)]
        assert [each.timestamp for each in heard if each.user_id == 1] == list(range(20))
        assert [each.data for each in await three.received(20)] == [b"a%d" % place for place in range(20)]
        assert [each.data for each in await one.received(20)] == [b"c%d" % place for place in range(20)]


async def test_closing_is_quitting(server: RelayServer, port: int) -> None:
    async with socket_member(port, server, 1) as one, socket_member(port, server, 2) as two:
        await two.say(b"hello")
        await one.received(1)
        await one.socket.close()
        # The server's word, not the client's own said again.
        assert one.said() == (1000, {"type": "quit", "dropped": 0})
        await until(lambda: server.members() == [2])
    await until(lambda: server.members() == [])
    assert server.told == [("joined", "name1"), ("joined", "name2"), ("left", "name1"), ("left", "name2")]


async def test_a_token_is_needed_and_good_once(server: RelayServer, port: int) -> None:
    code, type, said = await refused(port, "x" * 5000)
    assert (code, type) == (4016, "channel_token_invalid") and said.endswith("got 5000")
    code, type, said = await refused(port, server.issuer.token(1, secret="b" * 64))
    assert (code, type) == (4016, "channel_token_invalid") and said.startswith("expected a channel token of this")
    code, type, said = await refused(port, server.issuer.token(1, timestamp=time.time() - 11))
    assert (code, type) == (4016, "token_expired") and "of the last 10 s" in said
    code, type, said = await refused(port, server.issuer.token(1, server="relay-2"))
    assert (code, type) == (4016, "channel_token_invalid") and "for server 'relay-1'" in said
    token = server.issuer.token(1)
    async with opened(port) as one:
        assert await one.show(token) == {"number": 1, "channel": 1}
        code, type, said = await refused(port, token)
        assert (code, type) == (4016, "channel_token_used")
        assert server.members() == [1]


@pytest.mark.parametrize("channel", ["2", "0", "x", "01x", "٣", "99999999999"])
async def test_the_path_names_the_token_s_channel(server: RelayServer, port: int, channel: str) -> None:
    token = server.issuer.token(1)
    code, type, said = await refused(port, token, channel)
    assert (code, type) == (4016, "channel_token_invalid") and said.endswith("got one for 1")
    async with opened(port) as one:
        assert await one.show(token) == {"number": 1, "channel": 1}, "the token was not used up"


async def test_the_first_message_is_the_token_and_soon(server: RelayServer, port: int) -> None:
    async with opened(port) as one:
        await one.say(b"early")
        code, said = await one.ended()
        assert (code, said["type"]) == (4016, "channel_token_invalid") and said["detail"].endswith(
            "got a binary message"
        )
    async with relaying(RelayLimits(token_seconds=0.2)) as hasty, socketing(hasty) as other, opened(other) as one:
        code, said = await one.ended()
        assert code == 4016 and said["detail"] == "expected a channel token within 0.2 s, got nothing"


async def test_a_text_after_the_first_is_refused(server: RelayServer, port: int) -> None:
    async with socket_member(port, server, 1) as one, socket_member(port, server, 2) as two:
        await one.say(b"first")
        await one.socket.send("second")
        code, said = await one.ended()
        assert (code, said["type"]) == (4003, "malformed") and said["detail"].endswith("got a text one")
        await until(lambda: server.members() == [2])
        assert [each.data for each in await two.received(1)] == [b"first"]


@pytest.mark.parametrize("forged", [2, 3, 4_294_967_295])
async def test_nobody_speaks_for_another(server: RelayServer, port: int, forged: int) -> None:
    async with socket_member(port, server, 1) as one, socket_member(port, server, 2):
        await one.say(b"forged", user_id=forged)
        assert await one.ended() == (
            4003,
            {
                "type": "user_id_forged", "dropped": 0,
                "detail": f"user_id: expected 0, or the member's own number 1, got {forged}",
            },
        )  # fmt: skip
        await until(lambda: server.members() == [2])


async def test_a_frame_that_is_too_large_costs_the_others_nothing(server: RelayServer, port: int) -> None:
    async with (
        socket_member(port, server, 1) as one, socket_member(port, server, 2) as two, member(server, 3) as three,
        socket_member(port, server, 4) as four,
    ):  # fmt: skip
        await one.say(b"x" * 65536)
        await one.say(b"x" * 65537)
        code, said = await one.ended()
        assert (code, said["type"]) == (4003, "frame_too_large")
        assert said["detail"] == "data: expected at most 65536 bytes, got 65537"
        # Far larger ones are not even read.
        await four.say(b"x" * 400_000)
        await until(lambda: server.members() == [2, 3])
        await two.say(b"after")
        assert [(each.user_id, len(each.data)) for each in await three.received(2)] == [(1, 65536), (2, 5)]


async def test_what_is_no_message_is_refused(server: RelayServer, port: int) -> None:
    async with socket_member(port, server, 1) as one:
        await one.socket.send(b"\xff\xff\xff")
        code, said = await one.ended()
        assert (code, said["type"]) == (4003, "malformed")


async def test_who_sends_too_fast_is_cut_and_the_others_go_on() -> None:
    async with (
        relaying(RelayLimits(frames_second=5)) as server, socketing(server) as port,
        socket_member(port, server, 1) as one, socket_member(port, server, 2) as two,
    ):  # fmt: skip
        for place in range(6):
            await one.say(b"%d" % place)
        code, said = await one.ended()
        assert (code, said["type"]) == (4008, "rate_limited")
        assert [each.data for each in await two.received(5)] == [b"%d" % place for place in range(5)]


async def test_a_full_channel_and_one_that_is_not_served(server: RelayServer, port: int) -> None:
    async with socket_member(port, server, 1, 2), member(server, 2, 2):
        assert (await refused(port, server.issuer.token(3, 2), 2))[:2] == (4009, "channel_full")
    assert (await refused(port, server.issuer.token(3, 9), 9))[:2] == (4014, "channel_elsewhere")


async def test_who_connects_elsewhere_is_cut_off_whatever_the_transport(server: RelayServer, port: int) -> None:
    async with socket_member(port, server, 1) as one, member(server, 1, 2) as again:
        code, said = await one.ended()
        assert (code, said["type"]) == (4010, "connected_elsewhere")
        async with socket_member(port, server, 1):
            assert (await again.ended())[0] == "ABORTED"
            assert (server.members(1), server.members(2)) == ([1], [])


async def test_a_deleted_channel_and_a_server_that_ends(server: RelayServer, port: int) -> None:
    async with socket_member(port, server, 1) as one, socket_member(port, server, 2, 2) as two:
        assert server.relay.drop(1) == 1
        code, said = await one.ended()
        assert (code, said["type"]) == (4005, "channel_deleted")
        draining = asyncio.create_task(server.relay.drain())
        code, said = await two.ended()
        assert (code, said["type"]) == (4014, "draining") and await draining


class SlowReader:
    """A member who reads nothing of what the server sends, and has a kernel that takes little for them."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, socket: sockets.socket) -> None:
        self.wire = Raw(reader, writer)
        self.socket = socket

    @classmethod
    async def join(cls, port: int, token: str) -> SlowReader:
        socket = sockets.socket()
        socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 8192)
        socket.setblocking(False)
        await asyncio.get_running_loop().sock_connect(socket, ("127.0.0.1", port))
        reader, writer = await asyncio.open_connection(sock=socket, limit=1024)
        found = cls(reader, writer, socket)
        await found.wire.send(HANDSHAKE)
        assert (await found.wire.reply()).status == 101
        await found.wire.send(frame(1, token.encode()))
        return found

    async def rest(self) -> tuple[list[bytes], int, dict[str, Any]]:
        """All frames since the handshake, and code and reason of the end."""
        data, frames = await self.wire.end(), list[bytes]()
        while data:
            opcode, size, at = data[0] & 15, data[1], 2
            if size == 126:
                size, at = int.from_bytes(data[2:4]), 4
            payload, data = data[at : at + size], data[at + size :]
            if opcode == 8:
                return frames, int.from_bytes(payload[:2]), json.loads(payload[2:])
            frames.append(payload)
        raise AssertionError("no close frame")


@pytest.mark.parametrize("quits", [True, False], ids=["quits", "is_cut"])
async def test_who_does_not_read_loses_the_oldest_frames_and_is_told_how_many(quits: bool) -> None:
    limits = RelayLimits(queue_frames=10, queue_bytes=80_000, bytes_second=100_000_000, frames_second=100_000)
    async with (
        relaying(limits) as server, socketing(server) as port, socket_member(port, server, 1) as one,
    ):  # fmt: skip
        slow = await SlowReader.join(port, server.issuer.token(2))
        await until(lambda: server.members() == [1, 2])
        waiting, count = server.queue_of(2), 400
        async with member(server, 3) as three:
            for place in range(count):
                await one.say(place.to_bytes(4) + bytes(8_000 - 4))
                if place % 5 == 4:
                    assert len(await three.received(5)) == 5
        assert waiting.dropped > 100
        if quits:
            await slow.wire.send(frame(8, (1000).to_bytes(2)))
        else:
            assert server.relay.cut("user-2", 1_000)
        (first, *rest), code, said = await slow.rest()
        assert json.loads(first) == {"number": 2, "channel": 1}
        found = [int.from_bytes(Message.FromString(each).data[:4]) for each in rest]
        assert found == sorted(found) and found[0] == 0
        assert len(found) + said["dropped"] == count
        assert (code, said["type"]) == ((1000, "quit") if quits else (4010, "connected_elsewhere"))
        slow.wire.writer.close()


async def test_who_is_killed_has_quit(server: RelayServer, port: int) -> None:
    async with opened(port) as one:
        await one.show(server.issuer.token(1))
        one.socket.transport.abort()
        await until(lambda: server.members() == [])


async def test_who_is_gone_without_a_word_is_noticed(
    server: RelayServer, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert websocket.ASK_SECONDS + websocket.DEAD_SECONDS <= 30
    monkeypatch.setattr(websocket, "ASK_SECONDS", 0.2)
    monkeypatch.setattr(websocket, "DEAD_SECONDS", 1.0)
    async with socket_member(port, server, 1):
        # It answers no pings: its kernel is there, and nobody reads.
        silent = await SlowReader.join(port, server.issuer.token(2))
        await until(lambda: server.members() == [1, 2])
        await until(lambda: server.members() == [1])
        silent.wire.writer.close()


async def test_who_has_shown_no_token_is_one_of_a_bounded_number(server: RelayServer) -> None:
    async with socketing(server, msgspec.structs.replace(Settings(), strangers=2)) as port, AsyncExitStack() as stack:
        strangers = [await stack.enter_async_context(opened(port)) for _ in range(2)]
        third = await stack.enter_async_context(raw(port, HANDSHAKE))
        reply = await third.reply()
        assert (reply.status, reply.code) == (429, "rate_limited")
        for number, each in enumerate(strangers, 1):
            await each.show(server.issuer.token(number))
        # Whose token was good is no stranger any more.
        await stack.enter_async_context(socket_member(port, server, 3))


async def test_a_plain_request_is_told_what_is_expected(port: int) -> None:
    async with raw(port, b"GET /v1/channels/1/connect HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n") as client:
        assert (await client.reply()).code == "upgrade_required"


async def test_a_frame_is_encoded_once_for_all(server: RelayServer, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    encoded = list[bytes]()

    def counting(raw: bytes, number: int, most: int) -> bytes:
        encoded.append(relayed(raw, number, most))
        return encoded[-1]

    monkeypatch.setattr("push.relay.relay.relayed", counting)
    async with AsyncExitStack() as stack:
        found: list[SocketMember] = [
            await stack.enter_async_context(socket_member(port, server, number)) for number in range(1, 25)
        ]
        await found[0].say(b"to all")
        for each in found[1:]:
            assert [one.data for one in await each.received(1)] == [b"to all"]
    assert len(encoded) == 1


async def test_nothing_that_is_said_is_logged_and_a_fault_says_no_more_than_its_id(
    server: RelayServer, port: int, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    marker, token = "a secret that is said", server.issuer.token(2)
    caplog.set_level(logging.DEBUG)

    def broken(*_: object) -> bytes:
        raise RuntimeError(marker)

    async with socket_member(port, server, 1) as one, opened(port) as two:
        await two.show(token)
        await one.say(marker.encode())
        assert [each.data for each in await two.received(1)] == [marker.encode()]
        monkeypatch.setattr("push.relay.relay.relayed", broken)
        await one.say(b"x")
        code, said = await one.ended()
        assert (code, said["type"]) == (4013, "internal") and marker not in json.dumps(said)
    ours = [record for record in caplog.records if record.name.startswith(("push", "klatsch", "uvicorn"))]
    written = "\n".join(record.getMessage() for record in ours)
    assert "RuntimeError in a call to the relay" in written
    assert marker not in written and token not in written
