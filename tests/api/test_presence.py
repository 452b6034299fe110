"""Presence and typing as clients say, receive and ask it, and who may know."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pytest

from infra.base.settings import Settings
from infra.embedded.ports import free_port
from infra.ops.generate.answers import components
from push.presence.presence_hub import RATE
from tests.client import Person, Refusal, Socket, Via, World, visiting
from tests.parts import Parts
from tests.running import until
from tests.servers import installation, serving


@pytest.fixture(scope="module")
async def brisk(parts: Parts) -> AsyncIterator[Settings]:
    """An installation in which whoever has no connection is soon gone: 0.3 s after the last one."""
    async with installation(parts) as settings:
        yield msgspec.structs.replace(settings, presence_seconds=3.0)


@pytest.fixture(scope="module")
async def world(brisk: Settings) -> AsyncIterator[World]:
    """A client of it."""
    async with serving(brisk) as url, visiting(url) as world:
        yield world


@pytest.fixture
async def ada(world: World, via: Via) -> Person:
    return await world.person("ada", via=via)


@pytest.fixture
async def bob(world: World, via: Via) -> Person:
    return await world.person("bob", via=via)


async def soon(true: Callable[[], object], what: str) -> None:
    async def ask() -> object:
        return true()

    await until(ask, what, 15)


def latest(socket: Socket, user: str) -> tuple[str, str | None]:
    """Status and room of a user as a connection received them last; offline without a word."""
    for signal in reversed(socket.signals):
        for one in signal["users"] if signal["signal"] == "presence" else ():
            if one["user"] == user:
                return one["status"], one["room"]
    return "offline", None


def told(socket: Socket, user: str) -> list[tuple[str, str | None]]:
    """All that a connection received of a user's presence, in order: what holds for 2 s may be over when one looks."""
    signals = [signal for signal in socket.signals if signal["signal"] == "presence"]
    return [(one["status"], one["room"]) for signal in signals for one in signal["users"] if one["user"] == user]


def last(socket: Socket, kind: str, room: str) -> Any:
    """The latest typing or watching signal of a room."""
    found = [one for one in socket.signals if one["signal"] == kind and one["room"] == room]
    return {name: value for name, value in found[-1].items() if name not in ("signal", "room")} if found else None


async def asked(person: Person, *others: Person) -> list[tuple[str, str | None]]:
    """What ``presence.get`` says of some people."""
    answer = await person.do("presence.get", users=",".join(other.id for other in others))
    assert [one["user"] for one in answer["presence"]] == [other.id for other in others]
    assert all(one["active"] for one in answer["presence"] if one["status"] != "offline")
    return [(one["status"], one["room"]) for one in answer["presence"]]


async def present(person: Person, *, to: Person | None = None) -> Socket:
    """A connection of a person, once it shows (to ``to``)."""
    socket = await person.world.socket(person.token)

    async def shows() -> bool:
        return (await asked(to or person, person))[0][0] != "offline"

    await until(shows, "presence shows", 15)
    return socket


async def test_those_who_share_a_room_hear_of_coming_idling_and_going(brisk: Settings) -> None:
    drowsy = msgspec.structs.replace(brisk, port=free_port(), away_seconds=2.0)
    async with serving(drowsy) as url, visiting(url) as world:
        ada, bob = await world.person("ada"), await world.person("bob")
        room = await ada.group(bob)
        ear, socket = await present(ada), await present(bob)
        await soon(lambda: "online" in {status for status, _ in told(ear, bob.id)}, "bob is online")
        await socket.rpc("presence.set", {"room": room})
        await soon(lambda: ("online", room) in told(ear, bob.id), "bob shows the room")
        await soon(lambda: latest(socket, ada.id)[0] != "offline", "who comes receives those who are there")
        await soon(lambda: latest(ear, bob.id) == ("away", room), "bob is away")
        await socket.rpc("rooms.get", {"room": room})
        await socket.rpc("members.read", {"room": room, "seq": 0})
        assert (await asked(ada, bob))[0][0] == "away", "what apps do by themselves shows nobody"
        before = len(told(ear, bob.id))
        await socket.rpc("messages.send", {"room": room, "token": "t", "type": "text", "content": {"text": "x"}})
        await soon(lambda: ("online", room) in told(ear, bob.id)[before:], "bob is back")
        await socket.rpc("presence.set", {"room": None, "status": "away"})
        await soon(lambda: latest(ear, bob.id) == ("away", None), "bob says so himself")
        await socket.close()
        await soon(lambda: latest(ear, bob.id) == ("offline", None), "bob has gone")
        users = [one for signal in ear.signals if signal["signal"] == "presence" for one in signal["users"]]
        assert all((one["active"] is None) == (one["status"] == "offline") for one in users)


async def test_when_somebody_was_seen_last_is_noted_once_they_have_gone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("producers.users.SEEN_SECONDS", 0.0)
    person = await world.person("guest")
    before = (await person.do("users.me"))["user"]["seen"]
    first, second = await present(person), await world.socket(person.token)
    await first.close()
    assert (await asked(person, person))[0][0] == "online"
    assert (await person.do("users.me"))["user"]["seen"] == before, "another connection is still there"
    await second.close()

    async def noted() -> bool:
        return bool((await person.do("users.me"))["user"]["seen"] > before)

    await until(noted, "it is noted", 15)


async def test_of_somebody_offline_friends_are_told_when_they_were_last_seen(world: World, ada: Person) -> None:
    # Over HTTP: a connection of bob's would show.
    bob = await world.person("bob")
    seen = (await bob.do("users.me"))["user"]["seen"]
    (stranger,) = (await ada.do("presence.get", users=bob.id))["presence"]
    assert stranger == {"user": bob.id, "status": "offline", "active": None, "room": None}
    await ada.group(bob)
    (known,) = (await ada.do("presence.get", users=bob.id))["presence"]
    assert seen and known == {"user": bob.id, "status": "offline", "active": seen, "room": None}
    # As the reference says it.
    about = str(components()["Presence"]["properties"]["active"]["description"])
    assert "for somebody offline, when they were last seen" in about and "null: never, or you may not know" in about


async def test_who_may_ask_for_somebody_s_presence(world: World, ada: Person, bob: Person) -> None:
    socket = await present(bob)
    assert await asked(ada, bob) == [("offline", None)], "a stranger"
    await ada.do("relationships.set", user=bob.id, type="friend")
    assert await asked(ada, bob) == [("offline", None)], "who calls him a friend without being his"
    await bob.do("relationships.set", user=ada.id, type="friend")
    assert (await asked(ada, bob))[0][0] == "online"
    own = await bob.group()
    await socket.rpc("presence.set", {"room": own})
    room = await bob.group(ada)
    await bob.do("relationships.set", user=ada.id, type=None)
    assert (await asked(ada, bob))[0] == ("online", None), "a room in common, but he shows another"
    await socket.rpc("presence.set", {"room": room})

    async def shows() -> bool:
        return (await asked(ada, bob)) == [("online", room)]

    await until(shows, "the room that both are in", 15)
    for blocker, other in ((ada, bob), (bob, ada)):
        await blocker.do("relationships.set", user=other.id, type="block")
        assert await asked(ada, bob) == [("offline", None)]
        await blocker.do("relationships.set", user=other.id, type=None)
    await ada.do("members.remove", room=room, user="me")
    assert await asked(ada, bob) == [("offline", None)], "she has left"
    assert (await asked(bob, bob))[0][0] == "online"


async def test_a_room_s_participants(ada: Person, bob: Person, world: World) -> None:
    eve = await world.person("eve")
    room = await ada.group(bob, eve)
    await asyncio.gather(*(present(person) for person in (ada, bob, eve)))
    socket = await present(bob)
    await socket.rpc("presence.set", {"room": room})

    async def of_room(person: Person) -> tuple[set[str], int, list[str], int]:
        answer = await person.do("presence.room", room=room)
        return set(answer["online"]), answer["count"], answer["watching"], answer["watchers"]

    async def watched() -> bool:
        return await of_room(ada) == ({ada.id, bob.id, eve.id}, 3, [bob.id], 1)

    await until(watched, "three are there, one shows the room", 15)
    await bob.do("relationships.set", user=eve.id, type="block")
    assert await of_room(eve) == ({ada.id, eve.id}, 2, [], 0), "not even that there is one more"
    await eve.do("members.remove", room=room, user="me")
    with pytest.raises(Refusal, match="not_found"):
        await of_room(eve)


async def test_typing_is_heard_by_the_others_until_the_message_comes(world: World) -> None:
    ada, bob, bot = [await world.person(name) for name in ("ada", "bob", "bot")]
    room = await ada.group(bob, bot)
    ear, own = await present(ada), await present(bob)
    await bot.do("signals.type", room=room, typing=True)
    await soon(lambda: last(ear, "typing", room) == {"users": [bot.id]}, "somebody without a connection types")
    await own.rpc("signals.type", {"room": room, "typing": True})
    await soon(lambda: last(ear, "typing", room) == {"users": [bot.id, bob.id]}, "two type")
    assert last(own, "typing", room) == {"users": [bot.id]}, "nobody hears of themselves"
    await bot.do("signals.type", room=room, typing=False)
    await soon(lambda: last(ear, "typing", room) == {"users": [bob.id]}, "one has stopped")
    await bob.say(room)
    await soon(lambda: last(ear, "typing", room) == {"users": []}, "the message ends it")


async def test_a_former_member_hears_nothing_and_shows_nowhere(world: World) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    room = await ada.group(bob)
    stays, leaves = await present(ada), await present(bob)
    await leaves.rpc("presence.set", {"room": room})
    await stays.rpc("presence.set", {"room": room})
    await soon(lambda: (last(stays, "watching", room) or {}).get("count") == 2, "both show it")
    await soon(lambda: (last(leaves, "watching", room) or {}).get("count") == 2, "both know it")
    await bob.do("members.remove", room=room, user="me")
    await soon(lambda: last(stays, "watching", room) == {"count": 1, "users": [ada.id]}, "one is left")
    await soon(lambda: latest(stays, bob.id)[0] == "offline", "they share nothing any more")
    heard = [one for one in leaves.signals if one["signal"] != "presence"]
    await stays.rpc("signals.type", {"room": room, "typing": True})
    await stays.rpc("presence.set", {"room": None})
    with pytest.raises(Refusal, match="not_found"):
        await leaves.rpc("signals.type", {"room": room, "typing": True})
    with pytest.raises(Refusal, match="not_found"):
        await leaves.rpc("presence.set", {"room": room})
    # What is told to others in later turns comes after what this one would have received.
    again = await ada.group(bob)
    await stays.rpc("signals.type", {"room": again, "typing": True})
    await soon(lambda: last(leaves, "typing", again) == {"users": [ada.id]}, "the next room is heard")
    assert [one for one in leaves.signals if one["signal"] != "presence" and one["room"] == room] == heard


async def test_signals_are_bounded_and_checked(ada: Person, bob: Person) -> None:
    room = await bob.group()
    socket = await present(ada)
    for fields, code in (({"room": "nowhere"}, "not_found"), ({"room": room}, "not_found"), ({}, "invalid")):
        with pytest.raises(Refusal, match=code):
            await socket.rpc("presence.set", fields)
    with pytest.raises(Refusal, match="invalid"):
        await socket.rpc("presence.set", {"room": None, "status": "offline"})
    assert await ada.refused("signals.type", room=room, typing=True) == "not_found"
    assert await ada.refused("presence.get", users=",".join(f"u{n}" for n in range(101))) == "invalid"
    with pytest.raises(Refusal, match="method_not_allowed"):
        await ada.world.call("presence.set", {"room": None}, token=ada.token)
    own = await ada.group()
    calls = [socket.rpc("signals.type", {"room": own, "typing": True}) for _ in range(3 * RATE)]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    refused = [one for one in answers if isinstance(one, Refusal)]
    assert {one.code for one in refused} == {"rate_limited"} and len(answers) - len(refused) <= 2 * RATE


async def test_a_stream_of_events_has_signals_without_an_id_and_the_pull_has_none(world: World) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    room = await ada.group(bob)
    cursor = (await ada.do("changes.pull"))["cursor"]
    headers = {"Authorization": f"Bearer {ada.token}"}
    async with world.http.get(f"{world.url}/v1/stream", headers=headers) as stream, asyncio.timeout(20):
        await bob.do("signals.type", room=room, typing=True)
        while (event := await _event(stream.content)).get("event") != "signal":
            continue
        assert "id" not in event
        assert json.loads(event["data"]) == {"signal": "typing", "room": room, "users": [bob.id]}
        await bob.say(room)
        while "message.posted" not in (event := await _event(stream.content))["data"]:
            continue
        assert "id" in event
    assert all("signal" not in change for change in (await ada.do("changes.pull", since=cursor))["changes"])


async def _event(content: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    while line := (await content.readline()).decode().rstrip("\n"):
        name, _, value = line.partition(": ")
        found[name] = value
    return found


async def test_a_connection_that_comes_back_has_lost_no_delta_and_no_place_for_signals(world: World) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    room = await ada.group(bob)
    first = await present(ada)
    await bob.do("signals.type", room=room, typing=True)
    await soon(lambda: last(first, "typing", room), "a signal came")
    history = await first.command("history", {"channel": f"user:{ada.id}", "limit": 1000})
    assert all("signal" not in one["data"] for one in history["history"]["publications"])
    place = {"offset": history["history"]["offset"], "epoch": history["history"]["epoch"]}
    await first.close()
    await bob.say(room, "meanwhile")
    again = await world.socket(ada.token, data={"since": place})
    await soon(lambda: [one for one in again.pushed if one["type"] == "message.posted"], "the delta comes")
    # The message has ended bob's typing; nothing of the past is told.
    assert last(again, "typing", room) is None
