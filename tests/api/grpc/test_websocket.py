"""Live channels for browsers in a whole installation: who is sent where, and from which pages. Tests
``api/grpc/relaying.py``, ``api/channels.py`` and ``push/relay/websocket.py``."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import aiohttp
import pytest
from msgspec.structs import replace
from starlette.routing import WebSocketRoute
from websockets.asyncio.client import connect as socket

from infra.base.settings import Settings, load
from infra.embedded.ports import free_port
from infra.ops import roles
from push.relay.core_service_pb2 import Message
from tests.api.grpc.clients import SECONDS
from tests.api.grpc.test_channels import connect
from tests.client import Person, World
from tests.push.relay.socketing import SocketMember
from tests.running import until
from tests.servers import ALL
from tests.sockets import raw


@pytest.fixture
async def channel(world: World) -> int:
    maker = await world.person("maker")
    return int((await maker.do("channels.create", name="Voice", limit=5))["channel"]["id"])


@pytest.fixture
async def sockets(installed: Settings) -> AsyncIterator[list[str]]:
    """Paths of WebSockets in a process of all roles, the relay's among them."""
    async with roles.running(replace(installed, grpc_port=free_port()), ALL | {"relay"}) as app:
        yield sorted(route.path for route in app.routes if isinstance(route, WebSocketRoute))


async def test_people_of_both_transports_talk_in_one_channel(world: World, installed: Settings, channel: int) -> None:
    ada, bob, eve = [await world.person(name) for name in ("ada", "bob", "eve")]
    hers, his, other = [await one.do("channels.listen", channel=channel) for one in (ada, bob, eve)]
    assert hers["url"] == f"ws://{installed.address}/v1/channels/{channel}/connect"
    async with socket(hers["url"]) as one, socket(his["url"]) as two:
        first, second = SocketMember(one), SocketMember(two)
        assert await first.show(hers["token"]) == {"number": hers["number"], "channel": channel}
        await second.show(his["token"])
        third = await connect(other["server"]["address"], other["token"])
        await first.say(b"from a browser", timestamp=7)
        (heard,) = await second.received(1)
        assert (heard.user_id, heard.timestamp, heard.data) == (hers["number"], 7, b"from a browser")
        await until(lambda: _has(third.received), "what ada said")
        assert third.received[0] == heard
        await third.say(b"from a program")
        assert [each.user_id for each in await first.received(1)] == [other["number"]]
        await third.leave()
        # Who has listened anew is cut off where they were, without the other transport's help.
        assert await _users(world, ada, channel) == {ada.username, bob.username}


async def _has(found: list[Message]) -> bool:
    return bool(found)


async def _users(world: World, person: Person, channel: int) -> set[str]:
    """Who is in the channel once the one who has left is not any more."""
    found: set[str] = set()

    async def two() -> bool:
        users = (await person.do("channels.get", channel=channel))["channel"]["users"]
        found.clear()
        found.update(one["id"] for one in users)
        return len(found) == 2

    await until(two, "two in the channel, within two reports")
    return found


async def test_a_deleted_channel_tells_its_browsers(world: World) -> None:
    ada = await world.person("ada")
    channel = (await ada.do("channels.create", name="Voice", limit=5))["channel"]["id"]
    told = await ada.do("channels.listen", channel=channel)
    async with socket(told["url"]) as one:
        member = SocketMember(one)
        await member.show(told["token"])
        await ada.do("channels.delete", channel=channel)
        code, said = await member.ended()
        assert (code, said["type"]) == (4005, "channel_deleted")


async def test_every_websocket_is_known_and_refuses_foreign_names_and_pages(
    installed: Settings, world: World, sockets: list[str]
) -> None:
    assert sockets == ["/v1/channels/{channel}/connect", "/v1/connection"]
    head = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    head += "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    own = f"Host: 127.0.0.1:{installed.port}\r\n"
    for path in (one.replace("{channel}", "1") for one in sockets):
        for lines, status, code in (
            ("Host: evil.example\r\n", 421, "misdirected"),
            (f"{own}Origin: https://evil.example\r\n", 403, "forbidden"),
            (f"{own}Origin: null\r\n", 403, "forbidden"),
            (f"{own}Origin: http://127.0.0.1:{installed.port + 1}\r\n", 403, "forbidden"),
        ):
            async with raw(installed.port, f"GET {path} HTTP/1.1\r\n{lines}{head}".encode()) as client:
                reply = await client.reply()
                assert (reply.status, reply.code) == (status, code), (path, lines)
        origin = f"Origin: http://127.0.0.1:{installed.port}\r\n"
        async with raw(installed.port, f"GET {path} HTTP/1.1\r\n{own}{origin}{head}".encode()) as client:
            assert (await client.reply()).status == 101, path
    for path in ("/v1/channels/1", "/v1/channels/1/connect/", "/v1/channels/1/listen", "/v1/channels//connect"):
        async with raw(installed.port, f"GET {path} HTTP/1.1\r\n{own}{head}".encode()) as client:
            assert (await client.reply()).code == "not_found", path


async def test_nobody_comes_in_without_a_channel_token(world: World, channel: int) -> None:
    ada = await world.person("ada")
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SECONDS)) as http:
        for token in ("", "x", ada.token):
            async with http.ws_connect(f"{world.url}/v1/channels/{channel}/connect") as found:
                await found.send_str(token)
                answer = await found.receive()
                assert answer.type is aiohttp.WSMsgType.CLOSE and answer.data == 4016, token
                assert json.loads(answer.extra or "")["type"] == "channel_token_invalid"


def test_where_browsers_reach_the_relay_is_a_setting() -> None:
    assert Settings(port=8404).relay_base == "ws://127.0.0.1:8404"
    assert Settings(advertise="node2:8404").relay_base == "ws://node2:8404"
    url = "wss://voice.example.org/relay"
    assert load({"KLATSCH_RELAY_URL": f"{url}/"}).relay_base == url
    for wrong in ("https://voice.example.org", "wss://voice.example.org/?x=1", "voice.example.org", "wss://a b"):
        with pytest.raises(ValueError, match="KLATSCH_RELAY_URL: expected a base URL such as"):
            load({"KLATSCH_RELAY_URL": wrong})
