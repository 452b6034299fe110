"""Users of applications: registered and changed by their server, whatever comes between."""

from __future__ import annotations

import asyncio
import secrets
from time import perf_counter
from typing import Any

import msgspec
import pytest

from api.app_users import USERS
from events.core.derived_ids import derived_id
from infra.base import postgres
from infra.base.settings import Settings
from tests.api.applications import App, made
from tests.api.conftest import minted
from tests.client import Person, Refusal, World
from tests.running import until

Json = dict[str, Any]


@pytest.fixture
async def server(world: World, operator: str) -> str:
    """The token of an application's own server."""
    return (await made(world, operator)).server


@pytest.fixture
def at_home(installed: Settings) -> str:
    """The token of a server of the default application."""
    return minted(installed, role="server", user="server")


def external() -> str:
    return f"u-{secrets.token_hex(6)}"


async def upsert(world: World, token: str, *users: Json) -> list[Json]:
    answer: list[Json] = (await world.call("users.upsert", {"users": list(users)}, token=token))["users"]
    assert [one["external_id"] for one in answer] == [one["external_id"] for one in users]
    return answer


async def one(world: World, token: str, **fields: Any) -> Json:
    """The user that one entry comes to."""
    (answer,) = await upsert(world, token, {"name": "Ada", **fields})
    assert answer["problem"] is None
    user: Json = answer["user"]
    return user


async def refused(world: World, token: str, **fields: Any) -> Json:
    (answer,) = await upsert(world, token, {"name": "Ada", **fields})
    assert answer["user"] is None
    problem: Json = answer["problem"]
    return problem


async def happened(settings: Settings, user: str, *types: str) -> None:
    """Waits until the history of a user has these events, and no others: it follows the answer a moment later."""
    found: list[str] = []

    async def as_expected() -> bool:
        async with postgres.connected(settings) as connection:
            rows = await connection.fetch('select type from changes where stream = $1 order by "offset"', user)
        found[:] = [row["type"] for row in rows]
        return found == list(types)

    await until(as_expected, f"expected {types} of {user}, the last that was seen were {found}")


async def test_who_is_not_there_is_registered_and_then_changed(world: World, server: str, installed: Settings) -> None:
    id = external()
    first = await one(
        world, server, external_id=id, avatar="https://a.example/a.png", bio="Hello", custom={"plan": "gold"},
        data={"city": "London"}, kind="guest",
    )  # fmt: skip
    assert (first["external"], first["username"], first["kind"], first["role"]) == (id, "", "guest", "person")
    assert (first["avatar"], first["bio"]) == ("https://a.example/a.png", "Hello")
    assert (first["custom"], first["data"], first["email"]) == ({"plan": "gold"}, {"city": "London"}, None)
    # What is not given stays; what is given is the whole of it.
    again = await one(world, server, external_id=id, name="Countess", custom={"seats": 2}, bio=None)
    changed = {"name": "Countess", "custom": {"seats": 2}, "bio": None}
    moved = {"version": again["version"], "updated": again["updated"]}
    assert again == first | changed | moved and again["version"] > first["version"]
    # Nothing differs: nothing happens.
    assert await one(world, server, external_id=id, name="Countess", custom={"seats": 2}) == again
    await happened(installed, first["id"], "user.registered", "user.profile_changed")


async def test_ids_follow_from_the_application_and_its_id(world: World, server: str, operator: str) -> None:
    id, other = external(), await made(world, operator)
    here, there = await one(world, server, external_id=id), await one(world, other.server, external_id=id)
    assert here["id"] != there["id"] == derived_id(other.id, "user", id)


async def test_one_that_is_bad_by_form_keeps_all_from_being_stored(world: World, server: str) -> None:
    good, bad = external(), external()
    users = [{"external_id": good, "name": "A"} for _ in range(17)]
    users = [{**user, "external_id": f"{good}-{n}"} for n, user in enumerate(users)]
    for fields, place in (
        ({"name": ""}, "/users/17/name"), ({"name": "\u200b"}, "/users/17/name"), ({"email": "x@y"}, "/users/17/email"),
        ({"avatar": "ftp://a.example"}, "/users/17/avatar"), ({"custom": {"a": "x" * 6000}}, "/users/17/custom"),
        ({"data": {"last_login": "x"}}, "/users/17/data/last_login"), ({"kind": "king"}, "/users/17/kind"),
        ({"external_id": "a b"}, "/users/17/external_id"), ({"external_id": f"{good}-3"}, "/users/17/external_id"),
        ({"username": "everyone"}, "/users/17/username"), ({"bio": "\u200b"}, "/users/17/bio"),
    ):  # fmt: skip
        with pytest.raises(Refusal) as refusal:
            await upsert(world, server, *users, {"external_id": bad, "name": "B", **fields})
        assert refusal.value.code == "invalid", fields
        assert [fault["pointer"] for fault in refusal.value.problem["errors"]] == [place]
    assert await query(world, server, external_ids=",".join([bad, *(user["external_id"] for user in users)])) == []


async def registered(world: World, operator: str, app: App, name: str) -> Json:
    """Somebody who registers with the application by themselves. Raises Refusal."""
    await world.call("apps.change", {"app": app.id, "settings": {"registration": True}}, token=operator)
    body, headers = msgspec.json.encode({"username": name}), {"Klatsch-Api-Key": app.key}
    answer = await world.request("POST", "/v1/users", body=body, headers=headers)
    if answer.status != 201:
        raise answer.refusal()
    found: Json = answer.json()
    return found


async def test_names_are_claimed_and_one_that_is_taken_is_told_of_its_user(world: World, operator: str) -> None:
    app = await made(world, operator)
    server = app.server
    name, address = f"app-{secrets.token_hex(5)}", f"{secrets.token_hex(6)}@example.org"
    first, second = external(), external()
    user = await one(world, server, external_id=first, username=name, email=address)
    assert (user["username"], user["email"]) == (name, address)
    problem = await refused(world, server, external_id=second, username=name)
    assert problem["type"].endswith(":taken") and problem["errors"][0]["pointer"] == "/username"
    free = f"app-{secrets.token_hex(5)}"
    problem = await refused(world, server, external_id=second, username=free, email=address)
    assert problem["errors"][0]["pointer"] == "/email"
    # What was refused leaves nothing behind: the names are free, and so is the id.
    assert (await one(world, server, external_id=second, username=free.upper()))["username"] == free.upper()
    with pytest.raises(Refusal, match="taken"):
        await registered(world, operator, app, free)
    third = await registered(world, operator, app, f"{free}x")
    assert third["user"]["external"] is None


async def test_an_address_can_be_changed_and_given_back(world: World, server: str) -> None:
    address, other = (f"{secrets.token_hex(6)}@example.org" for _ in range(2))
    id, second = external(), external()
    await one(world, server, external_id=id, email=address)
    assert (await one(world, server, external_id=id, email=other))["email"] == other
    # The first is free again.
    assert (await one(world, server, external_id=second, email=address))["email"] == address
    problem = await refused(world, server, external_id=id, name="Not stored", email=address)
    assert problem["type"].endswith(":taken")
    user = await one(world, server, external_id=id, email=None)
    assert (user["email"], user["name"]) == (None, "Ada")
    assert (await one(world, server, external_id=second, email=other))["email"] == other


async def test_username_and_kind_are_for_good(world: World, server: str) -> None:
    id, named = external(), external()
    await one(world, server, external_id=id)
    for fields in ({"username": f"late-{secrets.token_hex(4)}"}, {"kind": "guest"}):
        problem = await refused(world, server, external_id=id, **fields)
        assert problem["type"].endswith(":invalid") and problem["errors"][0]["pointer"] == f"/{next(iter(fields))}"
    name = f"app-{secrets.token_hex(5)}"
    first = await one(world, server, external_id=named, username=name, kind="anonymous")
    assert await one(world, server, external_id=named, username=name, kind="anonymous") == first


async def test_values_that_python_holds_for_equal_are_not_the_same(world: World, server: str) -> None:
    id = external()
    for value in (1, True, 1.0, 0, False, [1], [True]):
        found = (await one(world, server, external_id=id, custom={"value": value}))["custom"]["value"]
        assert msgspec.json.encode(found) == msgspec.json.encode(value)


async def test_many_at_once_make_one_user(world: World, server: str, installed: Settings) -> None:
    id, name = external(), f"app-{secrets.token_hex(5)}"
    users = await asyncio.gather(
        *(one(world, server, external_id=id, username=name, custom={"a": 1}) for _ in range(8))
    )
    assert {(user["id"], user["version"]) for user in users} == {(users[0]["id"], users[0]["version"])}
    await happened(installed, users[0]["id"], "user.registered")


async def test_a_registration_that_was_given_up_begins_anew(world: World, server: str, installed: Settings) -> None:
    id, name = external(), f"app-{secrets.token_hex(5)}"
    address = f"{secrets.token_hex(6)}@example.org"
    await one(world, server, external_id=external(), email=address)
    await refused(world, server, external_id=id, username=name, email=address)
    user = await one(world, server, external_id=id, username=name)
    await happened(installed, user["id"], "user.registration_abandoned", "user.registered")


async def test_people_see_who_has_no_username_by_their_name(world: World, at_home: str) -> None:
    user = await one(world, at_home, external_id=external(), name=f"Nameless {secrets.token_hex(4)}")
    ada = await world.person("ada")
    found = (await ada.do("users.find", name=user["name"]))["users"]
    assert [(one["id"], one["username"], one["name"]) for one in found] == [(user["id"], "", user["name"])]
    # To who blocks them they have not even that: the id says who it is.
    await ada.do("relationships.set", user=user["id"], type="block")
    assert (await ada.do("users.get", user=user["id"]))["user"]["name"] == user["id"]


async def test_who_has_no_username_is_in_no_live_channel(world: World, at_home: str, operator: str) -> None:
    user = await one(world, at_home, external_id=external())
    service = {"username": f"svc-{secrets.token_hex(5)}", "scopes": ["sessions:issue"]}
    issuer = (await world.call("services.register", service, token=operator))["token"]
    nameless = Person(world, await world.call("sessions.issue", {"user": user["id"]}, token=issuer), "http")
    channel = (await nameless.do("channels.create", name="Raid", limit=2))["channel"]["id"]
    with pytest.raises(Refusal, match="username") as refusal:
        await nameless.do("channels.listen", channel=channel)
    assert refusal.value.code == "forbidden"
    # A password of theirs is proved as anybody's.
    await nameless.do("users.change_password", password="correct horse")
    assert await nameless.refused("users.change_password", current="wrong", password="another horse") == "forbidden"


async def test_only_a_server_may(world: World, operator: str, ada: Person) -> None:
    for token in (operator, ada.token):
        with pytest.raises(Refusal) as refusal:
            await upsert(world, token, {"external_id": external(), "name": "A"})
        assert refusal.value.code == "forbidden"


async def test_a_hundred_users_are_no_hundred_waits(world: World, server: str) -> None:
    users = [{"external_id": external(), "name": f"User {n}", "custom": {"n": n}} for n in range(100)]
    one_by_one = perf_counter()
    for user in users[:10]:
        await upsert(world, server, user)
    one_by_one = (perf_counter() - one_by_one) / 10
    started = perf_counter()
    first = await upsert(world, server, *users)
    assert perf_counter() - started < 100 * one_by_one / 2
    assert all(answer["problem"] is None for answer in first)
    assert await upsert(world, server, *users) == first


async def query(world: World, token: str, **fields: Any) -> list[str]:
    """External ids of the users that are found, page by page."""
    answer = await world.call("users.query", fields, token=token)
    found = [user["external"] for user in answer["users"]]
    while answer["next"] is not None:
        answer = await world.call("users.query", {**fields, "cursor": answer["next"]}, token=token)
        found += [user["external"] for user in answer["users"]]
    return found


async def test_a_server_finds_its_users_by_its_ids(world: World, server: str, operator: str) -> None:
    ids = [external() for _ in range(3)]
    await upsert(world, server, *({"external_id": id, "name": "A", "email": f"{id}@example.org"} for id in ids[:2]))
    assert await query(world, server, external_ids=",".join([ids[1], ids[2], ids[0]])) == [ids[1], ids[0]]
    (user,) = (await world.call("users.query", {"external_ids": ids[0]}, token=server))["users"]
    assert user["email"] == f"{ids[0]}@example.org"
    other = (await made(world, operator)).server
    assert await query(world, other, external_ids=",".join(ids)) == []


async def test_a_server_finds_its_users_by_their_object(world: World, server: str, operator: str) -> None:
    mark = secrets.token_hex(5)
    names = ["gold"] * 3 + ["tin"]
    objects = [{"mark": mark, "plan": {"name": name, "seats": n}} for n, name in enumerate(names)]
    plans: dict[str, Any] = {external(): one for one in objects}
    await upsert(world, server, *({"external_id": id, "name": "A", "custom": custom} for id, custom in plans.items()))
    await world.person("outsider", custom={"mark": mark, "plan": {"name": "gold"}})
    other = (await made(world, operator)).server
    await one(world, other, external_id=external(), custom={"mark": mark, "plan": {"name": "gold"}})
    gold = {id for id, custom in plans.items() if custom["plan"]["name"] == "gold"}
    for limit in (1, 2, 50):
        asked = f'{{"mark": "{mark}", "plan": {{"name": "gold"}}}}'
        found = await query(world, server, custom=asked, limit=limit)
        assert set(found) == gold and len(found) == 3
    assert len(await query(world, server, custom=f'{{"mark": "{mark}", "plan": {{"seats": 1}}}}')) == 1
    assert await query(world, server, custom=f'{{"mark": "{mark}", "plan": "gold"}}') == []


async def stored(world: World, token: str, ids: list[str]) -> list[str]:
    """Those of the external ids of which there is a user, in their order."""
    pages = [ids[n : n + USERS] for n in range(0, len(ids), USERS)]
    return [id for page in pages for id in await query(world, token, external_ids=",".join(page))]


@pytest.mark.parametrize("many", [USERS + 1, 10_000])
async def test_more_than_one_call_takes_are_refused_whole(world: World, server: str, many: int) -> None:
    ids = [external() for _ in range(many)]
    with pytest.raises(Refusal) as refusal:
        await upsert(world, server, *({"external_id": id, "name": "A"} for id in ids))
    assert refusal.value.code == "invalid"
    (fault,) = refusal.value.problem["errors"]
    expected, actual = f"an array of 1 to {USERS} items", f"an array of {many} items"
    assert fault == {"pointer": "/users", "expected": expected, "actual": actual}
    assert await stored(world, server, ids[: 2 * USERS]) == []


async def test_ten_thousand_of_which_one_is_bad(world: World, server: str) -> None:
    """As a customer moves in: as many a call as it takes, some calls at a time."""
    taken, ids = f"{secrets.token_hex(6)}@example.org", [external() for _ in range(10_000)]
    await one(world, server, external_id=external(), email=taken)
    users = [{"external_id": id, "name": f"User {n}", "custom": {"n": n}} for n, id in enumerate(ids)]
    users[5_050]["email"] = taken
    calls = [users[n : n + USERS] for n in range(0, len(users), USERS)]
    problems: dict[str, Json] = {}

    async def lane(n: int) -> None:
        for call in calls[n::4]:
            told = await upsert(world, server, *call)
            problems.update({one["external_id"]: one["problem"] for one in told if one["problem"] is not None})

    started = perf_counter()
    await asyncio.gather(*map(lane, range(4)))
    print(f"{len(users)} users in {perf_counter() - started:.1f} s")
    assert list(problems) == [ids[5_050]]
    problem = problems[ids[5_050]]
    assert problem["type"].endswith(":taken") and problem["errors"][0]["pointer"] == "/email"
    assert await stored(world, server, ids) == ids[:5_050] + ids[5_051:]


@pytest.mark.parametrize(
    "fields",
    [{}, {"external_ids": "a", "custom": "{}"}, {"custom": "[]"}, {"custom": "{"}, {"custom": '{"a": "\\u0000"}'},
     {"external_ids": ",".join(map(str, range(101)))}, {"custom": "{}", "cursor": "x"}],
)  # fmt: skip
async def test_what_cannot_be_asked(world: World, server: str, fields: Json) -> None:
    with pytest.raises(Refusal) as refusal:
        await world.call("users.query", fields, token=server)
    assert refusal.value.code == "invalid"
