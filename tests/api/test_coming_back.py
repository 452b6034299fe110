"""Who left a direct room and is written to: the room comes back to them with the message, or they are asked.
Tests ``api/members.py`` and ``producers/messages.py``."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from events.core.clock import uuid7
from events.core.positions import encode_vector
from tests.api.deltas import delta
from tests.client import Person, Refusal, Socket, Via, World


@pytest.fixture
async def cautious(world: World, via: Via) -> Person:
    """Somebody who lets contacts add them, and nobody else."""
    return await world.person("cautious", via=via, added_by="contacts")


async def rooms(person: Person) -> list[str]:
    return [entry["room"]["id"] for entry in (await person.do("rooms.find"))["rooms"]]


async def left(who: Person, other: Person) -> str:
    """Their direct room, which one has left after a message that they read."""
    room = await other.direct(who)
    if room not in await rooms(who):
        await who.do("members.add", room=room, user="me")
    await other.say(room, "read")
    await who.do("members.read", room=room, seq=1)
    await who.do("members.remove", room=room, user="me")
    assert room not in await rooms(who)
    return room


def since_the_join(socket: Socket, room: str) -> list[dict[str, Any]]:
    """The room's deltas from somebody's coming on; what was before may still be on its way to a new connection."""
    found = [one for one in socket.pushed if one["stream"] == room]
    return found[next(n for n, one in enumerate(found) if one["type"] == "member.joined") :]


async def test_the_room_comes_back_with_what_is_said(world: World, ada: Person, bob: Person) -> None:
    room = await left(bob, ada)
    before = encode_vector(world.position)
    ear, own = await world.socket(bob.token), await world.socket(ada.token)
    said = await ada.say(room, "are you there?", token="first")
    # First that they are in it, with the room, then what was said; the other receives both, too.
    await delta(ear, "message.posted", message=said["id"])
    heard = since_the_join(ear, room)
    assert [one["type"] for one in heard] == ["member.joined", "message.posted"]
    include = heard[0]["include"]
    assert (include["peer"], include["member"]["read"]) == (ada.id, 1) and include["room"]["id"] == room
    await delta(own, "message.posted", message=said["id"])
    assert [one["type"] for one in since_the_join(own, room)] == ["member.joined", "message.posted"]

    entry = await bob.do("rooms.get", room=room)
    assert (entry["unread"], entry["peer"], entry["message"]["id"]) == (1, ada.id, said["id"])
    assert entry["room"]["members"] == 2 and room in await rooms(bob)
    found = next(one for one in (await bob.do("sync.get"))["rooms"] if one["room"]["id"] == room)
    assert found["message"]["id"] == said["id"]
    # As of before, nobody but ada was there; as of now, both are.
    assert (await ada.do("rooms.get", room=room, as_of=before))["room"]["members"] == 1
    assert (await ada.do("rooms.get", room=room, as_of=encode_vector(world.position)))["room"]["members"] == 2
    # Repeated, it says what it said, and brings nobody back.
    await bob.do("members.remove", room=room, user="me")
    assert (await ada.say(room, "are you there?", token="first"))["id"] == said["id"]
    assert room not in await rooms(bob)


async def test_only_saying_something_brings_somebody_back(ada: Person, bob: Person) -> None:
    room = await left(bob, ada)
    page = await ada.do("messages.read", room=room)
    await ada.do("messages.edit", room=room, message=page["messages"][0]["id"], content={"text": "read, and changed"})
    await ada.do("rooms.change", room=room, data={"note": "x"})
    assert room not in await rooms(bob)
    assert await ada.refused("messages.send", room=room, token="t", content={"text": "\u200b"}) == "invalid"
    assert room not in await rooms(bob), "what is refused brings nobody back"


async def test_who_lets_only_contacts_add_them_is_asked(ada: Person, cautious: Person, world: World) -> None:
    """As if the room was started again (decision 0040): what is said waits for their answer."""
    room = await left(cautious, ada)
    ear = await world.socket(cautious.token)
    said = await ada.say(room, "please")
    told = await delta(ear, "member.invited", user=cautious.id)
    assert told["stream"] == room and "message.posted" not in {one["type"] for one in ear.pushed}
    await ada.say(room, "it waits")
    assert [one["room"] for one in (await cautious.do("invitations.list"))["invitations"]] == [room]
    await cautious.do("members.add", room=room, user="me")
    entry = await cautious.do("rooms.get", room=room)
    assert entry["room"]["seq"] == said["seq"] + 1 and entry["unread"] == 2
    # No means no: ada is told, and nothing is said to nobody.
    await cautious.do("members.remove", room=room, user="me")
    await ada.say(room, "please!")
    await cautious.do("invitations.decline", room=room)
    assert await ada.refused("messages.send", room=room, token="no", content={"text": "no?"}) == "declined"
    # A friend is a contact, who adds at once.
    await cautious.do("relationships.set", user=ada.id, type="friend")
    await ada.say(room, "thanks")
    assert room in await rooms(cautious)


async def test_who_left_and_blocks_is_not_there_for_the_blocked(ada: Person, bob: Person) -> None:
    """What is said to them is answered as for a room that nobody ever made, in the same words."""
    room = await left(bob, ada)
    await bob.do("relationships.set", user=ada.id, type="block")

    async def answer(to: str) -> Any:
        with pytest.raises(Refusal) as refusal:
            await ada.say(to)
        return refusal.value.status, repr(refusal.value.said).replace(to, "ROOM")

    assert await answer(room) == await answer(uuid7())
    assert room not in await rooms(bob)
    await bob.do("relationships.remove", user=ada.id)
    await ada.say(room)
    assert room in await rooms(bob)


async def test_nothing_is_said_while_the_other_is_away(ada: Person, bob: Person) -> None:
    """Leaving and writing at once: what the log has after a leaving brings them back, whatever the read models knew."""
    room = await left(bob, ada)
    for _ in range(10):
        await asyncio.gather(ada.say(room), bob.do("members.remove", room=room, user="me"), ada.say(room))
    inside, said = True, 0
    for change in reversed((await ada.do("rooms.history", room=room, limit=200))["changes"]):
        match change["type"]:
            case "member.left" | "member.joined":
                inside = change["type"] == "member.joined"
            case "message.posted":
                said += 1
                assert inside, change
    assert said == 21
