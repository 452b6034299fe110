"""S1 from registration to the end of a channel, over gRPC. Tests ``api/grpc/channels.py``, ``api/grpc/relaying.py`` and
``api/grpc/relays.py``."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any, NamedTuple

import grpc.aio
import pytest
from msgspec.structs import replace

from api.support import channel_servers
from api.support.channel_servers import Report
from infra.base import postgres
from infra.base.settings import Settings
from infra.embedded.ports import free_port
from push.relay.core_service_pb2 import Channel, LoginRequest, Message, RegisterRequest, ReportRequest
from tests.api.applications import App, person
from tests.api.conftest import minted
from tests.api.grpc.clients import SECONDS, Client, client, refusal
from tests.client import World
from tests.parts import Parts
from tests.running import until
from tests.servers import ALL, installation, serving

NAME = "expected a string of 1 to 64 characters, none of them a control character"
PASSWORD = "correct horse battery"
TOKEN = "channel-token"


class Account(NamedTuple):
    """Somebody who is logged in over S1."""

    rpc: Client
    id: str
    token: str

    async def __call__(self, path: str, message: Any) -> Any:
        return await self.rpc(path, message, self.token)

    async def refused(self, path: str, message: Any) -> Any:
        return await self.rpc.refused(path, message, self.token)

    async def channel(self, name: str = "Voice", limit: int = 5) -> Channel:
        found: Channel = await self("ChannelService/Create", Channel(name=name, limit=limit))
        return found

    async def listen(self, channel: int) -> tuple[str, str]:
        """The server's address and the channel token."""
        metadata = [("authorization", f"Bearer {self.token}")]
        call = self.rpc.method("ChannelService/Listen")(Channel(id=channel), metadata=metadata, timeout=SECONDS)
        answer = await call
        return answer.server.addr, dict(await call.initial_metadata())[TOKEN]

    async def listen_again(self, channel: int) -> tuple[str, str]:
        """The same as soon as it is let: one may listen every two seconds."""
        found: list[tuple[str, str]] = []

        async def let() -> bool:
            try:
                found.append(await self.listen(channel))
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.RESOURCE_EXHAUSTED:
                    raise
            return bool(found)

        await until(let, "a second listen")
        return found[0]


async def account(rpc: Client, name: str = "s1") -> Account:
    id = f"{name}-{secrets.token_hex(5)}"
    await rpc("UserService/Register", RegisterRequest(user_id=id, password=PASSWORD, name=name.title()))
    token = (await rpc("UserService/Login", LoginRequest(user_id=id, password=PASSWORD))).token
    return Account(rpc, id, token)


class Talking:
    """A connected member: sends, and has what it receives."""

    def __init__(self, call: Any) -> None:
        self.call = call
        self.received: list[Message] = []
        self.error: grpc.aio.AioRpcError | None = None
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        try:
            async for message in self.call:
                self.received.append(message)
        except grpc.aio.AioRpcError as error:
            self.error = error

    async def say(self, data: bytes, **fields: int) -> None:
        await self.call.write(Message(data=data, **fields))

    async def ended(self) -> Any:
        """How it was ended by the server."""
        await asyncio.wait_for(self._reading, SECONDS)
        assert self.error is not None
        return refusal(self.error)

    async def leave(self) -> None:
        self.call.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)


async def connect(address: str, token: str) -> Talking:
    """A member who is in the channel."""
    # Closed with the call, at the end of the process at the latest.
    channel = grpc.aio.insecure_channel(address)
    call = Client(channel).method("ChatService/Connect")(metadata=((TOKEN, token),))
    metadata = dict(await asyncio.wait_for(call.initial_metadata(), SECONDS))
    if "user-number" not in metadata:
        code, details = await call.code(), await call.details()
        raise AssertionError(f"not let in: {code} {details}")
    return Talking(call)


@pytest.fixture
async def ada(rpc: Client) -> Account:
    return await account(rpc, "ada")


@pytest.fixture
async def bob(rpc: Client) -> Account:
    return await account(rpc, "bob")


async def test_a_channel_from_its_beginning_to_its_end(ada: Account, bob: Account) -> None:
    made = await ada.channel("Voice", 2)
    assert made.id > 0 and (made.name, made.limit, list(made.users)) == ("Voice", 2, [])
    assert [one.id for one in await bob("ChannelService/List", Channel(id=made.id))] == [made.id]
    hers, his = await ada.listen(made.id), await bob.listen(made.id)
    first, second = await connect(*hers), await connect(*his)
    await first.say(b"hello", timestamp=7)
    await until(lambda: _true(second.received), "what ada said")
    assert (second.received[0].data, second.received[0].timestamp) == (b"hello", 7)
    assert second.received[0].user_id > 0 and not first.received

    async def seen() -> bool:
        ((found),) = await bob("ChannelService/List", Channel(id=made.id))
        return {(one.id, one.name) for one in found.users} == {(ada.id, "Ada"), (bob.id, "Bob")}

    await until(seen, "both in the list, within a report")
    # A third one finds it full; nobody but its owner deletes it.
    third = await account(ada.rpc, "eve")
    full = await third.refused("ChannelService/Listen", Channel(id=made.id))
    assert (full.status, full.reason) == ("FAILED_PRECONDITION", "TOO_MANY")
    assert (await bob.refused("ChannelService/Delete", Channel(id=made.id))).status == "PERMISSION_DENIED"
    await ada("ChannelService/Delete", Channel(id=made.id))
    for one in (first, second):
        assert (await one.ended()).status == "NOT_FOUND"
    assert (await ada.refused("ChannelService/List", Channel(id=made.id))).status == "NOT_FOUND"

    async def unlisted() -> bool:
        # Somebody else's command: the read models may be a moment behind.
        try:
            await bob("ChannelService/List", Channel(id=made.id))
        except grpc.aio.AioRpcError as error:
            return error.code() is grpc.StatusCode.NOT_FOUND
        return False

    await until(unlisted, "he finds it no more")
    assert (await ada.refused("ChannelService/Listen", Channel(id=made.id))).status == "NOT_FOUND"


async def test_who_watches_is_told_at_once_who_comes_and_goes(world: World, ada: Account, bob: Account) -> None:
    channel = (await ada.channel("Signals", 5)).id
    eve = await world.person("eve")
    socket = await world.socket(eve.token)
    await socket.rpc("channels.watch", {"channels": [channel, channel + 1000]})

    def told() -> list[list[str]]:
        found = [one for one in socket.signals if one["signal"] == "channel" and one["channel"] == channel]
        return [[user["id"] for user in one["users"]] for one in found]

    async def now(*names: str) -> None:
        await until(lambda: _true(told() and told()[-1] == list(names)), f"told of {names}")

    await now()
    first = await connect(*await ada.listen(channel))
    await now(ada.id)
    second = await connect(*await bob.listen(channel))
    await now(ada.id, bob.id)
    assert all(user["number"] and user["user"] for user in socket.signals[-1]["users"])
    await first.leave()
    await now(bob.id)
    await second.call.done_writing()
    await now()
    # A second one is told what is, and a block hides.
    third = await connect(*await ada.listen_again(channel))
    await now(ada.id)
    found = (await eve.do("users.find", name=ada.id))["users"]
    await eve.do("relationships.set", user=found[0]["id"], type="block")
    await now()
    await third.leave()
    await second.leave()


async def _true(value: object) -> bool:
    return bool(value)


async def test_deleting_cuts_at_once_and_does_not_wait_for_a_report(parts: Parts) -> None:
    async with installation(parts) as settings:
        own = replace(
            settings, grpc_port=free_port(), channel_report_seconds=3600.0, channel_server_seconds=7200.0
        )  # fmt: skip
        async with serving(own, ALL | {"relay"}), client(own.grpc_address) as rpc:
            ada = await account(rpc, "ada")
            made = await ada.channel()
            member = await connect(*await ada.listen(made.id))
            # One that serves it too, lives by its report, and does not answer: deleting is done all the same.
            gone = Report(f"gone@127.0.0.1:{free_port()}", "127.0.0.1:1", "", "Gone", {}, {made.id: {}})
            async with postgres.connected(own) as connection:
                await channel_servers.record(connection, gone, own.channel_server_seconds)
            await ada("ChannelService/Delete", Channel(id=made.id))
            assert await member.ended() == (
                "NOT_FOUND", "the channel was deleted", "CHANNEL_DELETED", "", {}, None
            )  # fmt: skip


async def test_ids_go_up_and_all_are_listed(ada: Account) -> None:
    made = [(await ada.channel(f"Room {n}")).id for n in range(4)]
    assert made == sorted(set(made))
    listed = await ada("ChannelService/List", Channel())
    ids = [one.id for one in listed]
    assert set(made) <= set(ids) and ids == sorted(set(ids))


async def test_a_user_is_in_one_channel_at_a_time(ada: Account, bob: Account) -> None:
    one, two = await ada.channel("One"), await ada.channel("Two")
    first = await connect(*await bob.listen(one.id))
    second = await connect(*await bob.listen_again(two.id))
    assert (await first.ended()).status == "ABORTED"
    await second.leave()


async def test_who_logs_out_is_cut_off(world: World, ada: Account, bob: Account) -> None:
    channel = (await ada.channel()).id
    first, second = await connect(*await ada.listen(channel)), await connect(*await bob.listen(channel))
    await world.call("sessions.close", {"session": "current"}, token=ada.token)
    ended = await first.ended()
    assert (ended.status, ended.reason) == ("UNAUTHENTICATED", "TOKEN_REVOKED")
    # Neither does a token that was given before let anybody in.
    address, token = await bob.listen_again(channel)
    await world.call("sessions.close", {"session": "current"}, token=bob.token)
    ended = await second.ended()
    assert (ended.status, ended.reason) == ("UNAUTHENTICATED", "TOKEN_REVOKED")
    with pytest.raises(AssertionError, match=r"UNAUTHENTICATED.*session that listened was closed"):
        await connect(address, token)


async def test_whose_tokens_are_revoked_is_cut_off(
    world: World, installed: Settings, rpc: Client, ada: Account
) -> None:
    """A token that the default application has signed: there is no session to be closed."""
    rolled = await world.call("apps.roll_key", {"app": "default"}, token=minted(installed))
    app = App("default", rolled["key"], rolled["secret"])
    signed = await person(world, app, "signed", "http")
    one = Account(rpc, signed.username, signed.token)
    channel = (await ada.channel()).id
    inside, other = await connect(*await one.listen(channel)), await connect(*await ada.listen(channel))
    # Given while the token held, used when it does not any more.
    address, token = await one.listen_again(channel)
    await world.call("users.revoke_tokens", {"user": signed.id}, token=app.server)
    ended = await inside.ended()
    assert (ended.status, ended.reason) == ("UNAUTHENTICATED", "TOKEN_REVOKED")
    late = await connect(address, token)
    ended = await late.ended()
    assert (ended.status, ended.reason) == ("UNAUTHENTICATED", "TOKEN_REVOKED")
    assert other.error is None
    await other.leave()


async def test_whom_a_block_parts_are_not_together_for_long(world: World, ada: Account, bob: Account) -> None:
    channel = (await ada.channel()).id
    # Both are let before either is in.
    hers, his = await ada.listen(channel), await bob.listen(channel)
    first, second = await connect(*hers), await connect(*his)
    found = (await world.call("users.find", {"name": bob.id}, token=ada.token))["users"]
    await world.call("relationships.set", {"user": found[0]["id"], "type": "block"}, token=ada.token)
    ended = await second.ended()
    assert (ended.status, ended.reason) == ("PERMISSION_DENIED", "FORBIDDEN")
    assert first.error is None
    await first.leave()


async def test_a_channel_that_was_given_away_is_left(world: World, installed: Settings, ada: Account) -> None:
    channel = (await ada.channel()).id
    member = await connect(*await ada.listen(channel))
    # As if this relay had been silent, and another one had taken over.
    other = Report("another", "127.0.0.1:1", "", "Another", {}, {channel: {}})
    async with postgres.connected(installed) as connection:
        await channel_servers.record(connection, other, installed.channel_server_seconds)
        try:
            await connection.execute("update channel_places set server = 'another' where channel = $1", channel)
            ended = await member.ended()
            assert (ended.status, ended.reason) == ("UNAVAILABLE", "CHANNEL_ELSEWHERE")
        finally:
            await channel_servers.forget(connection, "another")
            await connection.execute("delete from channel_places where channel = $1", channel)


async def test_listening_twice_within_two_seconds_is_refused(ada: Account) -> None:
    channel = await ada.channel()
    await ada.listen(channel.id)
    refused = await ada.refused("ChannelService/Listen", Channel(id=channel.id))
    assert (refused.status, refused.reason) == ("RESOURCE_EXHAUSTED", "RATE_LIMITED")
    assert refused.retry is not None and 0 < refused.retry <= 2


async def test_a_channel_token_is_used_once_and_none_is_no_way_in(ada: Account) -> None:
    channel = await ada.channel()
    address, token = await ada.listen(channel.id)
    await (await connect(address, token)).leave()
    for given in (((TOKEN, token),), ((TOKEN, "x"),), ((TOKEN, ada.token),), ()):
        async with client(address) as found:
            call = found.method("ChatService/Connect")(metadata=given, timeout=SECONDS)
            assert await call.code() is grpc.StatusCode.UNAUTHENTICATED, given


@pytest.mark.parametrize(
    ("given", "field", "expected"),
    [
        ({"name": ""}, "name", "expected"),
        ({"name": "x" * 65}, "name", f"{NAME}, got a string of 65 characters"),
        ({"name": "two\nlines"}, "name", "expected"),
        ({"limit": 0}, "limit", "expected"),
        ({"limit": 26}, "limit", "expected"),
    ],
    ids=["no_name", "long_name", "lines", "no_limit", "high_limit"],
)
async def test_what_does_not_fit_is_told_by_its_field(
    ada: Account, given: dict[str, Any], field: str, expected: str
) -> None:
    fields = {"name": "Voice", "limit": 5, **given}
    refused = await ada.refused("ChannelService/Create", Channel(**fields))
    assert (refused.status, list(refused.fields)) == ("INVALID_ARGUMENT", [field])
    assert refused.fields[field].startswith(expected)


async def test_every_method_needs_its_caller(rpc: Client, ada: Account, installed: Settings, world: World) -> None:
    """Without a token, and with the token of somebody who may not."""
    channel = Channel(id=1)
    for name in ("List", "Create", "Delete", "Listen", "Report"):
        message = ReportRequest() if name == "Report" else channel
        assert (await rpc.refused(f"ChannelService/{name}", message)).status == "UNAUTHENTICATED", name
    assert (await ada.refused("ChannelService/Report", ReportRequest())).status == "PERMISSION_DENIED"
    for name in ("Add", "Remove"):
        for token in ("", ada.token):
            refused = await rpc.refused(f"ChatService/{name}", Channel(id=1, name="x", limit=1), token)
            assert refused.status == "PERMISSION_DENIED", name


async def test_nothing_that_is_said_is_kept(
    ada: Account, bob: Account, installed: Settings, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    marker = f"marker-{secrets.token_hex(8)}".encode()
    channel = await ada.channel()
    first, second = await connect(*await ada.listen(channel.id)), await connect(*await bob.listen(channel.id))
    await first.say(marker)
    await until(lambda: _true(second.received), "what ada said")
    metrics = (await world.request("GET", "/metrics")).body
    assert marker not in metrics and marker.decode() not in caplog.text
    await first.leave()
    await second.leave()
