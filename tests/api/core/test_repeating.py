"""Repeating and reading one's writes: idempotency keys on every command, positions, registrations that broke off."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

import msgspec
import pytest

from events.core.positions import encode_vector, parse_vector
from infra.base import postgres
from infra.base.progress import Progress
from infra.base.settings import Settings
from tests.client import OPERATIONS, Person, World

#: Commands, each with the fields of a call that makes an event. Words stand for the scene's ids.
COMMANDS: dict[str, dict[str, Any]] = {
    "users.register": {"username": "NEW"},
    "users.change": {"name": "Another"},
    "users.change_password": {"password": "another horse"},
    "sessions.open": {"username": "LOGIN", "password": "correct horse"},
    "sessions.renew": {},
    "relationships.set": {"user": "OTHER", "type": "friend"},
    "relationships.remove": {"user": "FRIEND"},
    "visuals.create": {"model_data": {"a": 1}},
    "visuals.change": {"visual": "VISUAL", "model_data": {"a": 2}},
    "visuals.choose": {"model_data": {"b": 1}},
    "rooms.create": {"type": "public", "name": "Once"},
    "rooms.change": {"room": "ROOM", "name": "Renamed"},
    "rooms.archive": {"room": "ROOM"},
    "rooms.unarchive": {"room": "ARCHIVED"},
    "rooms.delete": {"room": "ROOM"},
    "members.add": {"room": "ROOM", "user": "OTHER"},
    "members.remove": {"room": "ROOM", "user": "FRIEND"},
    "members.set_role": {"room": "ROOM", "user": "FRIEND", "role": "owner"},
    "members.change": {"room": "ROOM", "user": "FRIEND", "custom": {"a": 1}},
    "members.set_notifications": {"room": "ROOM", "notifications": False},
    "members.read": {"room": "ROOM", "seq": 1},
    "invitations.decline": {"room": "ASKED"},
    "messages.send": {"room": "ROOM", "token": "NEW", "content": {"text": "x"}},
    "messages.edit": {"room": "ROOM", "message": "MESSAGE", "content": {"text": "y"}},
    "messages.delete": {"room": "ROOM", "message": "MESSAGE"},
    "messages.pin": {"room": "ROOM", "message": "MESSAGE"},
    "messages.unpin": {"room": "ROOM", "message": "MESSAGE"},
    "channels.create": {"name": "Raid", "limit": 5},
    "channels.delete": {"channel": "CHANNEL"},
}
#: Operations that change something and are not called by a person with a key: elsewhere, or nothing to repeat.
ELSEWHERE = {
    "services.register", "apps.create", "apps.change", "apps.roll_key", "apps.suspend", "apps.resume",
    "apps.revoke_tokens", "apps.erase",
    "sessions.issue", "rooms.restore", "messages.set_emotion", "messages.set_emotions",
    "import.orders", "channels.listen", "channels.report",
    "users.reset_password", "sessions.close", "presence.set", "signals.type", "channels.watch", "console.renew",
    "console.retry", "users.upsert", "users.deactivate",
    "teams.create", "teams.change", "teams.remove", "users.set_team",
    "users.reactivate", "users.revoke_tokens", "users.erase", "apps.choose_plan", "plans.define", "plans.withdraw",
}  # fmt: skip


def test_every_command_is_named() -> None:
    writing = {name for name, operation in OPERATIONS.items() if operation.method != "GET"}
    assert COMMANDS.keys() | ELSEWHERE == writing


async def events_of(settings: Settings, world: World) -> int:
    """How many events there are, once the read models have all that the world has done."""
    connection = await postgres.connect(settings)
    progress = Progress(settings)
    await progress.start()
    try:
        assert await progress.wait(world.position, 10)
        return int(await connection.fetchval("select count(*) from changes"))
    finally:
        await progress.stop()
        await connection.close()


@pytest.mark.parametrize("name", COMMANDS)
async def test_a_command_with_a_key_happens_once(installed: Settings, world: World, ada: Person, name: str) -> None:
    other, friend = await world.person("other"), await world.person("friend")
    login = (await world.person("login", password="correct horse")).username
    await ada.do("relationships.set", user=friend.id, type="friend")
    room = await ada.group(friend)
    await friend.say(room)
    message, archived = (await ada.say(room))["id"], await ada.group()
    await ada.do("members.read", room=room, seq=0)
    await ada.do("rooms.archive", room=archived)
    await ada.do("users.change", added_by="nobody")
    asked = await other.group(ada)
    visual = (await ada.do("visuals.create", model_data={}))["visual"]["id"]
    channel = (await ada.do("channels.create", name="Raid", limit=5))["channel"]["id"]
    words = {"CHANNEL": channel, "OTHER": other.id, "FRIEND": friend.id, "ROOM": room, "VISUAL": visual, "LOGIN": login,
             "MESSAGE": message, "ARCHIVED": archived, "ASKED": asked,
             "NEW": f"new-{secrets.token_hex(5)}"}  # fmt: skip
    fields = {
        field: words.get(value, value) if isinstance(value, str) else value for field, value in COMMANDS[name].items()
    }
    key = secrets.token_hex(8)
    before = await events_of(installed, world)
    first = await ada.do(name, key=key, **fields)
    after = await events_of(installed, world)
    assert after > before
    # At once, many at a time, and after the read models have it.
    again = await asyncio.gather(*(ada.do(name, key=key, **fields) for _ in range(4)))
    assert all(answer == first for answer in again)
    assert await events_of(installed, world) == after
    # Another key is another command; what it asks for is there already, or happens again.
    if name in (
        "users.register",
        "rooms.create",
        "channels.create",
        "visuals.create",
        "visuals.choose",
        "sessions.open",
        "sessions.renew",
    ):
        if name == "users.register":
            assert await ada.refused(name, key=f"{key}2", **fields) == "taken"
        else:
            assert await ada.do(name, key=f"{key}2", **fields) != first


async def test_a_key_is_its_authors_alone(ada: Person, bob: Person) -> None:
    mine = await ada.do("rooms.create", key="one-key", type="public", name="Mine")
    theirs = await bob.do("rooms.create", key="one-key", type="public", name="Theirs")
    assert (mine["room"]["name"], theirs["room"]["name"]) == ("Mine", "Theirs")


async def test_a_key_does_not_open_anothers_registration(world: World, ada: Person) -> None:
    fields = {"username": f"keyed-{secrets.token_hex(4)}", "password": "correct horse"}
    first = await ada.do("users.register", key="known-key", **fields)
    assert await ada.refused("users.register", key="known-key", **{**fields, "password": "wrong horse"}) == "taken"
    assert (await ada.do("users.register", key="known-key", **fields))["token"] == first["token"]


async def test_a_read_waits_for_the_position_that_it_names(world: World, ada: Person) -> None:
    for n in range(30):
        body = msgspec.json.encode({"name": f"Name {n}"})
        answer = await world.request("PATCH", "/v1/users/me", token=ada.token, body=body)
        read = {"Klatsch-Position": answer.headers["Klatsch-Position"]}
        me = await world.request("GET", "/v1/users/me", token=ada.token, headers=read)
        assert me.json()["user"]["name"] == f"Name {n}"


async def test_a_position_that_never_comes_is_waited_for_a_bounded_time(world: World) -> None:
    ada = await world.person("ada")
    vector = parse_vector("users/0/999999999")
    answer = await world.request(
        "GET", "/v1/users/me", token=ada.token, headers={"Klatsch-Position": encode_vector(vector)}
    )
    assert answer.refusal().code == "lagging" and int(answer.headers["Retry-After"]) >= 1


async def test_a_used_key_is_answered_before_what_stands_in_the_way_now(ada: Person, bob: Person, eve: Person) -> None:
    direct, public = await ada.direct(bob), await bob.group(type="public", name="Open")
    keys = [secrets.token_hex(6) for _ in range(4)]
    calls: list[tuple[str, dict[str, Any]]] = [
        ("messages.send", {"room": direct, "token": keys[0], "content": {"text": "before"}}),
        ("rooms.create", {"type": "private", "name": "Both", "members": [bob.id]}),
        ("members.add", {"room": public, "user": "me"}),
        ("members.add", {"room": await ada.group(), "user": bob.id}),
    ]
    firsts = [await ada.do(name, key=key, **fields) for key, (name, fields) in zip(keys, calls, strict=True)]
    await bob.do("relationships.set", user=ada.id, type="block")
    again = [await ada.do(name, key=key, **fields) for key, (name, fields) in zip(keys, calls, strict=True)]
    assert again == firsts
    # What was not done before the block is refused, as without a key.
    for name, fields in calls:
        if fields.get("user") == "me":
            # Who is inside already is told so, whoever blocks them.
            assert await ada.do(name, key=secrets.token_hex(6), **fields)
            continue
        fresh = {**fields, "token": secrets.token_hex(6)} if "token" in fields else fields
        assert await ada.refused(name, key=secrets.token_hex(6), **fresh) in ("forbidden", "not_found"), name
        assert name == "messages.send" or await ada.refused(name, **fresh) in ("forbidden", "not_found"), name
