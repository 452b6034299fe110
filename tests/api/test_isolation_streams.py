"""Whoever goes on from a place in a stream of another application, or names a channel of it, receives their own only:
over every transport, and by every command that names a channel. Tests ``push/protocol/session.py``,
``push/transports/sse.py``, ``push/delivery/pull.py`` and ``api/presence.py``."""

from __future__ import annotations

import asyncio
import typing
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from uuid import uuid4

import aiohttp
import msgspec
import pytest

from events.core.clock import uuid7
from events.core.feed import partition_of
from infra.base.settings import Settings
from push.protocol import codes, frames
from tests.api.applications import made, person
from tests.api.test_blocks_walk import Fields
from tests.api.test_isolation import APART, sides
from tests.client import OPERATIONS, Person, Socket, World
from tests.running import PATIENCE, until

#: Fields of the commands that name a channel, and what else each is given. ``PLACE`` is the other's place.
COMMANDS: dict[str, list[Fields]] = {
    "subscribe": [{}, {"recover": True}, {"recover": True, "flag": 2}],
    "unsubscribe": [{}],
    "presence": [{}],
    "presence_stats": [{}],
    "history": [{}, {"limit": 100}, {"limit": 100, "since": "PLACE"}],
    "sub_refresh": [{}],
}
#: Names by which somebody might take a channel for that of another, each with the error that is told.
CHANNELS = {
    "user:USER": codes.PERMISSION_DENIED, "user:ROOM": codes.PERMISSION_DENIED, "USER": codes.UNKNOWN_CHANNEL,
    "ROOM": codes.UNKNOWN_CHANNEL, "room:ROOM": codes.UNKNOWN_CHANNEL, "#ROOM": codes.UNKNOWN_CHANNEL,
    "APP/user:USER": codes.UNKNOWN_CHANNEL,
}  # fmt: skip


class Place(NamedTuple):
    """A place in a stream."""

    offset: int
    epoch: str

    @property
    def text(self) -> str:
        return f"{self.epoch}:{self.offset}"


class Streams(NamedTuple):
    """Somebody of whom much is told after a place of theirs, and those who are apart from them."""

    owner: Person
    place: Place
    #: Of the owner's part of the feed, and of another.
    callers: list[Person]
    #: Ids of the owner's application.
    hidden: list[str]
    there: dict[str, str]
    unknown: dict[str, str]

    def shown(self, text: str) -> list[str]:
        """What of the owner's stands in a text."""
        return [id for id in self.hidden if id in text]


async def streams(world: World, installed: Settings, operator: str, apart: str = "application") -> Streams:
    one, other = await sides(world, operator, apart)
    owner, third = await one.person(world, "owner", "http"), await one.person(world, "third", "http")
    callers: dict[bool, Person] = {}
    while len(callers) < 2:
        caller = await other.person(world, "caller", "http")
        part, parts = partition_of(owner.id, installed.feed_partitions), installed.feed_partitions
        callers[partition_of(caller.id, parts) == part] = caller
    epoch, _, offset = (await owner.do("changes.pull"))["cursor"].rpartition(":")
    place = Place(int(offset), epoch)
    room = await owner.group(third)
    posted = (await third.say(room))["id"]

    async def heard() -> bool:
        return posted in repr(await owner.do("changes.pull", since=place.text))

    await until(heard, "the owner has received the message")
    there = {"USER": owner.id, "ROOM": room, "APP": one.app.id}
    unknown = {"USER": str(uuid4()), "ROOM": uuid7(), "APP": uuid7()}
    return Streams(owner, place, [callers[True], callers[False]], [owner.id, third.id, room, posted], there, unknown)


@asynccontextmanager
async def connected(world: World) -> AsyncIterator[Socket]:
    """A push connection before its first command."""
    socket = Socket(await world.http.ws_connect(f"{world.url}/v1/connection", max_msg_size=1 << 24), world)
    try:
        yield socket
    finally:
        await socket.close()


async def told(found: Streams, caller: Person) -> str:
    """Something of the owner's and then of the caller's own happens; what the caller's ends with."""
    room = found.there["ROOM"]
    await found.owner.do("signals.type", room=room, typing=True)
    found.hidden.append((await found.owner.say(room))["id"])
    return await caller.group()


async def pushed(socket: Socket, own: str) -> str:
    """All that a connection received, once it has what is its user's own."""

    async def there() -> bool:
        return own in repr(socket.pushed)

    await until(there, "the caller has received their own")
    return repr(socket.pushed) + repr(socket.signals)


@pytest.mark.parametrize("apart", APART)
async def test_a_connection_goes_on_from_a_place_of_another_in_ones_own(
    world: World, installed: Settings, operator: str, apart: str
) -> None:
    found = await streams(world, installed, operator, apart)
    place = found.place._asdict()
    for caller in found.callers:
        theirs, mine = f"user:{found.owner.id}", f"user:{caller.id}"
        for how in (
            {"data": {"since": place}}, {"subs": {mine: {"recover": True, **place}}},
            {"subs": {theirs: {"recover": True, **place}}}, {"data": {"subscribe": "client"}},
        ):  # fmt: skip
            async with connected(world) as socket:
                reply = await socket.command("connect", {"token": caller.token, **how})
                if how == {"data": {"subscribe": "client"}}:
                    assert reply["connect"].get("subs") is None
                    reply = await socket.command("subscribe", {"channel": mine, "recover": True, **place})
                else:
                    assert list(reply["connect"]["subs"]) == [mine]
                received = await pushed(socket, await told(found, caller))
                history = await socket.command("history", {"channel": mine, "limit": 1000, "since": place})
                assert not found.shown(repr(reply) + received + repr(history)), how


@pytest.mark.parametrize("apart", APART)
async def test_events_go_on_from_a_place_of_another_in_ones_own(
    world: World, installed: Settings, operator: str, apart: str
) -> None:
    found = await streams(world, installed, operator, apart)
    for caller in found.callers:
        bearer = {"Authorization": f"Bearer {caller.token}"}
        for given in ({"params": {"since": found.place.text}}, {"headers": {"Last-Event-ID": found.place.text}}):
            headers = bearer | given.get("headers", {})
            async with world.http.get(f"{world.url}/v1/stream", headers=headers, params=given.get("params")) as stream:
                assert stream.status == 200
                text = await read_to(stream.content, await told(found, caller))
                assert not found.shown(text), given


async def read_to(content: aiohttp.StreamReader, own: str) -> str:
    """What comes of a stream up to the line with what is one's own."""
    text = ""
    async with asyncio.timeout(PATIENCE):
        while own not in text:
            line = await content.readline()
            assert line, "the stream goes on"
            text += line.decode()
    return text


@pytest.mark.parametrize("apart", APART)
async def test_a_pull_goes_on_from_a_place_of_another_in_ones_own(
    world: World, installed: Settings, operator: str, apart: str
) -> None:
    found = await streams(world, installed, operator, apart)
    for caller in found.callers:
        assert not found.shown(await pulled(caller, found.place, await told(found, caller)))


async def pulled(caller: Person, place: Place, own: str) -> str:
    """What one pulls from a place, once it has what is one's own."""

    async def page() -> str:
        text = repr(await caller.do("changes.pull", since=place.text, limit=1000))
        return text if own in text else ""

    found: str = await until(page, "the caller has pulled their own")
    return found


def test_the_walk_names_every_command_with_a_channel() -> None:
    named = set()
    for command, kind in typing.get_type_hints(frames.Wire).items():
        bodies = [one for one in typing.get_args(kind) if isinstance(one, type) and issubclass(one, msgspec.Struct)]
        named |= {command for body in bodies if "channel" in body.__struct_fields__}
    assert named == COMMANDS.keys()


@pytest.mark.parametrize("apart", APART)
async def test_a_channel_of_another_is_refused_as_one_of_nobody(
    world: World, installed: Settings, operator: str, apart: str
) -> None:
    found = await streams(world, installed, operator, apart)
    place = found.place._asdict()
    for caller in found.callers:
        async with connected(world) as socket:
            await socket.command("connect", {"token": caller.token})
            for command, listed in COMMANDS.items():
                for fields in listed:
                    body = {name: place if value == "PLACE" else value for name, value in fields.items()}
                    body |= place if "recover" in fields else {}
                    for name, error in CHANNELS.items():
                        said = await commanded(socket, command, name, body, found.there)
                        assert said == await commanded(socket, command, name, body, found.unknown)
                        expected = {"code": error.code, "message": error.message}
                        assert said == ({"unsubscribe": {}} if command == "unsubscribe" else {"error": expected})
            assert not found.shown(await pushed(socket, await told(found, caller)))


async def commanded(socket: Socket, command: str, channel: str, body: Fields, words: dict[str, str]) -> dict[str, Any]:
    """The reply to a command on a channel, without its number."""
    for word, id in words.items():
        channel = channel.replace(word, id)
    reply = await socket.command(command, {"channel": channel, **body})
    return {name: value for name, value in reply.items() if name != "id"}


async def test_a_connection_becomes_nobodys_of_another_application(
    world: World, installed: Settings, operator: str
) -> None:
    """A token of another ends it as one that is no good, and a server's is none for a connection."""
    found, app = await streams(world, installed, operator), await made(world, operator)
    ada = await person(world, app, "ada", "http")
    for token in (found.owner.token, "garbage", app.server, app.signed(sub=found.owner.username)):
        async with connected(world) as socket:
            await socket.command("connect", {"token": ada.token})
            with pytest.raises(ConnectionError, match="3500"):
                await socket.command("refresh", {"token": token})
            assert not found.shown(repr(socket.pushed))
    for token in (app.server, app.signed(sub=found.owner.username), app.signed(sub=str(uuid4()))):
        async with connected(world) as socket:
            with pytest.raises(ConnectionError, match="3500"):
                await socket.command("connect", {"token": token})
        async with world.http.get(f"{world.url}/v1/stream", headers={"Authorization": f"Bearer {token}"}) as stream:
            assert stream.status == 401


async def test_live_channels_are_none_of_another_application(world: World, operator: str) -> None:
    ada = await world.person("ada")
    channel = (await ada.do("channels.create", name="Raid", limit=5))["channel"]["id"]
    app = await made(world, operator)
    for via in ("http", "rpc"):
        caller = await person(world, app, "caller", via)
        for name, row in OPERATIONS.items():
            if not row.default_app or (row.only_rpc and via == "http"):
                continue
            for id in (channel, 4_000_000_000):
                fields: Fields = dict.fromkeys(row.path_parameters, id)
                assert await caller.refused(name, **fields) == "forbidden", (name, via)
