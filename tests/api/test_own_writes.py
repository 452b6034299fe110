"""Who reads right after writing reads what was written, without naming a position.
Tests ``producers/engine/recent.py`` and ``infra/base/progress.py``."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.client import OPERATIONS, Hasty, Person, World

#: How often each is tried. Without waiting, most of them miss.
TIMES = 10
#: A write, and a read that finds it: they return what was written and what was found.
Pair = Callable[[Person, int], Awaitable[tuple[Any, Any]]]


@pytest.fixture
async def hasty(world: World) -> World:
    return Hasty(world.url, world.http)


async def _room(person: Person, number: int) -> tuple[Any, Any]:
    room = await person.group(name=f"Room {number}")
    return room, (await person.do("rooms.get", room=room))["room"]["id"]


async def _first_page(person: Person, number: int) -> tuple[Any, Any]:
    room = await person.group()
    return [], (await person.do("messages.read", room=room))["messages"]


async def _message(person: Person, number: int) -> tuple[Any, Any]:
    room = await person.group()
    # Twice, as the page of before is kept.
    for text in ("one", "two"):
        said = await person.say(room, text)
        page = (await person.do("messages.read", room=room))["messages"]
        assert said["id"] in [one["id"] for one in page]
    return ["one", "two"], [one["content"]["text"] for one in page]


async def _edited(person: Person, number: int) -> tuple[Any, Any]:
    room = await person.group()
    said = await person.say(room)
    fields = {"room": room, "message": said["id"]}
    await person.do("messages.edit", **fields, content={"text": "other"})
    page = (await person.do("messages.read", room=room))["messages"]
    await person.do("messages.delete", **fields)
    after = (await person.do("messages.read", room=room))["messages"]
    return ["other", None], [page[-1]["content"]["text"], (after[-1].get("content") or {}).get("text")]


async def _name(person: Person, number: int) -> tuple[Any, Any]:
    await person.do("users.change", name=f"Name {number}")
    return f"Name {number}", (await person.do("users.me"))["user"]["name"]


async def _found(person: Person, number: int) -> tuple[Any, Any]:
    room = await person.group(name=f"Findable {person.username} {number}")
    found = await person.do("rooms.find", name=f"Findable {person.username} {number}")
    return [room], [one["room"]["id"] for one in found["rooms"]]


async def _snapshot(person: Person, number: int) -> tuple[Any, Any]:
    room = await person.group()
    return True, room in [one["room"]["id"] for one in (await person.snapshot())["rooms"]]


async def _members(person: Person, number: int) -> tuple[Any, Any]:
    other = await person.world.person("other")
    room = await person.group()
    await person.do("members.add", room=room, user=other.id)
    return True, other.id in [one["user"]["id"] for one in (await person.do("members.list", room=room))["members"]]


async def _visual(person: Person, number: int) -> tuple[Any, Any]:
    made = (await person.do("visuals.create", model_data={"n": number}))["visual"]["id"]
    return made, (await person.do("visuals.get", visual=made))["visual"]["id"]


async def _myself(person: Person, number: int) -> tuple[Any, Any]:
    other = await person.world.person("new", via=person.via)
    return other.id, (await other.do("users.me"))["user"]["id"]


PAIRS: dict[str, Pair] = {
    one.__name__[1:]: one
    for one in (_room, _first_page, _message, _edited, _name, _found, _snapshot, _members, _visual, _myself)
}


@pytest.mark.parametrize("pair", list(PAIRS.values()), ids=list(PAIRS))
async def test_what_was_written_is_read(hasty: World, via: Any, pair: Pair) -> None:
    ann = await hasty.person("ann", via=via)
    for number in range(TIMES):
        written, found = await pair(ann, number)
        assert found == written, number
    assert hasty.position == {}


#: Fields of what is asked of a room that was made a moment ago, beside the room; ``message``: one that was just sent.
IN_A_ROOM: dict[str, dict[str, Any]] = {
    "rooms.get": {}, "rooms.history": {}, "rooms.change": {"description": "Tea"}, "rooms.archive": {},
    "rooms.unarchive": {},
    "rooms.delete": {}, "members.list": {}, "members.add": {"user": "me"}, "members.remove": {"user": "me"},
    "members.change": {"user": "me", "custom": {"a": 1}},
    "members.set_role": {"user": "me", "role": "owner"}, "members.set_notifications": {"notifications": False},
    "members.read": {"seq": 0}, "messages.send": {"client_id": "a", "content": {"text": "a"}}, "messages.read": {},
    "messages.search": {"text": "a"}, "messages.get": {"message": "?"}, "messages.edits": {"message": "?"},
    "messages.edit": {"message": "?", "content": {"text": "b"}}, "messages.delete": {"message": "?"},
    "messages.pin": {"message": "?"}, "messages.unpin": {"message": "?"}, "rooms.pins": {},
    "presence.room": {}, "presence.set": {}, "signals.type": {"typing": True},
}  # fmt: skip
#: About invitations, which a new room has none of, or not for its people.
NOT_IN_A_ROOM = {"invitations.decline", "rooms.restore", "messages.set_emotion", "console.room"}


def test_every_operation_on_a_room_is_walked() -> None:
    on_rooms = {name for name, one in OPERATIONS.items() if "room" in one.request.__struct_fields__}
    assert on_rooms == set(IN_A_ROOM) | NOT_IN_A_ROOM


@pytest.mark.parametrize("name", IN_A_ROOM)
async def test_a_room_is_there_at_once(hasty: World, via: Any, name: str) -> None:
    """Whatever is asked of it first: reads, commands that are checked against the tables, and signals."""
    if OPERATIONS[name].only_rpc and via == "http":
        return
    ann = await hasty.person("ann", via=via)
    for _ in range(TIMES):
        room = await ann.group()
        fields = {"room": room, **IN_A_ROOM[name]}
        if "message" in fields:
            fields["message"] = (await ann.say(room))["id"]
        await ann.do(name, **fields)


@pytest.mark.parametrize("kind", ["group", "direct"])
async def test_who_was_invited_a_moment_ago_is_not_when_the_room_is_gone(hasty: World, via: Any, kind: str) -> None:
    """What was asked in a direct room goes with who asked, and in a group with the room."""
    ann = await hasty.person("ann", via=via)
    for _ in range(TIMES):
        ben = await hasty.person("ben", added_by="nobody")
        if kind == "direct":
            await ann.do("members.remove", room=await ann.direct(ben), user="me")
        else:
            room = await ann.group()
            await ann.do("members.add", room=room, user=ben.id)
            await ann.do("rooms.delete", room=room)
        # Of a read of one's own: what stands in the log before it.
        await ann.do("rooms.find")
        assert (await ben.do("invitations.list"))["invitations"] == []


async def test_a_closed_session_is_closed_at_once(hasty: World, via: Any) -> None:
    for _ in range(TIMES):
        ann = await hasty.person("ann", via=via, password="correct horse")
        other = await hasty.log_in(ann, "correct horse")
        room = await other.group()
        await ann.do("users.change_password", current="correct horse", password="battery staple")
        assert await other.refused("messages.send", room=room, client_id="a", content={"text": "a"}) == "token_revoked"
        assert await other.refused("users.me") == "token_revoked"
        await ann.do("sessions.close", session="current")
        for name in ("users.me", "sync.get", "sessions.list"):
            answer = await hasty.request("GET", OPERATIONS[name].path, token=ann.token)
            assert answer.refusal().code == "token_revoked"


async def test_an_operator_finds_who_has_just_registered(hasty: World, operator: str) -> None:
    for _ in range(TIMES):
        ann = await hasty.person("ann", password="correct horse")
        fields = {"username": ann.username, "password": "battery staple"}
        assert (await hasty.call("users.reset_password", fields, token=operator))["closed"] == 1


async def test_a_block_is_known_to_who_made_it(hasty: World, via: Any) -> None:
    ann, ben = await hasty.person("ann", via=via), await hasty.person("ben")
    room = await ann.direct(ben)
    for number in range(TIMES):
        said: dict[str, Any] = {"room": room, "content": {"text": "a"}}
        await ann.do("relationships.set", user=ben.id, type="block")
        assert await ann.refused("messages.send", **said, client_id=f"a{number}") == "forbidden"
        await ann.do("relationships.remove", user=ben.id)
        await ann.do("messages.send", **said, client_id=f"b{number}")


async def test_a_block_holds_for_the_other_once_it_is_answered(hasty: World, via: Any) -> None:
    """And so does what is taken back: who is told that it is done may rely on it."""
    ann, ben = await hasty.person("ann", via=via), await hasty.person("ben")
    room, tea = await ann.direct(ben), await ann.group(name="Tea")
    for number in range(TIMES):
        said: dict[str, Any] = {"room": room, "content": {"text": "a"}}
        await ann.do("relationships.set", user=ben.id, type="block")
        assert await ben.refused("messages.send", **said, client_id=f"a{number}") == "not_found"
        assert await ben.refused("rooms.create", type="public", name="B", members=[ann.id]) == "not_found"
        assert await ben.refused("members.add", room=tea, user="me") == "not_found"
        await ann.do("relationships.remove", user=ben.id)
        await ben.do("messages.send", **said, client_id=f"b{number}")


async def test_who_may_add_one_is_heeded_once_it_is_answered(hasty: World, via: Any) -> None:
    ann, ben = await hasty.person("ann", via=via), await hasty.person("ben")
    for _ in range(TIMES):
        room = await ben.group()
        await ann.do("users.change", added_by="nobody")
        assert (await ben.do("members.add", room=room, user=ann.id))["invitation"] is not None
        await ann.do("users.change", added_by="everyone")
        room = await ben.group()
        assert (await ben.do("members.add", room=room, user=ann.id))["member"] is not None


async def test_another_device_reads_it_too(hasty: World) -> None:
    ann = await hasty.person("ann", password="correct horse")
    room = await ann.group()
    laptop = await hasty.log_in(ann, "correct horse")
    for number in range(TIMES):
        await ann.say(room, str(number))
        assert (await laptop.do("messages.read", room=room))["messages"][-1]["content"]["text"] == str(number)


async def test_what_had_been_done_already_is_seen(hasty: World) -> None:
    """Where nothing had to happen for an answer, what made it so may be as young, and another's."""
    ann = await hasty.person("ann")
    for _ in range(TIMES):
        room = await ann.group()
        ben = await hasty.person("ben")
        await asyncio.gather(
            ann.do("members.add", room=room, user=ben.id), ben.do("members.add", room=room, user=ben.id)
        )
        assert (await ben.do("rooms.get", room=room))["room"]["id"] == room
