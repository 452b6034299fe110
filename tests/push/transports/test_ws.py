"""The WebSocket endpoint under a real uvicorn, spoken to frame by frame."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from events.core.feed import cursor
from infra.base.settings import Settings
from push.transports.ws import Connection
from tests.push.conftest import until
from tests.push.feeding import Feed, delete_before
from tests.push.server import Running, serving, token


@pytest.fixture
async def server(settings: Settings) -> AsyncIterator[Running]:
    async with serving(settings) as running:
        yield running


class Raw:
    """A client that knows only frames."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self._waiting: list[dict[str, Any]] = []

    async def send(self, *commands: dict[str, Any]) -> None:
        await self.socket.send("\n".join(json.dumps(command) for command in commands))

    async def next(self) -> dict[str, Any]:
        """The next object that is no ping; pings are answered."""
        while True:
            while not self._waiting:
                self._waiting = await self._frame()
            found = self._waiting.pop(0)
            if found:
                return found
            await self.socket.send("{}")

    async def connect(self, user: str, **fields: Any) -> dict[str, Any]:
        await self.send({"id": 1, "connect": {"token": token(user), **fields}})
        reply: dict[str, Any] = (await self.next())["connect"]
        return reply

    async def texts(self, count: int) -> list[str]:
        """The texts of the next publications."""
        return [(await self.next())["push"]["pub"]["data"]["data"]["text"].strip() for _ in range(count)]

    async def closed(self) -> tuple[int, str]:
        """The code and reason with which the server closes."""
        await self.rest()
        return self.socket.close_code or 0, self.socket.close_reason or ""

    async def rest(self) -> list[str]:
        """The texts of all publications until the connection ends."""
        got: list[str] = []
        while True:
            try:
                got += [found["push"]["pub"]["data"]["data"]["text"].strip() for found in await self._frame() if found]
            except ConnectionClosed:
                return got

    async def _frame(self) -> list[dict[str, Any]]:
        frame = await asyncio.wait_for(self.socket.recv(), 15)
        assert isinstance(frame, str) and frame.strip()
        return [json.loads(line) for line in frame.split("\n")]


@asynccontextmanager
async def raw(server: Running) -> AsyncIterator[Raw]:
    async with connect(server.url, compression=None, max_size=1 << 24) as socket:
        yield Raw(socket)


async def test_connect_subscribes_to_the_user_s_channel_and_deltas_follow(server: Running, feed: Feed) -> None:
    async with raw(server) as client:
        reply = await client.connect("ann")
        place = reply["subs"]["user:ann"]
        assert reply["client"] and reply["ping"] == 25 and reply["pong"] is True
        assert reply["data"] == {"hello": "you"}
        assert place["recoverable"] and place["epoch"] == server.hub.epoch and place["offset"] > 0
        await feed.send("ann", "1", "2")
        assert await client.texts(2) == ["1", "2"]


async def test_a_client_recovers_from_its_place_and_goes_on_live(server: Running, feed: Feed) -> None:
    async with raw(server) as client:
        place = (await client.connect("ann"))["subs"]["user:ann"]
    await feed.send("ann", "1", "2", "3")
    async with raw(server) as client:
        subs = {"user:ann": {"recover": True, "offset": place["offset"], "epoch": place["epoch"]}}
        again = (await client.connect("ann", subs=subs))["subs"]["user:ann"]
        assert (again["was_recovering"], again["recovered"]) == (True, True)
        assert again["offset"] == place["offset"]
        assert await client.texts(3) == ["1", "2", "3"]
    async with raw(server) as client:
        since = {"since": {"offset": place["offset"], "epoch": place["epoch"]}}
        assert (await client.connect("ann", data=since))["subs"]["user:ann"]["recovered"]
        assert await client.texts(3) == ["1", "2", "3"]


async def test_a_lost_place_gets_a_snapshot_and_then_deltas(settings: Settings, feed: Feed) -> None:
    await feed.send("ann", *map(str, range(30)))
    async with serving(settings, ring_records=4) as server:
        await delete_before(settings, feed.partition("ann"), 20)
        async with raw(server) as client:
            subs = {"user:ann": {"recover": True, "offset": cursor(3, 0), "epoch": server.hub.epoch}}
            place = (await client.connect("ann", subs=subs))["subs"]["user:ann"]
            assert (place["was_recovering"], place["recovered"], place["offset"]) == (True, False, 0)
            publication = (await client.next())["push"]["pub"]
            assert publication["data"]["type"] == "snapshot"
            assert publication["data"]["data"]["user"] == "ann"
            assert publication["offset"] == publication["data"]["data"]["cursor"] > 0
            await feed.send("ann", "after")
            assert await client.texts(1) == ["after"]
        async with raw(server) as client:
            # As if the connection had been lost before the snapshot came.
            subs = {"user:ann": {"recover": True, "epoch": server.hub.epoch}}
            assert not (await client.connect("ann", subs=subs))["subs"]["user:ann"]["recovered"]
            assert (await client.next())["push"]["pub"]["data"]["type"] == "snapshot"


async def test_commands_of_one_frame_are_answered_in_one_connection(server: Running) -> None:
    async with raw(server) as client:
        await client.send(
            {"id": 1, "connect": {"token": token("ann"), "data": {"subscribe": "client"}}},
            {"id": 2, "subscribe": {"channel": "user:ann"}},
            {"id": 3, "rpc": {"method": "echo", "data": {"a": [1, None]}}},
            {"id": 4, "rpc": {"method": "refuse"}},
            {"id": 5, "publish": {"channel": "user:ann", "data": {}}},
            {"id": 6, "presence_stats": {"channel": "user:ann"}},
            {"id": 7, "history": {"channel": "user:ann", "limit": 0}},
        )
        replies = {}
        for _ in range(7):
            reply = await client.next()
            replies[reply["id"]] = reply
        assert "subs" not in replies[1]["connect"]
        assert replies[2]["subscribe"]["recoverable"]
        assert replies[3]["rpc"]["data"] == {"a": [1, None]}
        assert (replies[4]["error"]["code"], replies[4]["error"]["message"]) == (409, "taken")
        assert replies[4]["error"]["problem"]["type"] == "urn:test:taken"
        assert replies[5]["error"]["code"] == 103
        assert replies[6]["presence_stats"] == {"num_clients": 1, "num_users": 1}
        assert replies[7]["history"]["epoch"] == server.hub.epoch


async def test_history_pages_through_the_stream(server: Running, feed: Feed) -> None:
    await feed.send("ann", *map(str, range(10)))
    await until(lambda: server.hub.here("ann").cursor >= cursor(10, 0))
    async with raw(server) as client:
        await client.connect("ann")
        await client.send({"id": 2, "history": {"channel": "user:ann", "limit": 4}})
        first = (await client.next())["history"]["publications"]
        assert [pub["data"]["data"]["text"].strip() for pub in first] == ["0", "1", "2", "3"]
        since = {"offset": first[-1]["offset"], "epoch": server.hub.epoch}
        await client.send({"id": 3, "history": {"channel": "user:ann", "limit": -1, "since": since}})
        rest = (await client.next())["history"]["publications"]
        assert [pub["data"]["data"]["text"].strip() for pub in rest] == ["4", "5", "6", "7", "8", "9"]


#: Frame, close code, part of the reason.
_BAD_FRAMES: tuple[tuple[str | bytes, int, str], ...] = (
    ("{", 3501, "bad request"),
    ("\n", 3501, "blank"),
    ("", 3501, "blank"),
    ('{"id":1,"rpc":{"method":"echo"}}', 3501, "expected connect as first command"),
    ('{"connect":{}}', 3501, "expected an id"),
    ("{}", 3501, "expected connect as first command"),
    (b"{}", 3501, "expected text frames"),
    ('{"id":1,"connect":{"token":"nonsense"}}', 3500, "invalid token"),
    ("[" * 100_000, 3501, "bad request"),
    ('"' + "x" * 140_000 + '"', 3501, "expected a frame of at most 131072 bytes"),
    ("x" * 300_000, 1009, ""),
)


async def test_a_bad_frame_closes_the_connection_with_its_reason(server: Running) -> None:
    for frame, code, reason in _BAD_FRAMES:
        async with raw(server) as client:
            await client.socket.send(frame)
            closed = await client.closed()
            assert closed[0] == code, frame[:80]
            assert reason in closed[1], frame[:80]


async def test_an_expired_token_is_an_error_and_the_client_may_try_again(server: Running) -> None:
    async with raw(server) as client:
        await client.send({"id": 1, "connect": {"token": token("ann", seconds=-1)}})
        assert (await client.next())["error"]["code"] == 109
        assert (await client.connect("ann"))["client"]


async def test_a_connection_ends_with_its_token_unless_it_is_refreshed(server: Running) -> None:
    async with raw(server) as short, raw(server) as long:
        for client in (short, long):
            await client.send({"id": 1, "connect": {"token": token("ann", seconds=1.5)}})
            reply = (await client.next())["connect"]
            assert reply["expires"] is True and reply["ttl"] == 1
        await long.send({"id": 2, "refresh": {"token": token("ann")}})
        assert (await long.next())["refresh"]["ttl"] > 3000
        assert await short.closed() == (3005, "connection expired")
        await long.send({"id": 3, "rpc": {"method": "echo", "data": 1}})
        assert (await long.next())["rpc"]["data"] == 1


async def test_a_revoked_session_is_cut_within_a_second_and_cannot_come_back(server: Running) -> None:
    async with raw(server) as client, raw(server) as other:
        await client.connect("ann")
        await other.send({"id": 1, "connect": {"token": token("ann", session="s2")}})
        await other.next()
        server.backend.revoked.add("s1")
        began = time.monotonic()
        server.hub.revoked("s1")
        assert await client.closed() == (3500, "token revoked")
        assert time.monotonic() - began < 1
        async with raw(server) as again:
            await again.send({"id": 1, "connect": {"token": token("ann")}})
            assert await again.closed() == (3500, "token revoked")
        server.hub.revoked_user("ann")
        assert (await other.closed())[0] == 3500


async def test_a_connection_that_never_connects_is_closed(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("push.protocol.timers.CONNECT_SECONDS", 0.3)
    async with raw(server) as client:
        assert (await client.closed())[0] == 3502


async def test_a_client_that_answers_no_ping_is_closed(
    settings: Settings, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("push.protocol.timers.PONG_SECONDS", 0.5)
    async with serving(msgspec.structs.replace(settings, ping_seconds=1)) as server, raw(server) as client:
        await client.connect("ann")
        assert (await client.closed())[0] == 3012


async def test_a_client_that_does_not_read_is_closed_and_has_lost_nothing(settings: Settings, feed: Feed) -> None:
    texts = [str(n) for n in range(400)]
    async with serving(msgspec.structs.replace(settings, push_queue=50)) as server:
        async with connect(server.url, compression=None, max_size=1 << 24, max_queue=1) as socket:
            client = Raw(socket)
            place = (await client.connect("ann"))["subs"]["user:ann"]
            assert len(server.hub.peers) == 1
            # Far more than the sockets' buffers hold.
            await feed.send("ann", *texts, size=60_000)
            await until(lambda: not server.subscriptions("ann"), 30)
            got = await client.rest()
        assert len(got) < 400
        async with raw(server) as again:
            offset = place["offset"] if not got else cursor(int(got[-1]) + 1, 0)
            subs = {"user:ann": {"recover": True, "offset": offset, "epoch": place["epoch"]}}
            assert (await again.connect("ann", subs=subs))["subs"]["user:ann"]["recovered"]
            got += await again.texts(400 - len(got))
    assert got == texts


async def test_a_client_that_never_reads_is_aborted(
    settings: Settings, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("push.transports.transport.SEND_SECONDS", 0.5)
    async with (
        serving(msgspec.structs.replace(settings, push_queue=100_000)) as server,
        connect(server.url, compression=None, max_size=1 << 24, max_queue=1) as socket,
    ):
        await Raw(socket).connect("ann")
        await feed.send("ann", *map(str, range(400)), size=60_000)
        await until(lambda: len(server.hub.peers) == 0, 10)
        socket.transport.abort()


async def test_commands_beyond_the_bound_are_refused_for_now(server: Running) -> None:
    async with raw(server) as client:
        await client.connect("ann")
        await client.send(*({"id": n, "rpc": {"method": "wait"}} for n in range(2, 70)))
        errors = [await client.next() for _ in range(4)]
        assert {reply["error"]["code"] for reply in errors} == {111}
        assert all(reply["error"]["temporary"] for reply in errors)
        server.backend.release.set()
        assert {(await client.next())["id"] for _ in range(64)} == set(range(2, 66))


async def test_a_send_runs_its_command_and_gets_no_reply(server: Running) -> None:
    async with raw(server) as client:
        await client.connect("ann")
        await client.send({"send": {"data": {"method": "echo", "data": 5}}}, {"id": 2, "ping": {}})
        assert await client.next() == {"id": 2, "ping": {}}
        await until(lambda: server.backend.calls == [("ann", "echo", b"5")])


async def test_drain_sends_clients_away_and_they_miss_nothing_elsewhere(settings: Settings, feed: Feed) -> None:
    brief = msgspec.structs.replace(settings, drain_seconds=0.3)
    async with serving(brief) as old, serving(brief) as new, raw(old) as client:
        place = (await client.connect("ann"))["subs"]["user:ann"]
        await old.hub.drain()
        assert await client.closed() == (3001, "shutdown")
        await feed.send("ann", "meanwhile")
        async with raw(old) as refused:
            await refused.send({"id": 1, "connect": {"token": token("ann")}})
            assert (await refused.closed())[0] == 3001
        async with raw(new) as moved:
            subs = {"user:ann": {"recover": True, "offset": place["offset"], "epoch": place["epoch"]}}
            assert (await moved.connect("ann", subs=subs))["subs"]["user:ann"]["recovered"]
            assert await moved.texts(1) == ["meanwhile"]


async def test_a_server_that_stops_tells_clients_to_come_back(settings: Settings) -> None:
    async with serving(settings) as server, raw(server) as client:
        await client.connect("ann")
        server.server.should_exit = True
        assert await client.closed() == (3001, "shutdown")


async def test_a_signal_to_a_client_that_does_not_read_is_dropped_and_deltas_are_not(
    settings: Settings, feed: Feed
) -> None:
    texts = [str(n) for n in range(100)]
    async with (
        serving(settings) as server,
        connect(server.url, compression=None, max_size=1 << 24, max_queue=1) as socket,
    ):
        client = Raw(socket)
        await client.connect("ann")
        [peer] = server.hub.peers.of_user("ann")
        assert isinstance(peer, Connection)
        assert peer.signal([b'{"signal":"typing"}'])
        await feed.send("ann", *texts, size=200_000)
        await until(lambda: not peer.signal([b'{"signal":"dropped"}']))
        got: list[str] = []
        while len(got) < len(texts):
            data = (await client.next())["push"]["pub"]["data"]
            if "signal" not in data:
                got.append(data["data"]["text"].strip())
        assert got == texts
        await until(lambda: peer.signal([b'{"signal":"taken"}']))
        while (found := await client.next())["push"]["pub"]["data"].get("signal") != "taken":
            assert found["push"]["pub"]["data"]["signal"] in ("typing", "dropped")
        assert "offset" not in found["push"]["pub"]


_HANDSHAKE = (
    b"GET /v1/connection?token=no HTTP/1.1\r\nHOST: here\r\nuPGRADE: WebSocket\r\nConnection: keep-alive, Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def masked(*commands: dict[str, Any]) -> bytes:
    """A client's text frame (RFC 6455, 5.2), with a mask of zeros."""
    payload = "\n".join(map(json.dumps, commands)).encode()
    return b"\x81\xfe" + len(payload).to_bytes(2) + bytes(4) + payload


async def answered(server: Running, *parts: bytes, end: bytes) -> bytes:
    """What the server says to these packets, up to an end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
            # The server runs in this loop: so it gets each part by itself.
            for _ in range(20):
                await asyncio.sleep(0)
        async with asyncio.timeout(10):
            return await reader.readuntil(end)
    finally:
        writer.close()


async def test_a_handshake_may_come_in_parts_and_with_commands_behind_it(server: Running) -> None:
    connect_, echo = {"id": 1, "connect": {"token": token("ann")}}, {"id": 2, "rpc": {"method": "echo", "data": 7}}
    frames = masked(connect_) + masked(echo)
    for parts in (
        [_HANDSHAKE + frames],
        [_HANDSHAKE[:30], _HANDSHAKE[30:], frames],
        [_HANDSHAKE, frames[:9], frames[9:]],
    ):
        got = await answered(server, *parts, end=b'{"id":2,"rpc":{"data":7}}')
        assert got.startswith(b"HTTP/1.1 101 ") and b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in got
        assert got.index(b'{"id":1,"connect"') < got.index(b'{"id":2')


async def test_a_request_that_only_looks_like_a_handshake_is_refused(server: Running) -> None:
    without_key = b"GET /v1/connection HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    assert (await answered(server, without_key, end=b"\r\n")).startswith(b"HTTP/1.1 400 ")
    elsewhere = _HANDSHAKE.replace(b"/v1/connection", b"/v1/nowhere")
    assert (await answered(server, elsewhere, end=b"\r\n")).startswith(b"HTTP/1.1 404 ")
    plain = b"GET /v1/stream HTTP/1.1\r\nHost: here\r\nX-Note: Upgrade: websocket\r\n\r\n"
    assert (await answered(server, plain, end=b"\r\n")).startswith(b"HTTP/1.1 401 ")
