"""Users who are deactivated: what ends at once, what stays, and how they come back."""

from __future__ import annotations

import secrets
import time
from typing import Any
from uuid import uuid4

import pytest

from events.core.derived_ids import derived_id
from tests.api.applications import made
from tests.api.applications import person as signed_in
from tests.client import Person, Refusal, World
from tests.running import until

PASSWORD = "correct horse"


@pytest.fixture
async def grace(world: World) -> Person:
    return await world.person("grace", password=PASSWORD, name="Grace")


async def deactivate(world: World, token: str, user: str, **fields: Any) -> Any:
    return await world.call("users.deactivate", {"user": user, **fields}, token=token)


async def test_all_sessions_end_and_none_is_opened(world: World, operator: str, grace: Person) -> None:
    there = await world.log_in(grace, PASSWORD)
    answer = await deactivate(world, operator, grace.id, reason="Left")
    assert answer["closed"] == 2 and answer["user"]["deactivated"] is not None
    for person in (grace, there):
        assert await person.refused("users.me") == "token_revoked"
    with pytest.raises(Refusal, match="deactivated") as refusal:
        await world.log_in(grace, PASSWORD)
    assert refusal.value.code == "forbidden"
    # A wrong password tells nothing.
    with pytest.raises(Refusal) as refusal:
        await world.log_in(grace, "wrong horse")
    assert refusal.value.code == "unauthenticated"
    issuer = await world.call(
        "services.register", {"username": f"svc-{secrets.token_hex(5)}", "scopes": ["sessions:issue"]}, token=operator
    )
    with pytest.raises(Refusal) as refusal:
        await world.call("sessions.issue", {"user": grace.id}, token=issuer["token"])
    assert refusal.value.code == "forbidden"


async def test_connections_are_cut(world: World, operator: str, grace: Person) -> None:
    async with world.http.ws_connect(f"{world.url}/v1/connection") as ws:
        await ws.send_json({"id": 1, "connect": {"token": grace.token}})
        await ws.receive_json(timeout=20)
        await deactivate(world, operator, grace.id)
        while not (message := await ws.receive(timeout=20)).type.name.startswith("CLOS"):
            continue
        assert message.data == 3500


async def test_what_they_said_and_their_name_stay(world: World, operator: str, grace: Person, ada: Person) -> None:
    room = await ada.group(grace)
    said = await grace.say(room, "still here")
    socket = await world.socket(ada.token)
    await deactivate(world, operator, grace.id, reason="a secret reason")
    shown = (await ada.do("users.get", user=grace.id))["user"]
    assert shown["name"] == "Grace" and shown["deactivated"] is not None
    members = (await ada.do("members.list", room=room))["members"]
    assert grace.id in [one["user"]["id"] for one in members]
    assert (await ada.do("messages.get", room=room, message=said["id"]))["message"]["content"] == {"text": "still here"}

    async def heard() -> bool:
        return any(delta["type"] == "user.deactivated" for delta in socket.pushed)

    await until(heard, "a contact hears of it")
    assert "secret reason" not in str(socket.pushed) and "secret reason" not in str(shown)


async def test_nobody_finds_or_adds_them(world: World, operator: str, ada: Person) -> None:
    name = f"Gone {secrets.token_hex(5)}"
    gone = await world.person("gone", name=name)
    asked = await world.person("asked", added_by="nobody")
    room = await ada.group()
    for person in (gone, asked):
        await deactivate(world, operator, person.id)
        assert await ada.refused("members.add", room=room, user=person.id) == "forbidden"
        assert await ada.refused("rooms.create", type="private", name="X", members=[person.id]) == "forbidden"
        assert await ada.refused("rooms.create", type="direct", members=[person.id]) == "forbidden"
    assert (await ada.do("users.find", name=name))["users"] == []
    assert [one["id"] for one in (await ada.do("users.find", ids=gone.id))["users"]] == [gone.id]
    await world.call("users.reactivate", {"user": gone.id}, token=operator)
    await ada.do("members.add", room=room, user=gone.id)
    assert [one["id"] for one in (await ada.do("users.find", name=name))["users"]] == [gone.id]


async def test_who_is_reactivated_comes_back(world: World, operator: str, grace: Person, ada: Person) -> None:
    room = await ada.group(grace)
    first = await deactivate(world, operator, grace.id)
    again = await deactivate(world, operator, grace.id, reason="twice")
    assert again == {**first, "closed": 0}
    await ada.say(room, "meanwhile")
    answer = await world.call("users.reactivate", {"user": grace.id}, token=operator)
    assert answer["user"]["deactivated"] is None
    # Sessions of before stay closed.
    assert await grace.refused("users.me") == "token_revoked"
    back = await world.log_in(grace, PASSWORD)
    assert (await back.do("rooms.get", room=room))["message"]["content"] == {"text": "meanwhile"}


async def test_who_speaks_for_an_application_is_told_who_is_not_in_use(world: World, operator: str) -> None:
    app, other = await made(world, operator), await made(world, operator)
    ada, stranger = await signed_in(world, app, "ada", "http"), await signed_in(world, other, "eve", "http")
    await deactivate(world, app.server, ada.id)
    fresh = app.signed(sub=ada.username)
    back = f"got one who is deactivated; the application's server lets them in again by DELETE /v1/users/{ada.id}"
    assert back in await refused(world, fresh) and back in await refused(world, app.server, ada.id)
    # Another application's server is told what it is told of nobody.
    unknown = str(uuid4())
    said = [await refused(world, other.server, user) for user in (ada.id, unknown)]
    assert said[0].replace(ada.id, unknown) == said[1] and "found none with id" in said[1]
    await world.call("users.reactivate", {"user": ada.id}, token=app.server)
    assert (await world.call("users.me", {}, token=fresh))["user"]["id"] == ada.id
    # A token that is void tells nothing of its user.
    await world.call("users.revoke_tokens", {"user": ada.id}, token=app.server)
    await deactivate(world, app.server, ada.id)
    with pytest.raises(Refusal) as refusal:
        await world.call("users.me", {}, token=app.signed(sub=ada.username, iat=int(time.time()) - 60))
    assert refusal.value.code == "token_revoked" and "deactivated" not in str(refusal.value.problem)
    await world.call("users.erase", {"user": ada.id, "messages": "keep"}, token=app.server)
    for token, user in ((app.signed(sub=ada.username, iat=time.time()), None), (app.server, ada.id)):
        assert "got one who is erased, for good" in await refused(world, token, user)
    assert (await world.call("users.me", {}, token=stranger.token))["user"]["id"] == stranger.id


async def refused(world: World, token: str, user: str | None = None) -> str:
    """What whoever has a token is told instead of an answer; ``user``: for whom an application's server asks."""
    headers = {"Authorization": f"Bearer {token}", **({} if user is None else {"Klatsch-User": user})}
    answer = await world.request("GET", "/v1/users/me", headers=headers)
    assert answer.status == (401 if user is None else 404)
    detail: str = answer.refusal().problem["detail"]
    return detail


async def test_a_server_deactivates_users_of_its_application(world: World, operator: str) -> None:
    app, id = await made(world, operator), f"u-{secrets.token_hex(5)}"
    server = app.server
    given = {"users": [{"external_id": id, "name": "A"}]}
    (upserted,) = (await world.call("users.upsert", given, token=server))["users"]
    user = derived_id(app.id, "user", id)
    assert upserted["user"]["id"] == user
    assert (await deactivate(world, server, user))["user"]["deactivated"] is not None
    # A later change by their server does not let them in.
    again = {"users": [{"external_id": id, "name": "B"}]}
    (changed,) = (await world.call("users.upsert", again, token=server))["users"]
    assert changed["user"]["name"] == "B" and changed["user"]["deactivated"] is not None
