"""Seven unmodified clients, over JSON and protobuf, against a real server: what each makes of everything it meets.
Tests ``push/transports/ws.py`` and ``push/protocol/``."""

from __future__ import annotations

import asyncio
from functools import partial

import msgspec
import pytest

from events.core.feed import cursor
from infra.base.settings import Settings
from push.protocol import codes
from push.protocol.codes import Disconnect
from push.transports.ws import Connection
from tests.push.conftest import until
from tests.push.crowds import CLIENTS, crowd
from tests.push.feeding import Feed, delete_before
from tests.push.sdks import Driven, Go, JavaScript, Python, Sdk, of, texts
from tests.push.server import Process, Running, free_port, serving, token

#: All close codes of the reference after which clients come back, and one of no protocol.
AGAIN = (3001, 3004, 3005, 3008, 3010, 3012, 3013, 4000, 1011)
FINAL = (3500, 3501, 3502, 3504)


def close(server: Running, user: str, code: int) -> None:
    for peer in server.hub.peers.of_user(user):
        assert isinstance(peer, Connection)
        peer.cut(Disconnect(code, "test"))


async def subscribed(name: str, sdk: Sdk) -> None:
    await until(lambda: of(sdk, "subscribed"))


async def subscribed_so_often(name: str, sdk: Sdk, times: int) -> None:
    await until(lambda: len(of(sdk, "subscribed")) == times)


def test_the_codes_are_those_that_the_server_has() -> None:
    found = {one.code: one.final for one in vars(codes).values() if isinstance(one, Disconnect)}
    assert found.keys() == {*AGAIN, *FINAL} - {1011}
    assert {code for code, final in found.items() if final} == set(FINAL)


async def test_deltas_commands_and_reads(settings: Settings, feed: Feed, subtests: pytest.Subtests) -> None:
    async with serving(settings) as server, crowd(subtests) as all:
        await all.start(server.url)
        await all.each(subscribed)
        await all.feed(feed, "1", "2", "3")

        async def works(name: str, sdk: Sdk) -> None:
            assert of(sdk, "connected")[0]["data"] == {"hello": "you"}
            await until(lambda: len(texts(sdk)) == 3)
            assert texts(sdk) == ["1", "2", "3"]
            assert (await sdk.rpc("echo", {"x": "ü\n😀"}))["data"] == {"x": "ü\n😀"}
            error = (await sdk.rpc("refuse", {}))["error"]
            assert (error["code"], error["message"]) == (409, "taken")
            found = await sdk.read(f"user:{name}")
            assert found == {"clients": 1, "numClients": 1, "numUsers": 1, "history": ["1", "2", "3"]}
            if isinstance(sdk, Driven):
                # Python's SDK has no such thing. All but the last do nothing, and harm nothing.
                for data in ("hi", ["hi"], 5, None, {"method": "echo", "data": {"from": name}}):
                    await sdk.send(data)
                await until(lambda: name in {user for user, _, data in server.backend.calls if b"from" in data})
            assert len(of(sdk, "connected")) == 1

        await all.each(works)


async def test_half_an_emoji_fails_alone(settings: Settings, subtests: pytest.Subtests) -> None:
    async with serving(settings) as server, crowd(subtests) as all:
        await all.start(server.url)
        await all.each(subscribed)

        async def survives(name: str, sdk: Sdk) -> None:
            whole, half = await asyncio.gather(sdk.rpc("echo", {"x": 1}), sdk.rpc("echo", {"x": "hello \ud83d"}))
            assert whole["data"] == {"x": 1}
            if isinstance(sdk, JavaScript | Python | Go) and not sdk.protobuf:
                assert half["error"]["code"] == 107 and "surrogate" in half["error"]["message"]
            assert (await sdk.rpc("echo", {"x": 2}))["data"] == {"x": 2}
            assert len(of(sdk, "connected")) == 1 and not of(sdk, "disconnected")

        await all.each(survives)


async def test_kill_9_and_back(settings: Settings, feed: Feed, subtests: pytest.Subtests) -> None:
    server = Process(settings, free_port())
    await server.start()
    try:
        async with crowd(subtests) as all:
            await all.start(server.url)
            await all.each(subscribed)
            sent = [f"before {n}" for n in range(20)]
            await all.feed(feed, *sent)
            await all.each(lambda name, sdk: until(lambda: texts(sdk)))
            await server.kill()
            missed = [f"missed {n}" for n in range(200)]
            await all.feed(feed, *missed)
            await server.start()
            await all.each(lambda name, sdk: until(lambda: len(texts(sdk)) >= 220))
            await all.feed(feed, "live")

            async def whole(name: str, sdk: Sdk) -> None:
                await until(lambda: "live" in texts(sdk))
                assert texts(sdk) == [*sent, *missed, "live"]
                assert of(sdk, "subscribed")[-1]["recovered"]

            await all.each(whole)
    finally:
        await server.kill()


async def test_after_these_codes_they_come_back(settings: Settings, feed: Feed, subtests: pytest.Subtests) -> None:
    async with serving(settings) as server, crowd(subtests) as all:
        await all.start(server.url)
        await all.each(subscribed)
        for turn, code in enumerate(AGAIN):
            writing = asyncio.create_task(all.feed(feed, f"{turn} a", f"{turn} b"))
            for name in all.sdks:
                close(server, name, code)
            await writing
            await all.each(partial(subscribed_so_often, times=turn + 2))
        sent = [f"{turn} {text}" for turn in range(len(AGAIN)) for text in "ab"]

        async def whole(name: str, sdk: Sdk) -> None:
            await until(lambda: len(texts(sdk)) >= len(sent))
            assert texts(sdk) == sent
            assert all_recovered(sdk)

        await all.each(whole)


def all_recovered(sdk: Sdk) -> bool:
    return all(event["recovered"] for event in of(sdk, "subscribed")[1:])


async def test_after_these_codes_they_stay_away(settings: Settings, subtests: pytest.Subtests) -> None:
    async with serving(settings) as server, crowd(subtests) as all:
        await all.start(server.url)
        for turn, code in enumerate(FINAL):

            async def ends(name: str, sdk: Sdk, turn: int = turn, code: int = code) -> None:
                await until(lambda: len(of(sdk, "subscribed")) == turn + 1)
                close(server, name, code)
                await until(lambda: len(of(sdk, "disconnected")) == turn + 1)
                assert (of(sdk, "disconnected")[-1]["code"], of(sdk, "disconnected")[-1]["reason"]) == (code, "test")
                await sdk.connect()

            await all.each(ends)


async def test_a_lost_place(settings: Settings, feed: Feed, subtests: pytest.Subtests) -> None:
    async with serving(settings, ring_records=4) as server, crowd(subtests) as all:
        await all.start(server.url)
        await all.each(subscribed)
        await all.feed(feed, "0")
        await all.each(lambda name, sdk: until(lambda: texts(sdk)))
        server.hub.peers.draining = True
        for name in all.sdks:
            close(server, name, 3001)
        await all.feed(feed, *map(str, range(1, 40)))
        await until(lambda: min(server.hub.here(name).cursor for name in all.sdks) >= cursor(40, 0))
        for partition in {feed.partition(name) for name in all.sdks}:
            await delete_before(settings, partition, 30)
        server.hub.peers.draining = False

        async def snapshot(name: str, sdk: Sdk) -> None:
            await until(lambda: len(of(sdk, "subscribed")) == 2)
            place = of(sdk, "subscribed")[1]
            assert (place["recovering"], place["recovered"]) == (True, False)
            await until(lambda: len(of(sdk, "pub")) >= 2)
            found = of(sdk, "pub")[1]
            assert found["data"]["type"] == "snapshot" and found["data"]["data"]["user"] == name
            assert found["offset"] == found["data"]["data"]["cursor"]

        await all.each(snapshot)
        for name in all.sdks:
            close(server, name, 3001)
        await all.feed(feed, "after")

        async def goes_on(name: str, sdk: Sdk) -> None:
            await until(lambda: "after" in texts(sdk))
            assert texts(sdk)[-1] == "after" and texts(sdk).count("after") == 1
            await until(lambda: of(sdk, "subscribed")[-1]["recovered"])

        await all.each(goes_on)


async def test_a_lost_place_of_an_app_that_keeps_its_own_state(
    settings: Settings, feed: Feed, subtests: pytest.Subtests
) -> None:
    # Java's SDK asks for no state.
    async with serving(settings) as server, crowd(subtests, CLIENTS[:-1]) as all:
        places = {client.name: server.hub.here(client.name).cursor for client in CLIENTS}
        lost, epoch = {"offset": 1, "epoch": "another"}, server.hub.epoch
        await all.start(
            server.url,
            data={"subscribe": "client"},
            subscribe=lambda name: f"user:{name}",
            states=lambda name: [lost, {"offset": places[name], "epoch": epoch}],
        )
        await all.each(subscribed)
        await all.feed(feed, "1")

        async def asked_again(name: str, sdk: Sdk) -> None:
            await until(lambda: texts(sdk) == ["1"])
            assert len(of(sdk, "state")) == 2 and [place["recovered"] for place in of(sdk, "subscribed")] == [True]
            # No snapshot, of which such an app knows nothing.
            assert len(of(sdk, "pub")) == 1

        await all.each(asked_again)


async def test_a_place_that_the_app_kept_and_a_signal(
    settings: Settings, feed: Feed, subtests: pytest.Subtests
) -> None:
    async with serving(settings) as server, crowd(subtests) as all:
        await all.start(server.url)
        await all.each(subscribed)
        # Different offsets for all of them; they start again from their first delta's.
        await all.feed(feed, "1")
        await all.each(lambda name, sdk: until(lambda: texts(sdk)))
        signal = {"signal": "typing", "room": "den", "users": ["bob"]}
        places = {}

        async def hears(name: str, sdk: Sdk) -> None:
            for peer in server.hub.peers.of_user(name):
                assert isinstance(peer, Connection) and peer.signal([msgspec.json.encode(signal)])
            await until(lambda: len(of(sdk, "pub")) == 2)
            assert of(sdk, "pub")[1]["data"] == signal and not of(sdk, "pub")[1].get("offset")
            places[name] = of(sdk, "pub")[0]["offset"]

        await all.each(hears)
        await all.feed(feed, "2", "3")
        await all.each(lambda name, sdk: until(lambda: len(texts(sdk)) == 3))
        first = max(places.values())
        since = {"since": {"offset": first, "epoch": server.hub.epoch}}
        before = dict(all.sdks)
        await all.start(server.url, data=since)

        async def goes_on(name: str, sdk: Sdk) -> None:
            await subscribed(name, sdk)
            assert sdk is not before[name] and of(sdk, "subscribed")[0]["recovered"]
            expected = [event["offset"] for event in of(before[name], "pub") if (event.get("offset") or 0) > first]
            await until(lambda: len(of(sdk, "pub")) == len(expected))
            assert [event["offset"] for event in of(sdk, "pub")] == expected

        await all.each(goes_on)


async def test_tokens(settings: Settings, subtests: pytest.Subtests) -> None:
    async with serving(settings) as server, crowd(subtests) as all:
        await all.start(server.url, lambda name: "nonsense")

        async def wrong(name: str, sdk: Sdk) -> None:
            await until(lambda: of(sdk, "disconnected"))
            assert of(sdk, "disconnected")[0]["code"] == 3500 and not of(sdk, "connected")

        await all.each(wrong)
        # They refresh a second before it ends, which is long enough for all to start on a busy machine.
        await all.start(
            server.url, lambda name: token(name, "brief", 10.0), renewals=lambda name: [token(name, "long")]
        )

        def sessions(name: str) -> list[str]:
            return [
                peer._session.identity.session
                for peer in server.hub.peers.of_user(name)
                if isinstance(peer, Connection) and peer._session.identity is not None
            ]

        async def refreshed(name: str, sdk: Sdk) -> None:
            await until(lambda: of(sdk, "asked") and sessions(name) == ["long"])
            assert len(of(sdk, "connected")) == 1 and not of(sdk, "disconnected")

        await all.each(refreshed)
        server.backend.revoked.add("long")
        server.hub.revoked("long")

        async def revoked(name: str, sdk: Sdk) -> None:
            await until(lambda: of(sdk, "disconnected"))
            assert of(sdk, "disconnected")[0]["code"] == 3500

        await all.each(revoked)


async def test_pings_keep_a_connection(settings: Settings, feed: Feed, subtests: pytest.Subtests) -> None:
    async with serving(msgspec.structs.replace(settings, ping_seconds=1)) as server, crowd(subtests) as all:
        await all.start(server.url)
        await all.each(subscribed)

        async def answers(name: str, sdk: Sdk) -> None:
            [peer] = server.hub.peers.of_user(name)
            assert isinstance(peer, Connection)
            timers = peer._session._timers
            first = timers._ping_at
            # Three were sent, and each was answered.
            await until(lambda: timers._ping_at > first + 2.5 and not timers._unanswered)
            assert len(of(sdk, "connected")) == 1 and not of(sdk, "disconnected")

        await all.each(answers)
