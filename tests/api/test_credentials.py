"""Changing a password, and an operator's reset: who may, what ends with it, and what is left of the old one."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import msgspec
import pytest

from api import ending
from infra.base import postgres
from infra.base.settings import Settings
from tests.api.applications import made
from tests.api.test_log_in import credentials
from tests.client import Person, Refusal, World, visiting
from tests.parts import Parts
from tests.running import until
from tests.servers import installation, serving

OLD, NEW = "correct horse battery", "another horse battery"


@pytest.fixture
async def grace(world: World, ada: Person) -> Person:
    """Somebody with a password, on the test's way."""
    return await world.person("grace", via=ada.via, password=OLD)


async def void(world: World, token: str) -> None:
    """Waits until the token is refused: nodes learn of a closed session from the read models."""

    async def refused() -> bool:
        answer = await world.request("GET", "/v1/users/me", token=token)
        return answer.status == 401 and answer.refusal().code == "token_revoked"

    await until(refused, "the token is void")


class Changed(NamedTuple):
    """What the log says of one change."""

    actor: str
    credential: str
    was: str | None


async def changes_of(settings: Settings, user: str) -> list[Changed]:
    """The events of a user's passwords."""
    connection = await postgres.connect(settings)
    try:
        rows = await connection.fetch(
            "select actor, data from changes where stream = $1 and type = 'user.password_changed' order by 1", user
        )
        return [Changed(row["actor"], **row["data"]) for row in rows]
    finally:
        await connection.close()


async def credential_of(settings: Settings, user: str) -> str:
    connection = await postgres.connect(settings)
    try:
        return str(await connection.fetchval("select credential from users where id = $1", user))
    finally:
        await connection.close()


async def test_the_new_one_logs_in_the_old_one_does_not_and_this_session_stays(
    installed: Settings, world: World, grace: Person
) -> None:
    there = await world.log_in(grace, OLD)
    was = await credential_of(installed, grace.id)
    answer = await grace.do("users.change_password", current=OLD, password=NEW)
    assert answer["user"]["username"] == grace.username and "credential" not in str(answer)
    assert not await world.enters(grace, OLD) and await world.enters(grace, NEW)
    assert (await grace.do("users.me"))["user"]["version"] >= answer["user"]["version"]
    await void(world, there.token)
    # The old hash is nowhere any more, in the vault's topic and its copy.
    new = await credential_of(installed, grace.id)

    async def only_the_new() -> bool:
        found = await credentials(installed)
        return new in found and was not in found

    await until(only_the_new, "the old hash is gone")
    (event,) = await changes_of(installed, grace.id)
    assert event == Changed(grace.id, new, was)


async def test_connections_of_the_other_sessions_end_at_once(world: World, grace: Person) -> None:
    there = await world.log_in(grace, OLD)
    async with world.http.ws_connect(f"{world.url}/v1/connection") as ws:
        await ws.send_json({"id": 1, "connect": {"token": there.token}})
        await ws.receive_json(timeout=20)
        own = await world.socket(grace.token)
        await grace.do("users.change_password", current=OLD, password=NEW)
        while not (message := await ws.receive(timeout=20)).type.name.startswith("CLOS"):
            continue
        assert message.data == 3500

        async def heard() -> bool:
            return any(delta["type"] == "user.password_changed" for delta in own.pushed)

        await until(heard, "the session that goes on hears of it")
        (delta,) = [one for one in own.pushed if one["type"] == "user.password_changed"]
        assert delta["data"] == {} and "credential" not in str(own.pushed)


@pytest.mark.parametrize(
    ("fields", "code"),
    [({"password": NEW}, "invalid"), ({"current": "wrong", "password": NEW}, "forbidden"),
     ({"current": OLD}, "invalid"), ({"current": OLD, "password": "short77"}, "invalid"),
     ({"current": OLD, "password": "x" * 513}, "invalid"), ({"current": OLD, "password": 12345678}, "invalid"),
     ({"current": "", "password": NEW}, "invalid"), ({"current": OLD, "password": "nul\x00inside"}, "invalid")],
)  # fmt: skip
async def test_what_is_refused_changes_nothing(
    installed: Settings, world: World, grace: Person, fields: dict[str, Any], code: str
) -> None:
    there, before = await world.log_in(grace, OLD), await credential_of(installed, grace.id)
    assert await grace.refused("users.change_password", **fields) == code
    assert await world.enters(grace, OLD) and await credential_of(installed, grace.id) == before
    assert (await there.do("users.me"))["user"]["id"] == grace.id
    assert await changes_of(installed, grace.id) == []


async def test_who_has_none_sets_the_first_one(world: World, ada: Person) -> None:
    assert await ada.refused("users.change_password", current=OLD, password=NEW) == "invalid"
    await ada.do("users.change_password", password=NEW)
    assert await world.enters(ada, NEW)
    assert await ada.refused("users.change_password", password=OLD) == "invalid"


async def test_a_service_has_none(service: Person) -> None:
    assert await service.refused("users.change_password", password=NEW) == "forbidden"


async def test_the_same_key_gives_the_first_result_for_ever(installed: Settings, world: World, grace: Person) -> None:
    await grace.do("users.change_password", current=OLD, password=NEW, key="k1")
    # The old password is no longer the current one; it was asked for already.
    await grace.do("users.change_password", current=OLD, password=NEW, key="k1")
    there = await world.log_in(grace, NEW)
    await grace.do("users.change_password", current=OLD, password=NEW, key="k1")
    assert (await there.do("users.me"))["user"]["id"] == grace.id, "it ends no session that came after it"
    await grace.do("users.change_password", current=NEW, password=OLD, key="k2")
    await grace.do("users.change_password", current=OLD, password=NEW, key="k1")
    assert await world.enters(grace, OLD) and not await world.enters(grace, NEW)
    assert len(await changes_of(installed, grace.id)) == 2
    current = await credential_of(installed, grace.id)

    async def one_is_left() -> bool:
        found = await credentials(installed)
        events = await changes_of(installed, grace.id)
        named = {name for event in events for name in (event.credential, event.was)}
        return named & found == {current}

    await until(one_is_left, "of the hashes that the events name the current one is left")


async def test_the_same_key_many_times_at_once_is_one_change(installed: Settings, world: World, grace: Person) -> None:
    fields = {"current": OLD, "password": NEW}
    await asyncio.gather(*(grace.do("users.change_password", **fields, key="at-once") for _ in range(6)))
    (event,) = await changes_of(installed, grace.id)
    connection = await postgres.connect(installed)
    try:
        # Of the hashes that were made meanwhile the one of the event is left.
        newer = "select array_agg(id) from credentials where id >= $1"

        async def one_is_left() -> bool:
            found: list[str] = await connection.fetchval(newer, event.was)
            return found == [event.credential]

        await until(one_is_left, "one hash is left")
    finally:
        await connection.close()
    assert await world.enters(grace, NEW)


async def test_a_key_without_the_password_proves_nothing(world: World, grace: Person) -> None:
    assert await grace.refused("users.change_password", current="wrong", password=NEW, key="k1") == "forbidden"
    assert await world.enters(grace, OLD)
    await grace.do("users.change_password", current=OLD, password=NEW, key="k1")
    assert await world.enters(grace, NEW)


async def test_log_ins_at_the_same_time_do_not_outlive_the_old_password(world: World) -> None:
    grace = await world.person("grace", password=OLD)

    async def again() -> Person | None:
        try:
            return await world.log_in(grace, OLD)
        except Refusal:
            return None

    first, *opened = await asyncio.gather(
        grace.do("users.change_password", current=OLD, password=NEW), *(again() for _ in range(10))
    )
    assert first["user"]["id"] == grace.id
    for session in opened:
        if session is not None:
            await void(world, session.token)
    assert (await grace.do("users.me"))["user"]["id"] == grace.id


async def test_more_sessions_than_one_command_ends(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "SESSIONS", 3)
    grace = await world.person("grace", password=OLD)
    others = [await world.log_in(grace, OLD) for _ in range(9)]
    await grace.do("users.change_password", current=OLD, password=NEW)
    for other in others:
        await void(world, other.token)
    sessions = (await grace.do("sessions.list"))["sessions"]
    assert [one["current"] for one in sessions] == [True]


async def test_an_operator_gives_another_one_and_ends_all_sessions(
    installed: Settings, world: World, operator: str, grace: Person
) -> None:
    there = await world.log_in(grace, OLD)
    fields = {"username": grace.username.upper(), "password": NEW}
    answer = await world.call("users.reset_password", fields, token=operator, key="reset")
    assert answer["closed"] == 2 and answer["user"]["id"] == grace.id and "email" not in answer["user"]
    for session in (grace.token, there.token):
        await void(world, session)
    assert await world.enters(grace, NEW) and not await world.enters(grace, OLD)
    # The log says who did it.
    (event,) = await changes_of(installed, grace.id)
    assert event.actor == "operator"
    again = await world.call("users.reset_password", fields, token=operator, key="reset")
    assert (again["user"]["id"], again["closed"]) == (grace.id, 2)
    assert await world.enters(grace, NEW) and len(await changes_of(installed, grace.id)) == 1


async def test_whom_an_operator_cannot_give_one(world: World, operator: str, service: Person) -> None:
    for username, code in ((f"nobody-{secrets.token_hex(4)}", "not_found"), (service.username, "forbidden")):
        with pytest.raises(Refusal) as refusal:
            await world.call("users.reset_password", {"username": username, "password": NEW}, token=operator)
        assert refusal.value.code == code


@pytest.fixture
async def careful(parts: Parts) -> AsyncIterator[World]:
    """An installation that asks for twelve characters, as ASVS 2.1.1 does."""
    async with (
        installation(parts) as made,
        serving(msgspec.structs.replace(made, password_chars=12)) as url,
        visiting(url) as world,
    ):
        yield world


async def test_how_long_a_new_password_must_be_is_a_setting(careful: World) -> None:
    with pytest.raises(Refusal) as refusal:
        await careful.person("short", password="x" * 11)
    assert refusal.value.code == "invalid" and "at least 12 characters, got 11" in refusal.value.problem["detail"]
    grace = await careful.person("grace", password="x" * 12)
    assert await grace.refused("users.change_password", current="x" * 12, password="y" * 11) == "invalid"
    assert (await grace.do("users.change_password", current="x" * 12, password="y" * 12))["user"]["id"] == grace.id


async def test_whom_it_is_given_by_id_in_any_application(world: World, operator: str) -> None:
    app, name = await made(world, operator), f"twin-{secrets.token_hex(4)}"
    twin = await world.person("twin", password=OLD)
    given = {"external_id": "1", "name": "Twin", "username": twin.username}
    [other] = (await world.call("users.upsert", {"users": [given]}, token=app.server))["users"]
    fields = {"user": other["user"]["id"], "password": NEW}
    answer = await world.call("users.reset_password", fields, token=operator)
    assert answer["user"]["id"] == other["user"]["id"] != twin.id
    # Who has the same name in another application has the password of before.
    assert await world.enters(twin, OLD) and not await world.enters(twin, NEW)
    body = msgspec.json.encode({"username": twin.username, "password": NEW})
    there = await world.request("POST", "/v1/sessions", body=body, headers={"Klatsch-Api-Key": app.key})
    assert there.status == 201 and there.json()["user"]["id"] == other["user"]["id"]
    for wrong in ({}, {"user": twin.id, "username": twin.username}, {"user": name}):
        with pytest.raises(Refusal) as refusal:
            await world.call("users.reset_password", {**wrong, "password": NEW}, token=operator)
        assert refusal.value.code == ("not_found" if "user" in wrong and len(wrong) == 1 else "invalid")
