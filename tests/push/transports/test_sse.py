"""``GET /v1/stream`` over real HTTP."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgspec
import pytest

from events.core.feed import cursor
from infra.base.settings import Settings
from push.delivery import pull
from push.protocol.backend import ConnectionIdentity
from tests.push.conftest import until
from tests.push.feeding import Feed, delete_before
from tests.push.server import Running, serving, token


@pytest.fixture
async def server(settings: Settings) -> AsyncIterator[Running]:
    async with serving(msgspec.structs.replace(settings, drain_seconds=0.1)) as running:
        yield running


class Events:
    """Reads one stream as a browser does."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def next(self) -> dict[str, Any]:
        """The next event: event, id and decoded data. Comments are skipped."""
        found: dict[str, Any] = {"event": "message"}
        while True:
            line = (await asyncio.wait_for(self._response.content.readline(), 20)).decode()
            if not line:
                return {"event": "end"}
            name, _, value = line.rstrip("\n").partition(": ")
            if not name and "data" in found:
                return {**found, "data": json.loads(found["data"])}
            if name and value:
                found[name] = value

    async def texts(self, count: int) -> list[str]:
        return [(await self.next())["data"]["data"]["text"].strip() for _ in range(count)]


@asynccontextmanager
async def stream(server: Running, user: str = "ann", since: str = "", **headers: str) -> AsyncIterator[Events]:
    headers.setdefault("Authorization", f"Bearer {token(user)}")
    headers = {name.replace("_", "-"): value for name, value in headers.items() if value}
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{server.http}/v1/stream", params={"since": since} if since else {}, headers=headers) as response,
    ):
        assert response.status == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        yield Events(response)


async def status(server: Running, since: str = "", **headers: str) -> int:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{server.http}/v1/stream", params={"since": since} if since else {}, headers=headers) as response,
    ):
        assert response.headers["content-type"] == "application/problem+json"
        assert (await response.json())["status"] == response.status
        return response.status


async def test_deltas_come_as_events_whose_id_resumes(server: Running, feed: Feed) -> None:
    async with stream(server) as events:
        position = await events.next()
        assert position["event"] == "position"
        assert position["id"] == f"{server.hub.epoch}:{position['data']['offset']}"
        await feed.send("ann", "1", "2")
        first, second = await events.next(), await events.next()
        assert [event["data"]["data"]["text"].strip() for event in (first, second)] == ["1", "2"]
    await feed.send("ann", "3")
    async with stream(server, Last_Event_ID=first["id"]) as events:
        assert (await events.next())["data"]["recovered"] is True
        assert await events.texts(2) == ["2", "3"]
    # The browser repeats the address, so the header is the newer one.
    async with stream(server, since=position["id"], Last_Event_ID=second["id"]) as events:
        await events.next()
        assert await events.texts(1) == ["3"]
    async with stream(server, since=position["id"]) as events:
        await events.next()
        assert await events.texts(3) == ["1", "2", "3"]


async def test_a_cursor_is_the_same_for_the_stream_and_the_pull(server: Running, feed: Feed) -> None:
    identity = ConnectionIdentity(user="ann", session="s", expires=2e9)
    start = await pull.changes(server.hub, identity, None, 10)
    await feed.send("ann", "1", "2")
    async with stream(server, since=start.next_cursor) as events:
        await events.next()
        first = await events.next()
        assert await events.texts(1) == ["2"]
    page = await pull.changes(server.hub, identity, first["id"], 10)
    assert [json.loads(delta)["data"]["text"].strip() for delta in page.items] == ["2"]


async def test_a_cookie_does_for_browsers(server: Running) -> None:
    assert await status(server) == 401
    assert await status(server, Authorization="Bearer nonsense") == 401
    # The test's tokens are JSON, which a cookie cannot hold.
    server.backend.aliases["plain"] = token("ann")
    async with stream(server, Authorization="", Cookie="klatsch_stream=plain") as events:
        assert (await events.next())["event"] == "position"


async def test_a_bad_cursor_is_refused(server: Running) -> None:
    bearer = f"Bearer {token('ann')}"
    assert await status(server, since="17", Authorization=bearer) == 400
    assert await status(server, since="e:x", Authorization=bearer) == 400
    what = "a cursor, <epoch>:<offset>, such as `cursor` of an earlier answer"
    for place, asked in (
        ({"parameter": "since"}, {"params": {"since": "it's"}}),
        ({"header": "Last-Event-ID"}, {"params": {"since": "e:1"}, "headers": {"Last-Event-ID": "it's"}}),
    ):
        headers = {"Authorization": bearer, **asked.get("headers", {})}
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{server.http}/v1/stream", params=asked["params"], headers=headers) as response,
        ):
            problem = await response.json()
        assert problem["errors"] == [{**place, "expected": what, "actual": '"it\'s"'}]
        assert problem["detail"] == f'{next(iter(place.values()))}: expected {what}, got "it\'s"'


async def test_a_lost_place_gets_a_snapshot_event(settings: Settings, feed: Feed) -> None:
    await feed.send("ann", *map(str, range(30)))
    async with serving(settings, ring_records=4) as server:
        await delete_before(settings, feed.partition("ann"), 20)
        async with stream(server, since=f"{server.hub.epoch}:{cursor(3, 0)}") as events:
            position = await events.next()
            assert position["data"]["recovered"] is False and "id" not in position
            snapshot = await events.next()
            assert snapshot["event"] == "snapshot" and snapshot["data"]["user"] == "ann"
            assert snapshot["id"] == f"{server.hub.epoch}:{snapshot['data']['cursor']}"
            await feed.send("ann", "after")
            assert await events.texts(1) == ["after"]


async def test_what_the_ring_has_lost_comes_from_kafka(settings: Settings, feed: Feed) -> None:
    async with serving(settings, ring_records=4) as server:
        async with stream(server) as events:
            at = (await events.next())["id"]
        texts = [str(n) for n in range(700)]
        await feed.send("ann", *texts)
        await until(lambda: server.hub.here("ann").cursor >= cursor(700, 0))
        async with stream(server, since=at) as events:
            await events.next()
            assert await events.texts(700) == texts


async def test_it_ends_with_a_reason(server: Running) -> None:
    async with stream(server, Authorization=f"Bearer {token('ann', seconds=1)}") as events:
        await events.next()
        assert (await events.next())["data"] == {"code": 3005, "reason": "connection expired", "reconnect": True}
        assert (await events.next())["event"] == "end"
    async with stream(server) as events:
        await events.next()
        began = time.monotonic()
        server.hub.revoked("s1")
        assert (await events.next())["data"] == {"code": 3500, "reason": "token revoked", "reconnect": False}
        assert time.monotonic() - began < 1
    async with stream(server) as events:
        await events.next()
        await server.hub.drain()
        assert (await events.next())["data"] == {"code": 3001, "reason": "shutdown", "reconnect": True}


async def test_a_quiet_stream_has_heartbeats_and_a_client_that_goes_is_forgotten(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("push.transports.sse.HEARTBEAT_SECONDS", 0.1)
    async with stream(server) as events:
        await events.next()
        lines = [await asyncio.wait_for(events._response.content.readline(), 5) for _ in range(4)]
        assert lines == [b":\n", b"\n", b":\n", b"\n"]
        assert len(server.hub.peers) == 1
    await until(lambda: len(server.hub.peers) == 0)


async def test_a_client_that_does_not_read_is_aborted_and_has_lost_nothing(
    settings: Settings, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("push.transports.sse.SEND_SECONDS", 1.0)
    async with serving(settings) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=4096)
        writer.write(f"GET /v1/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token('ann')}\r\n\r\n".encode())
        head = await reader.readuntil(b"\n\n")
        at = head.split(b"id: ")[1].split(b"\n")[0].decode()
        texts = [str(n) for n in range(400)]
        await feed.send("ann", *texts, size=60_000)
        await until(lambda: len(server.hub.peers) == 0, 30)
        writer.close()
        async with stream(server, since=at) as events:
            await events.next()
            assert await events.texts(400) == texts
