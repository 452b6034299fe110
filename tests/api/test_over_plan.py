"""An application that has more than its plan allows: the plan may be chosen, what there is stays and can be read, left
and deleted, and more is refused. Tests ``api/core/plan_limits.py`` and ``producers/plan_limits.py``."""

from __future__ import annotations

import secrets
from typing import Any

import msgspec
import pytest

from tests.api.applications import made, person
from tests.api.planned import Scene, refused, said
from tests.client import Person, Refusal, Socket, Via, World
from tests.running import until

LONG = {"text": "x" * 9}


@pytest.fixture
async def scene(world: World, operator: str, via: Via) -> Scene:
    return Scene(world, operator, await made(world, operator), via)


async def used(scene: Scene, limit: str) -> tuple[int, int]:
    """What the application's server is told of a limit: how much the plan allows, and what there is."""
    found = await scene.world.call("apps.limits", {"app": scene.app.id}, token=scene.app.server)
    (one,) = [one for one in found["limits"] if one["limit"] == limit]
    return one["most"], one["used"]


def sent(room: str, **content: Any) -> dict[str, Any]:
    return {"room": room, "client_id": secrets.token_hex(8), "content": content or {"text": "more"}}


async def _made(person: Person) -> bool:
    """Whether there is room for a room, which is made."""
    try:
        await person.do("rooms.create", type="private", name="More")
    except Refusal:
        return False
    return True


async def test_users(scene: Scene) -> None:
    world = scene.world
    ada, bob, eve = [await scene.person(name) for name in ("ada", "bob", "eve")]
    await world.call("apps.change", {"app": scene.app.id, "settings": {"registration": True}}, token=scene.operator)
    await scene.limit(users=1)
    assert await used(scene, "users") == (1, 3)
    # Whoever is there goes on: they read, write and make rooms.
    room = await ada.group(bob)
    assert (await bob.say(room))["room"] == room
    await eve.do("users.change", name="Eve again")
    (over,) = await scene.upsert("more")
    assert over["problem"]["type"].endswith(":limit_reached") and over["problem"]["status"] == 402
    assert (over["problem"]["limit"], over["problem"]["most"], over["problem"]["used"]) == ("users", 1, 3)
    assert "reset" not in over["problem"]
    body = msgspec.json.encode({"username": f"more-{secrets.token_hex(4)}"})
    answer = await world.request("POST", "/v1/users", body=body, headers={"Klatsch-Api-Key": scene.app.key})
    assert answer.status == 402 and said(answer.refusal()) == ("limit_reached", "users", 1, 3)
    # Who is deactivated is one of them, and comes back; who is erased is none any more.
    for operation in ("users.deactivate", "users.reactivate"):
        await world.call(operation, {"user": eve.id}, token=scene.app.server)
    for one in (bob, eve):
        await world.call("users.erase", {"user": one.id, "messages": "keep"}, token=scene.app.server)
    await until(lambda: _is(scene, "users", 1), "the erased ones are not counted")
    assert (await scene.upsert("more"))[0]["problem"]["used"] == 1
    await scene.limit(users=2)
    assert (await scene.upsert("more"))[0]["problem"] is None


async def _is(scene: Scene, limit: str, count: int) -> bool:
    return (await used(scene, limit))[1] == count


async def test_rooms(scene: Scene) -> None:
    ada, bob = await scene.person("ada"), await scene.person("bob")
    rooms = [await ada.group(bob, name=f"Room {n}") for n in range(2)]
    direct = await ada.direct(bob)
    await scene.limit(rooms=1)
    assert await used(scene, "rooms") == (1, 3)
    for fields in ({"type": "private", "name": "More"}, {"type": "public", "name": "More"}):
        refusal = await refused(ada, "rooms.create", **fields)
        assert said(refusal) == ("limit_reached", "rooms", 1, 3) and "reset" not in refusal.problem
        assert refusal.problem["status"] == 402
        assert refusal.problem["detail"] == (
            "expected at most 1 rooms of the application, as its plan allows, got more: there are 3 already"
        )
    # All three are as they were: people write in them, read, change, leave and delete them.
    for room in (*rooms, direct):
        await bob.say(room, "still here")
        assert (await ada.do("messages.read", room=room))["messages"][-1]["content"] == {"text": "still here"}
    assert await ada.direct(bob) == direct
    await ada.do("rooms.change", room=rooms[0], name="Another name")
    for operation in ("rooms.archive", "rooms.unarchive"):
        await ada.do(operation, room=rooms[0])
    await bob.do("members.remove", room=rooms[0], user="me")
    await ada.do("rooms.delete", room=rooms[0])
    await until(lambda: _is(scene, "rooms", 2), "the deleted room is not counted")
    assert said(await refused(ada, "rooms.create", type="private", name="More")) == ("limit_reached", "rooms", 1, 2)
    # Deleting all but what the plan allows makes no room yet; the last one does.
    await ada.do("rooms.delete", room=rooms[1])
    await until(lambda: _is(scene, "rooms", 1), "nor is the second")
    assert said(await refused(ada, "rooms.create", type="private", name="More")) == ("limit_reached", "rooms", 1, 1)
    for one in (ada, bob):
        await one.do("members.remove", room=direct, user="me")
    await until(lambda: _made(ada), "there is room for another")


async def test_members_of_a_room(scene: Scene) -> None:
    ada, bob, eve, joe = [await scene.person(name) for name in ("ada", "bob", "eve", "joe")]
    zoe = await scene.person("zoe")
    await zoe.do("users.change", added_by="nobody")
    room = await ada.group(bob, eve)
    await ada.do("members.add", room=room, user=zoe.id)
    await scene.limit(room_members=1)
    # Zoe has an invitation.
    for who, user in ((ada, joe.id), (joe, "me"), (zoe, "me")):
        refusal = await refused(who, "members.add", room=room, user=user)
        assert said(refusal) == ("limit_reached", "room_members", 1, 3)
        assert refusal.problem["status"] == 402 and "reset" not in refusal.problem
    refusal = await refused(ada, "rooms.create", type="private", name="More", members=[bob.id])
    assert said(refusal) == ("limit_reached", "room_members", 1, 2)
    await bob.say(room, "still here")
    assert len((await eve.do("members.list", room=room))["members"]) == 3
    await ada.do("members.set_role", room=room, user=bob.id, role="admin")
    await bob.do("members.remove", room=room, user=eve.id)
    assert said(await refused(eve, "members.add", room=room, user="me"))[2:] == (1, 2)
    await bob.do("members.remove", room=room, user="me")
    assert said(await refused(bob, "members.add", room=room, user="me"))[2:] == (1, 1)
    await ada.do("rooms.delete", room=room)


async def test_messages_of_a_day(scene: Scene) -> None:
    ada, bob = await scene.person("ada"), await scene.person("bob")
    room = await ada.group(bob)
    first, second = [(await ada.say(room))["id"] for _ in range(2)]
    await bob.say(room)
    await scene.limit(messages_day=1)
    assert await used(scene, "messages_day") == (1, 3)
    refusal = await refused(ada, "messages.send", **sent(room))
    assert said(refusal) == ("quota_used", "messages_day", 1, 3)
    assert 0 < refusal.problem["reset"] == refusal.problem["retry_after"] <= 86_400
    assert refusal.problem["status"] == 429
    # What is there is read, edited, pinned and deleted; people come and go, which the room itself tells.
    assert len((await bob.do("messages.read", room=room))["messages"]) >= 3
    await ada.do("messages.edit", room=room, message=first, content={"text": "other words"})
    await ada.do("messages.pin", room=room, message=first)
    await ada.do("messages.delete", room=room, message=second)
    await bob.do("members.remove", room=room, user="me")
    await bob.do("members.add", room=room, user="me")
    # What was deleted was a message of today all the same.
    assert said(await refused(bob, "messages.send", **sent(room))) == said(refusal)


async def test_characters_of_a_message(scene: Scene) -> None:
    ada, bob = await scene.person("ada"), await scene.person("bob")
    room = await ada.group(bob)
    message = (await ada.do("messages.send", **sent(room, **LONG)))["message"]["id"]
    await scene.limit(message_chars=3)
    for operation, fields in (
        ("messages.send", sent(room, **LONG)), ("messages.edit", {"room": room, "message": message, "content": LONG}),
    ):  # fmt: skip
        refusal = await refused(ada, operation, **fields)
        assert said(refusal) == ("limit_reached", "message_chars", 3, 9) and "reset" not in refusal.problem
        assert refusal.problem["detail"].endswith("3 characters of a message, as its plan allows, got 9")
    assert (await bob.do("messages.get", room=room, message=message))["message"]["content"] == LONG
    await ada.do("messages.edit", room=room, message=message, content={"text": "abc"})
    await ada.do("messages.delete", room=room, message=message)


async def test_connections(scene: Scene) -> None:
    world = scene.world
    # Who calls over RPC has a connection already.
    ada, bob = [await person(world, scene.app, name, "http") for name in ("ada", "bob")]
    open_: list[Socket] = [await world.socket(ada.token) for _ in range(3)]
    await scene.limit(connections=1)
    assert await used(scene, "connections") == (1, 3)
    # Those that are open stay, and are told what happens.
    room = await ada.group(bob)
    for socket in open_:
        assert (await socket.rpc("rooms.get", {"room": room}))["room"]["id"] == room
    async with world.http.ws_connect(f"{world.url}/v1/connection") as ws:
        await ws.send_json({"id": 1, "connect": {"token": bob.token}})
        error = (await ws.receive_json(timeout=20))["error"]
    headers = {"Authorization": f"Bearer {bob.token}"}
    async with world.http.get(f"{world.url}/v1/stream", headers=headers) as stream:
        problem = await stream.json(content_type="application/problem+json")
    for one in (error["problem"], problem):
        assert one["type"].endswith(":limit_reached") and one["status"] == 402 and "reset" not in one
        assert (one["limit"], one["most"], one["used"]) == ("connections", 1, 3)
    # One that ends makes no room yet where there are more than the plan allows.
    await open_.pop().close()
    await until(lambda: _is(scene, "connections", 2), "the ended connection is not counted")
    async with world.http.get(f"{world.url}/v1/stream", headers=headers) as stream:
        assert stream.status == 402


async def test_calls_of_a_minute(scene: Scene) -> None:
    world, ada = scene.world, await scene.person("ada")
    await scene.limit(calls_minute=600)
    for _ in range(20):
        await world.request("GET", "/v1/users/me", token=ada.token)
    # What has been taken of a minute is more than the whole of the next plan.
    await scene.limit(calls_minute=1)
    answers = [await world.request("GET", "/v1/users/me", token=ada.token) for _ in range(2)]
    refusal = answers[-1].refusal()
    assert said(refusal) == ("rate_limited", "app", 1, 1)
    assert refusal.problem["reset"] > 0 and refusal.problem["status"] == 429
