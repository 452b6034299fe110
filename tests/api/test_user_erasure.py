"""Accounts that are erased: what is left of them, what is free again, and what they said.
Tests ``api/user_erasure.py`` and ``api/user_eraser.py``."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from api import user_eraser
from events.core.positions import encode_vector
from events.user_erasure import ERASED_NAME
from infra.base import postgres
from infra.base.settings import Settings
from tests.api.applications import made, person
from tests.api.conftest import minted
from tests.client import Person, Refusal, World, visiting
from tests.parts import Parts
from tests.running import until
from tests.servers import ALL, installation, process

PASSWORD = "correct horse"
#: What a profile shows of nobody.
BLANK: dict[str, Any] = {
    "username": "", "name": ERASED_NAME, "visual": None, "avatar": None, "bio": None, "data": {}, "custom": {},
}  # fmt: skip
#: Messages of the one whose erasure is cut short: three seconds of work.
MANY = 1200


async def erase(world: World, token: str, user: str, messages: str = "keep") -> Any:
    return await world.call("users.erase", {"user": user, "messages": messages}, token=token)


async def done(world: World, token: str, user: str) -> Any:
    """What was done, once nothing is left to do."""
    found: list[Any] = []

    async def over() -> bool:
        found[:] = [(await world.call("users.erasure", {"user": user}, token=token))["erasure"]]
        return found[0]["done"] is not None

    await until(over, "the erasure is not done", 60)
    return found[0]


async def code(world: World, token: str, operation: str, **fields: Any) -> str:
    try:
        await world.call(operation, fields, token=token)
    except Refusal as refusal:
        return refusal.code
    return "ok"


async def test_nothing_of_the_person_is_left_and_their_name_is_free(
    world: World, operator: str, ada: Person, installed: Settings
) -> None:
    name = f"gone-{secrets.token_hex(5)}"
    address = f"{name}@example.org"
    given = {"username": name, "password": PASSWORD, "name": "Gone", "email": address}
    welcome = await world.call("users.register", given)
    gone = Person(world, welcome, "http")
    await gone.do("users.change", bio="Something of me", custom={"a": 1}, data={"city": "Paris"}, added_by="everyone")
    room = await ada.group(gone)
    said = await gone.say(room, "what I said")
    before = world.position.copy()
    socket, listening = await world.socket(gone.token), await world.socket(ada.token)
    answer = await erase(world, operator, gone.id)
    shown = answer["user"]
    assert {field: shown[field] for field in BLANK} == BLANK and shown["id"] == gone.id
    assert shown["erased"] == shown["deactivated"] == answer["erasure"]["since"] and answer["closed"] == 1
    assert await socket.ended() == 3500 and await gone.refused("users.me") == "token_revoked"
    assert (await done(world, operator, gone.id))["rooms"] == 1
    seen = (await ada.do("users.get", user=gone.id))["user"]
    assert {**seen, "version": 0} == {**shown, "version": 0}
    # What they said stays, and they are not there any more.
    assert (await ada.do("messages.get", room=room, message=said["id"]))["message"]["content"] == {
        "text": "what I said"
    }
    assert gone.id not in [one["user"]["id"] for one in (await ada.do("members.list", room=room))["members"]]
    assert (await ada.do("users.find", name=name))["users"] == []
    # Nor is the past shown of whom nothing is to be shown.
    then = encode_vector(before)
    assert (await ada.do("users.get", user=gone.id, as_of=then))["user"]["name"] == ERASED_NAME
    listed = (await ada.do("members.list", room=room, as_of=then))["members"]
    assert {one["user"]["name"] for one in listed if one["user"]["id"] == gone.id} == {ERASED_NAME}

    async def heard() -> bool:
        return any(delta["type"] == "user.erased" for delta in listening.pushed)

    await until(heard, "a contact hears of it")
    # Name and address are anybody's, and the password is nobody's.
    with pytest.raises(Refusal) as refusal:
        await world.call("sessions.open", {"username": name, "password": PASSWORD})
    assert refusal.value.code == "unauthenticated"
    again = await world.call("users.register", given)
    assert again["user"]["id"] != gone.id and again["user"]["email"] == address
    async with postgres.connected(installed) as connection:
        ids = await connection.fetch(
            "select data->>'credential' as id from changes where stream = $1 and type = 'user.registered'", gone.id
        )
        assert ids[0]["id"] is not None
        assert await connection.fetchval("select count(*) from credentials where id = $1", ids[0]["id"]) == 0


async def test_it_is_for_good(world: World, operator: str) -> None:
    app = await made(world, operator)
    id = f"u-{secrets.token_hex(5)}"
    given = {"users": [{"external_id": id, "name": "A"}]}
    user = (await world.call("users.upsert", given, token=app.server))["users"][0]["user"]["id"]
    socket = await world.socket(app.signed(sub=id))
    first = await erase(world, app.server, user)
    assert await socket.ended() == 3500
    (again,) = (await world.call("users.upsert", given, token=app.server))["users"]
    assert again["user"] is None and again["problem"]["status"] == 410
    assert again["problem"]["type"].endswith(":erased")
    assert await code(world, app.server, "users.reactivate", user=user) == "erased"
    assert await code(world, app.signed(sub=id), "users.me") == "unauthenticated"
    # Twice is once; and what was kept at first may go later.
    twice = await erase(world, app.server, user)
    assert twice["user"]["erased"] == first["user"]["erased"] and twice["closed"] == 0
    later = await erase(world, app.server, user, "hide")
    assert later["erasure"]["messages"] == "hide" and later["user"]["erased"] == first["user"]["erased"]
    assert (await erase(world, app.server, user))["erasure"]["messages"] == "hide"
    assert (await done(world, app.server, user))["hidden"] == 0


async def test_another_application_knows_nothing_of_it(world: World, operator: str) -> None:
    app, other = await made(world, operator), await made(world, operator)
    eve, gone = await person(world, other, "eve", "http"), await person(world, other, "gone", "http")
    await erase(world, other.server, gone.id)
    unknown = "019aa000-0000-7000-8000-00000000dead"

    async def said(operation: str, id: str, **fields: Any) -> str:
        with pytest.raises(Refusal) as caught:
            await world.call(operation, {"user": id, **fields}, token=app.server)
        return str(caught.value.said).replace(id, "ID")

    for id in (eve.id, gone.id):
        assert await said("users.erase", id, messages="hide") == await said("users.erase", unknown, messages="hide")
        assert await said("users.erasure", id) == await said("users.erasure", unknown)
    # Of their own who is not erased either.
    assert await code(world, other.server, "users.erasure", user=eve.id) == "not_found"
    assert (await eve.do("users.me"))["user"]["erased"] is None


async def test_rooms_go_on_without_them(world: World, operator: str, ada: Person, bob: Person) -> None:
    gone = await world.person("gone", added_by="everyone")
    owned = await gone.group(ada, bob)
    await gone.do("members.set_role", room=owned, user=bob.id, role="admin")
    alone = await gone.group()
    archived = await ada.group(gone)
    direct = await gone.direct(ada)
    left, deleted = await ada.group(gone, bob), await ada.group(gone)
    texts = [(room, (await gone.say(room, "mine"))["id"]) for room in (owned, alone, archived, direct, left, deleted)]
    kept = await ada.say(owned, "hers")
    await bob.say(left, "his")
    pinned = texts[0][1]
    await gone.do("messages.pin", room=owned, message=pinned)
    await ada.do("rooms.archive", room=archived)
    await ada.do("rooms.delete", room=deleted)
    await gone.do("members.remove", room=left, user="me")
    await erase(world, operator, gone.id, "hide")
    answer = await done(world, operator, gone.id)
    assert (answer["rooms"], answer["hidden"]) == (5, 6)
    await world.call("rooms.restore", {"room": deleted}, token=operator)
    for room, message in texts:
        if room == alone:
            continue
        found = (await ada.do("messages.get", room=room, message=message))["message"]
        assert found["content"] == {} and found["deleted"] is not None
    assert (await ada.do("messages.get", room=owned, message=kept["id"]))["message"]["content"] == {"text": "hers"}
    assert (await ada.do("rooms.get", room=owned))["room"]["owner"] == bob.id
    assert (await ada.do("rooms.pins", room=owned))["pins"] == []
    # Numbers have no gaps: those who were there see that something was.
    for room in (owned, left):
        numbers = [one["seq"] for one in (await ada.do("messages.read", room=room))["messages"]]
        assert sorted(numbers) == list(range(1, len(numbers) + 1))


async def test_who_was_in_a_team_is_erased_like_others(world: World, operator: str) -> None:
    app = await made(world, operator)
    team = (await world.call("teams.create", {"external_id": "crew", "name": "Crew"}, token=app.server))["team"]["id"]
    gone, ada = [await person(world, app, name, "http", team) for name in ("gone", "ada")]
    room, direct = await gone.group(ada), await gone.direct(ada)
    said = [(one, (await gone.say(one, "mine"))["id"]) for one in (room, direct)]
    await erase(world, app.server, gone.id, "hide")
    answer = await done(world, app.server, gone.id)
    assert (answer["rooms"], answer["hidden"]) == (2, 2)
    for one, message in said:
        assert (await ada.do("messages.get", room=one, message=message))["message"]["content"] == {}
    assert (await ada.do("rooms.get", room=room))["room"]["owner"] == ada.id


async def test_accounts_that_fail_do_not_keep_out_others(
    world: World, operator: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = sorted([(await world.person(f"gone-{n}")).id for n in range(5)])
    failing, finish = {*ids[:2]}, user_eraser._Account.finish
    tried = Counter[str]()

    async def fails(account: Any) -> None:
        tried[account._user.id] += 1
        if account._user.id in failing:
            raise ValueError("something unforeseen")
        await finish(account)

    monkeypatch.setattr(user_eraser._Account, "finish", fails)
    monkeypatch.setattr(user_eraser, "_ACCOUNTS", 2)
    monkeypatch.setattr(user_eraser, "LOOK_SECONDS", 0.1)
    for id in ids:
        await erase(world, operator, id)
    for id in ids[2:]:
        await done(world, operator, id)
    assert all(tried[id] for id in failing), "the first ones were looked at"
    failing.clear()
    for id in ids:
        await done(world, operator, id)


async def test_a_kill_in_the_middle_loses_and_repeats_nothing(parts: Parts, tmp_path: Path) -> None:
    async with (
        installation(parts) as settings,
        process(settings, ALL, tmp_path / "log") as server,
        postgres.connected(settings) as connection,
    ):
        await server.ready()
        async with visiting(server.url) as world:
            operator = minted(settings)
            ada, gone = await world.person("ada"), await world.person("gone", added_by="everyone")
            rooms = [await ada.group(gone) for _ in range(3)]
            for start in range(0, MANY, 50):
                await asyncio.gather(*(gone.say(rooms[n % 3]) for n in range(start, start + 50)))
            kept = await ada.say(rooms[0], "hers")
            await erase(world, operator, gone.id, "hide")

            async def deleted() -> int:
                found: int = await connection.fetchval("select count(*) from changes where type = 'message.deleted'")
                return found

            async def some() -> bool:
                return await deleted() > MANY // 10

            await until(some, "nothing is deleted", 60)
            await server.end()
            assert await deleted() < MANY, "the kill came too late"
            await server.start()
            await server.ready()
            answer = await done(world, operator, gone.id)
            assert (answer["hidden"], answer["rooms"], await deleted()) == (MANY, 3, MANY)
            noted = await connection.fetch(
                """select (data->>'hidden')::int as hidden from changes
                where type = 'user.erasure_noted' order by "offset" """
            )
            assert noted[-1]["hidden"] == MANY
            assert (await ada.do("messages.get", room=rooms[0], message=kept["id"]))["message"]["seq"] == kept["seq"]
            # Each of them once, and every number is there.
            rows = await connection.fetch("select room, count(*), max(seq) as last from messages group by room")
            assert all(row["count"] == row["last"] for row in rows)
