"""Limits of plans: what is refused when an application is at one, what stays, and what a key gives. Tests
``api/core/plan_limits.py``, ``api/support/plans.py``, ``api/support/app_counts.py`` and
``producers/plan_limits.py``."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

import aiohttp
import msgspec
import pytest

from events.handles import email_handle, username_handle
from infra.base import kafka
from infra.base.settings import Settings
from producers.engine.log import read_tail
from tests.api.applications import made, person
from tests.api.planned import Scene, refused, said
from tests.client import Answer, Refusal, Via, World
from tests.running import until


@pytest.fixture
async def scene(world: World, operator: str, via: Via) -> Scene:
    return Scene(world, operator, await made(world, operator), via)


async def test_of_a_full_application_new_users_are_refused_and_those_who_are_there_change(scene: Scene) -> None:
    await scene.limit(users=2)
    one, two, three = await scene.upsert("a", "b", "c")
    found = [entry["problem"] for entry in (one, two, three)]
    (problem,) = [problem for problem in found if problem is not None]
    assert (problem["status"], problem["limit"], problem["most"], problem["used"]) == (402, "users", 2, 2)
    there = [entry["external_id"] for entry in (one, two, three) if entry["problem"] is None]
    again = await scene.upsert(*there)
    assert all(entry["problem"] is None for entry in again)
    await scene.limit(users=3)
    assert [entry["problem"] for entry in await scene.upsert("a", "b", "c")] == [None] * 3
    # Over it already: who is there stays, and changes.
    await scene.limit(users=1)
    assert (await scene.upsert("a"))[0]["problem"] is None
    (over,) = await scene.upsert("d")
    assert (over["problem"]["most"], over["problem"]["used"]) == (1, 3)


async def test_who_finds_no_room_is_not_written_down(scene: Scene, installed: Settings) -> None:
    await scene.limit(users=0)
    name = f"late-{secrets.token_hex(4)}"
    users = [{"external_id": "late", "name": "Late", "username": name, "email": f"{name}@example.org"}]
    (entry,) = (await scene.world.call("users.upsert", {"users": users}, token=scene.app.server))["users"]
    assert (entry["problem"]["status"], entry["problem"]["limit"]) == (402, "users")
    handles = {username_handle(name, scene.app.id), email_handle(f"{name}@example.org", scene.app.id)}
    assert not handles & await streams(installed, "handles")
    await scene.limit(users=1)
    (entry,) = (await scene.world.call("users.upsert", {"users": users}, token=scene.app.server))["users"]
    assert entry["problem"] is None and handles <= await streams(installed, "handles")


async def streams(settings: Settings, topic: str) -> set[str]:
    """What anything was ever written of, in a topic."""
    name, found = settings.topic(topic), set()
    for partition, end in (await kafka.end_offsets(settings, name, settings.partitions)).items():
        async for records in read_tail(settings, name, partition, 0, end - 1):
            found |= {record.key.decode() for record in records}
    return found


async def test_who_registers_meets_it_and_a_used_key_gives_the_first_result(scene: Scene) -> None:
    world, app = scene.world, scene.app
    await world.call("apps.change", {"app": app.id, "settings": {"registration": True}}, token=scene.operator)
    await scene.limit(users=1)
    key, fields = secrets.token_hex(8), {"username": f"first-{secrets.token_hex(4)}"}

    async def register(fields: dict[str, str], **more: str) -> Answer:
        headers = {"Klatsch-Api-Key": app.key, **more}
        return await world.request("POST", "/v1/users", body=msgspec.json.encode(fields), headers=headers)

    first = await register(fields, **{"Idempotency-Key": key})
    assert first.status == 201
    more = await register({"username": f"more-{secrets.token_hex(4)}"})
    assert more.status == 402 and said(more.refusal()) == ("limit_reached", "users", 1, 1)
    again = await register(fields, **{"Idempotency-Key": key})
    assert again.status == 201 and again.json()["user"] == first.json()["user"]


async def test_rooms_are_bounded_and_a_deleted_one_makes_room(scene: Scene) -> None:
    ada, bob = await scene.person("ada"), await scene.person("bob")
    await scene.limit(rooms=2)
    key = secrets.token_hex(8)
    first = await ada.do("rooms.create", key=key, type="private", name="One")
    direct = await ada.do("rooms.create", type="direct", members=[bob.id])
    refusal = await refused(ada, "rooms.create", type="private", name="Three")
    assert said(refusal) == ("limit_reached", "rooms", 2, 2)
    # What is there can be opened again, and a key gives what it gave.
    assert (await bob.do("rooms.create", type="direct", members=[ada.id]))["room"]["id"] == direct["room"]["id"]
    again = await ada.do("rooms.create", key=key, type="private", name="One")
    assert again["room"]["id"] == first["room"]["id"]
    await ada.do("rooms.delete", room=first["room"]["id"])

    async def room() -> bool:
        try:
            await ada.do("rooms.create", type="private", name="Three")
        except Refusal:
            return False
        return True

    await until(room, "the deleted room makes room for another")


async def test_members_of_a_room_are_bounded_exactly(scene: Scene) -> None:
    ada, bob, eve = [await scene.person(name) for name in ("ada", "bob", "eve")]
    await scene.limit(room_members=2)
    refusal = await refused(ada, "rooms.create", type="private", name="Den", members=[bob.id, eve.id])
    assert said(refusal) == ("limit_reached", "room_members", 2, 3)
    room = (await ada.do("rooms.create", type="private", name="Den", members=[bob.id]))["room"]["id"]
    assert said(await refused(ada, "members.add", room=room, user=eve.id)) == ("limit_reached", "room_members", 2, 2)
    # Who is in it is in it.
    await ada.do("members.add", room=room, user=bob.id)
    await bob.do("members.remove", room=room, user="me")
    await ada.do("members.add", room=room, user=eve.id)


async def test_messages_of_a_day_are_bounded_with_the_time_until_the_next(scene: Scene) -> None:
    ada = await scene.person("ada")
    room = (await ada.do("rooms.create", type="private", name="Den"))["room"]["id"]
    await ada.say(room, "before the plan")
    await scene.limit(messages_day=3)
    fields: dict[str, Any] = {"room": room, "client_id": "one", "content": {"text": "one"}}
    first = await ada.do("messages.send", **fields)
    await ada.say(room, "two")
    refusal = await refused(ada, "messages.send", room=room, client_id="three", content={"text": "three"})
    assert said(refusal) == ("quota_used", "messages_day", 3, 3)
    assert 0 < refusal.problem["reset"] == refusal.problem["retry_after"] <= 86_400
    assert (await ada.do("messages.send", **fields))["message"]["id"] == first["message"]["id"]
    await scene.limit(messages_day=4)
    await ada.say(room, "three")


async def test_a_long_message_is_refused_new_or_edited(scene: Scene) -> None:
    ada = await scene.person("ada")
    room = (await ada.do("rooms.create", type="private", name="Den"))["room"]["id"]
    await scene.limit(message_chars=5)
    message = (await ada.do("messages.send", room=room, client_id="a", content={"text": "a" * 5}))["message"]["id"]
    long = {"text": "a" * 6}
    refusal = await refused(ada, "messages.send", room=room, client_id="b", content=long)
    assert said(refusal) == ("limit_reached", "message_chars", 5, 6)
    assert said(await refused(ada, "messages.edit", room=room, message=message, content=long)) == said(refusal)


async def test_another_application_is_not_concerned(scene: Scene, world: World, operator: str, via: Via) -> None:
    await scene.limit(users=0, rooms=0, messages_day=0)
    other = await person(world, await made(world, operator), "bob", via)
    room = (await other.do("rooms.create", type="private", name="Den"))["room"]["id"]
    await other.say(room, "hello")
    # And without a plan there is no limit.
    await world.call("apps.choose_plan", {"app": scene.app.id, "plan": None}, token=operator)
    assert (await scene.upsert("a"))[0]["problem"] is None


async def test_a_server_reads_what_its_plan_allows_and_what_is_used(scene: Scene, world: World, operator: str) -> None:
    ada = await scene.person("ada")
    room = (await ada.do("rooms.create", type="private", name="Den"))["room"]["id"]
    await ada.say(room)
    server, own = scene.app.server, {"app": scene.app.id}
    none = await world.call("apps.limits", own, token=server)
    assert none["plan"] is None and {one["most"] for one in none["limits"]} == {None}
    await scene.limit(users=5, messages_day=10, message_chars=100, calls_minute=600)
    found = await world.call("apps.limits", own, token=server)
    assert found["plan"]["id"] == scene.plan
    limits = {one.pop("limit"): one for one in found["limits"]}
    assert limits["users"] == {"most": 5, "used": 1, "reset": None}
    assert limits["rooms"] == {"most": None, "used": None, "reset": None}
    assert limits["message_chars"] == {"most": 100, "used": None, "reset": None}
    day = limits["messages_day"]
    assert (day["most"], day["used"]) == (10, 1) and 0 < day["reset"] <= 86_400
    # An operator reads anybody's, another application nobody's.
    assert (await world.call("apps.limits", own, token=operator))["plan"] == found["plan"]
    other = await made(world, operator)
    for app in (scene.app.id, "nothing"):
        with pytest.raises(Refusal) as refusal:
            await world.call("apps.limits", {"app": app}, token=other.server)
        assert refusal.value.code == "not_found" and app in refusal.value.problem["detail"]


async def test_connections_are_bounded_and_one_that_ends_makes_room(scene: Scene) -> None:
    world = scene.world
    # Who calls over RPC has a connection already.
    ada, bob = [await person(world, scene.app, name, "http") for name in ("ada", "bob")]
    await scene.limit(connections=1)
    first = await world.socket(ada.token)
    async with world.http.ws_connect(f"{world.url}/v1/connection") as ws:
        await ws.send_json({"id": 1, "connect": {"token": bob.token}})
        error = (await ws.receive_json(timeout=20))["error"]
    assert error["code"] == 111 and error["temporary"]
    problem = error["problem"]
    assert (problem["status"], problem["limit"], problem["most"], problem["used"]) == (402, "connections", 1, 1)
    headers = {"Authorization": f"Bearer {bob.token}"}
    async with world.http.get(f"{world.url}/v1/stream", headers=headers) as stream:
        assert stream.status == 402 and int(stream.headers["Retry-After"]) > 0
        assert stream.headers["RateLimit"].startswith('"connect";r=') and "RateLimit-Policy" in stream.headers
    await first.close()

    async def room() -> bool:
        async with world.http.get(f"{world.url}/v1/stream", headers=headers) as stream:
            return stream.status == 200

    await until(room, "the connection that has ended makes room")


async def test_of_many_at_once_no_more_come_in_than_there_is_room_for(scene: Scene) -> None:
    world, ada = scene.world, await person(scene.world, scene.app, "ada", "http")
    await scene.limit(connections=2)

    async def stream() -> aiohttp.ClientResponse:
        headers = {"Authorization": f"Bearer {ada.token}"}
        return await world.http.get(f"{world.url}/v1/stream", headers=headers)

    streams = await asyncio.gather(*(stream() for _ in range(12)))
    assert sorted(one.status for one in streams) == [200] * 2 + [402] * 10
    for one in streams:
        one.close()


async def test_a_connection_goes_on_with_a_new_token_where_there_is_no_room_for_another(scene: Scene) -> None:
    world, ada = scene.world, await person(scene.world, scene.app, "ada", "http")
    await scene.limit(connections=1)
    socket = await world.socket(ada.token)
    reply = await socket.command("refresh", {"token": scene.app.signed(sub=ada.username)})
    assert reply["refresh"]["ttl"] > 0, reply
    assert (await socket.rpc("users.me", {}))["user"]["id"] == ada.id
    await socket.close()


async def test_calls_of_a_minute_are_bounded_over_all_who_call(scene: Scene) -> None:
    world, ada, bob = scene.world, await scene.person("ada"), await scene.person("bob")
    await scene.limit(calls_minute=10)
    # Those of before count too, by the time that they take: a new quota is whole but for a moment.
    answers = [
        await world.request("GET", "/v1/users/me", token=person.token) for person in (ada, bob) for _ in range(6)
    ]
    assert [answer.status for answer in answers][-1] == 429 and answers[0].status == 200
    policies = answers[0].headers["RateLimit-Policy"].split(", ")
    assert policies[0].startswith('"read";q=') and policies[1:] == ['"app";q=10;w=60']
    left = [answer.headers["RateLimit"].split(", ")[1] for answer in answers]
    assert left[0].startswith('"app";r=9;t=') and left[-1].startswith('"app";r=0;t=')
    problem = answers[-1].refusal().problem
    assert (problem["limit"], problem["most"], problem["used"]) == ("app", 10, 10)
    assert 0 < problem["retry_after"] <= 6 and 0 < problem["reset"] <= 60
    assert "by its plan" in problem["detail"] and answers[-1].headers["Retry-After"] == str(problem["retry_after"])
    # Over RPC the refusal is the same document; another application has its own.
    socket = await world.socket((await world.person("eve")).token)
    assert (await socket.rpc("users.me", {}))["user"]["id"]
    found = await world.call("apps.limits", {"app": scene.app.id}, token=scene.operator)
    (calls,) = [one for one in found["limits"] if one["limit"] == "calls_minute"]
    assert calls["most"] == 10 and calls["used"] >= 9 and 0 < calls["reset"] <= 60


async def test_a_further_count_of_a_call_is_by_the_plan_too(scene: Scene) -> None:
    world, ada = scene.world, await scene.person("ada")
    await scene.limit(calls_minute=10)
    # Its place is no longer there: the answer is a snapshot, which counts as a heavy call beside the call itself.
    reset = await world.request("GET", "/v1/changes?since=x.2:1", token=ada.token)
    assert reset.json()["reset"]
    after = await world.request("GET", "/v1/users/me", token=ada.token)
    left = [answer.headers["RateLimit"].split(", ")[1].split(";")[1] for answer in (reset, after)]
    assert left == ["r=9", "r=7"]
