"""Both unmodified SDKs against a real server: deltas, commands, lost connections, page reloads, lost places.
Tests ``push/transports/ws.py`` and ``push/delivery/hub.py``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from events.core.feed import cursor
from infra.base.settings import Settings
from push.protocol.codes import Disconnect
from push.transports.ws import Connection
from tests.push.conftest import until
from tests.push.feeding import Feed, delete_before
from tests.push.sdks import JavaScript, Python, Sdk, of, texts
from tests.push.server import Process, Running, free_port, serving, token

Start = Callable[..., Awaitable[Sdk]]


@pytest.fixture(params=[JavaScript, Python], ids=["javascript", "python"])
async def start(request: pytest.FixtureRequest) -> AsyncIterator[Start]:
    """Starts clients of one SDK, and stops them in the end."""
    running: list[Sdk] = []

    async def start(url: str, user: str, **options: Any) -> Sdk:
        sdk: Sdk = await request.param.start(url, options.pop("token", None) or token(user), **options)
        running.append(sdk)
        return sdk

    yield start
    for sdk in running:
        await sdk.stop()


@asynccontextmanager
async def killable(settings: Settings) -> AsyncIterator[Process]:
    process = Process(settings, free_port())
    await process.start()
    try:
        yield process
    finally:
        await process.kill()


def close_all(server: Running, user: str, code: int, reason: str) -> None:
    for peer in server.hub.peers.of_user(user):
        assert isinstance(peer, Connection)
        peer.cut(Disconnect(code, reason))


async def test_connect_receive_and_call(settings: Settings, feed: Feed, start: Start) -> None:
    async with serving(settings) as server:
        sdk = await start(server.url, "ann")
        await until(lambda: of(sdk, "subscribed"))
        assert of(sdk, "connected")[0]["data"] == {"hello": "you"}
        await feed.send("ann", "1", "2", "3")
        await until(lambda: len(texts(sdk)) == 3)
        assert texts(sdk) == ["1", "2", "3"]
        assert (await sdk.rpc("echo", {"x": "ü\n"}))["data"] == {"x": "ü\n"}
        error = (await sdk.rpc("refuse", {}))["error"]
        assert (error["code"], error["message"]) == (409, "taken")


@pytest.mark.parametrize("code", [3001, 1011])
async def test_a_closed_connection_recovers_every_missed_delta_in_order(
    settings: Settings, feed: Feed, start: Start, code: int
) -> None:
    async with serving(settings) as server:
        sdk = await start(server.url, "ann")
        await until(lambda: of(sdk, "subscribed"))
        sent: list[str] = []
        for turn in range(3):
            batch = [f"{turn} {n}" for n in range(20)]
            writing = asyncio.create_task(feed.send("ann", *batch))
            close_all(server, "ann", code, "test")
            await writing
            sent += batch
            await until(lambda turn=turn: len(of(sdk, "subscribed")) == turn + 2)  # type: ignore[misc]
        await until(lambda: len(texts(sdk)) >= len(sent))
        assert texts(sdk) == sent
        assert all(event["recovered"] for event in of(sdk, "subscribed")[1:])


async def test_a_signal_reaches_the_app_and_moves_no_place(settings: Settings, feed: Feed, start: Start) -> None:
    async with serving(settings) as server:
        sdk = await start(server.url, "ann")
        await until(lambda: of(sdk, "subscribed"))
        await feed.send("ann", "1")
        await until(lambda: of(sdk, "pub"))
        signal = {"signal": "typing", "room": "den", "users": ["bob"]}
        for peer in server.hub.peers.of_user("ann"):
            assert isinstance(peer, Connection) and peer.signal([msgspec.json.encode(signal)])
        await until(lambda: len(of(sdk, "pub")) == 2)
        assert of(sdk, "pub")[1]["data"] == signal and not of(sdk, "pub")[1].get("offset")
        close_all(server, "ann", 3001, "test")
        await feed.send("ann", "2")
        await until(lambda: len(of(sdk, "pub")) == 3)
        assert [event["data"]["data"]["text"] for event in (of(sdk, "pub")[0], of(sdk, "pub")[2])] == ["1", "2"]
        await until(lambda: len(of(sdk, "subscribed")) == 2)
        assert of(sdk, "subscribed")[1]["recovered"]


async def test_a_killed_server_that_comes_back_loses_nothing(settings: Settings, feed: Feed, start: Start) -> None:
    async with killable(settings) as server:
        sdk = await start(server.url, "ann")
        await until(lambda: of(sdk, "subscribed"))
        sent = [f"before {n}" for n in range(20)]
        await feed.send("ann", *sent)
        await until(lambda: texts(sdk))
        await server.kill()
        missed = [f"missed {n}" for n in range(200)]
        await feed.send("ann", *missed)
        await server.start()
        await until(lambda: len(texts(sdk)) >= 220)
        await feed.send("ann", "live")
        await until(lambda: "live" in texts(sdk))
        assert texts(sdk) == [*sent, *missed, "live"]
        assert of(sdk, "subscribed")[-1]["recovered"]


async def test_a_long_absence_is_recovered_from_kafka(settings: Settings, feed: Feed, start: Start) -> None:
    async with serving(settings, ring_records=4) as server:
        sdk = await start(server.url, "ann")
        await until(lambda: of(sdk, "subscribed"))
        # The server answers nobody while the client is away.
        server.hub.peers.draining = True
        close_all(server, "ann", 3001, "test")
        sent = [str(n) for n in range(600)]
        await feed.send("ann", *sent)
        await until(lambda: server.hub.here("ann").cursor >= cursor(600, 0))
        server.hub.peers.draining = False
        await until(lambda: len(texts(sdk)) >= 600)
        await feed.send("ann", "live")
        await until(lambda: "live" in texts(sdk))
        assert texts(sdk) == [*sent, "live"]


async def test_a_page_reload_goes_on_from_data_since(settings: Settings, feed: Feed, start: Start) -> None:
    async with serving(settings) as server:
        page = await start(server.url, "ann")
        await until(lambda: of(page, "subscribed"))
        await feed.send("ann", "1", "2")
        await until(lambda: len(texts(page)) == 2)
        since = {"offset": of(page, "pub")[0]["offset"], "epoch": of(page, "subscribed")[0]["epoch"]}
        await page.stop()
        await feed.send("ann", "3")
        reloaded = await start(server.url, "ann", data={"since": since})
        await until(lambda: len(texts(reloaded)) == 2)
        assert texts(reloaded) == ["2", "3"]
        assert of(reloaded, "subscribed")[0]["recovered"]
        # What the SDK itself remembers wins over the data, which is still that of the page's load.
        close_all(server, "ann", 3001, "test")
        await until(lambda: len(of(reloaded, "subscribed")) == 2)
        await feed.send("ann", "4")
        await until(lambda: "4" in texts(reloaded))
        assert texts(reloaded) == ["2", "3", "4"]


async def test_a_lost_place_gets_a_snapshot_and_goes_on(settings: Settings, feed: Feed, start: Start) -> None:
    async with serving(settings, ring_records=4) as server:
        sdk = await start(server.url, "ann")
        await until(lambda: of(sdk, "subscribed"))
        await feed.send("ann", "0")
        await until(lambda: texts(sdk))
        server.hub.peers.draining = True
        close_all(server, "ann", 3001, "test")
        await feed.send("ann", *map(str, range(1, 40)))
        await until(lambda: server.hub.here("ann").cursor >= cursor(40, 0))
        await delete_before(settings, feed.partition("ann"), 30)
        server.hub.peers.draining = False
        await until(lambda: len(of(sdk, "subscribed")) == 2)
        place = of(sdk, "subscribed")[1]
        assert (place["recovering"], place["recovered"]) == (True, False)
        await until(lambda: len(of(sdk, "pub")) == 2)
        snapshot = of(sdk, "pub")[1]
        assert snapshot["data"]["type"] == "snapshot"
        assert snapshot["offset"] == snapshot["data"]["data"]["cursor"]
        # From the snapshot on, recovery works as before.
        close_all(server, "ann", 3001, "test")
        await feed.send("ann", "after")
        await until(lambda: "after" in texts(sdk))
        assert texts(sdk) == ["0", "after"]
        await until(lambda: of(sdk, "subscribed")[-1]["recovered"])


async def test_wrong_expired_and_revoked_tokens_end_the_client(settings: Settings, start: Start) -> None:
    async with serving(settings) as server:
        wrong = await start(server.url, "ann", token="nonsense")
        await until(lambda: of(wrong, "disconnected"))
        assert of(wrong, "disconnected")[0]["code"] == 3500
        expired = await start(server.url, "ann", token=token("ann", seconds=-5))
        await until(lambda: of(expired, "disconnected"))
        assert not of(expired, "connected")
        revoked = await start(server.url, "bob")
        await until(lambda: of(revoked, "subscribed"))
        server.backend.revoked.add("s1")
        server.hub.revoked("s1")
        await until(lambda: of(revoked, "disconnected"), 1)
        assert of(revoked, "disconnected")[0]["code"] == 3500


async def test_pings_keep_a_busy_and_a_quiet_connection(settings: Settings, feed: Feed, start: Start) -> None:
    async with serving(msgspec.structs.replace(settings, ping_seconds=1)) as server:
        sdk = await start(server.url, "ann")
        await until(lambda: of(sdk, "subscribed"))
        began = asyncio.get_running_loop().time()
        count = 0
        while asyncio.get_running_loop().time() < began + 3.5:
            await feed.send("ann", str(count))
            count += 1
            await asyncio.sleep(0.02)
        await until(lambda: len(texts(sdk)) == count)
        assert len(of(sdk, "connected")) == 1 and not of(sdk, "disconnected")


async def test_a_javascript_client_may_subscribe_itself_and_start_anywhere(settings: Settings, feed: Feed) -> None:
    async with serving(settings) as server:
        options: dict[str, Any] = {"data": {"subscribe": "client"}, "subscribe": "user:ann"}
        first = await JavaScript.start(server.url, token("ann"), **options)
        await until(lambda: of(first, "subscribed"))
        await feed.send("ann", "1", "2")
        await until(lambda: len(texts(first)) == 2)
        since = {"offset": of(first, "pub")[0]["offset"], "epoch": of(first, "subscribed")[0]["epoch"]}
        again = await JavaScript.start(server.url, token("ann"), **options, since=since)
        await until(lambda: texts(again) == ["2"])
        twice = await JavaScript.start(server.url, token("ann"), subscribe="user:ann")
        await until(lambda: of(twice, "unsubscribed"))
        assert of(twice, "unsubscribed")[0]["code"] == 105
        for sdk in (first, again, twice):
            await sdk.stop()
