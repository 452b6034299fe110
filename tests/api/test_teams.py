"""Teams over the API: made by the application's server or an operator, and who is in one. Tests ``api/teams.py``,
``api/moving.py`` and ``api/as_of/teams.py``."""

from __future__ import annotations

import secrets
from typing import Any, NamedTuple
from uuid import uuid4

import pytest

from api import teams
from api.moving import AFTER_SECONDS
from api.support.problems import Problem
from events.core.derived_ids import derived_id
from events.core.positions import encode_vector
from tests.api.applications import App, made, person, team_of
from tests.client import Person, Refusal, Via, World
from tests.fold import fold, snapshot_state
from tests.running import until

Json = dict[str, Any]


class Scene(NamedTuple):
    """An application with two teams, and who is in them."""

    app: App
    red: str
    blue: str
    #: Both of the red team, in a group of theirs, in a direct room, and friends.
    ada: Person
    bob: Person
    group: str
    direct: str


async def scene(world: World, operator: str, via: Via) -> Scene:
    app = await made(world, operator)
    red, blue = [await team_of(world, app, name) for name in ("red", "blue")]
    ada, bob = [await person(world, app, name, via, team=red) for name in ("ada", "bob")]
    group, direct = await ada.group(bob, type="private"), await ada.direct(bob)
    for one, other in ((ada, bob), (bob, ada)):
        await one.do("relationships.set", user=other.id, type="friend")
    await ada.say(group)
    await ada.say(direct)
    return Scene(app, red, blue, ada, bob, group, direct)


async def code(world: World, token: str, what: str, **fields: Any) -> str:
    try:
        await world.call(what, fields, token=token)
    except Refusal as refusal:
        return refusal.code
    return "ok"


async def test_a_server_makes_teams_and_others_know_nothing_of_them(world: World, operator: str) -> None:
    app, other = await made(world, operator), await made(world, operator)

    async def do(what: str, **fields: Any) -> Json:
        answer: Json = await world.call(f"teams.{what}", fields, token=app.server)
        return answer

    team = (await do("create", external_id="crew", name="Crew", custom={"pier": 4}))["team"]
    assert team["id"] == derived_id(app.id, "team", "crew") and team["app"] == app.id
    assert (await do("get", team=team["id"]))["team"] == team
    before = encode_vector(world.position)
    changed = (await do("change", team=team["id"], name="Hands", custom={"pier": None}))["team"]
    assert (changed["name"], changed["custom"]) == ("Hands", {})
    assert (await do("list"))["teams"] == [changed]
    assert await code(world, app.server, "teams.create", external_id="crew", name="Crew") == "taken"
    assert (await world.call("apps.get", {"app": app.id}, token=operator))["app"]["teams"] == 1
    # As of before it was changed.
    assert (await do("get", team=team["id"], as_of=before))["team"] == team
    assert (await do("list", as_of=before))["teams"] == [team]
    # Of another application.
    for name in ("get", "change", "remove"):
        assert await code(world, other.server, f"teams.{name}", team=team["id"]) == "not_found"
    assert await code(world, other.server, "teams.list", app=app.id) == "not_found"
    assert (await world.call("teams.list", {}, token=other.server))["teams"] == []
    await do("remove", team=team["id"])
    assert await code(world, app.server, "teams.get", team=team["id"]) == "not_found"
    assert (await world.call("apps.get", {"app": app.id}, token=operator))["app"]["teams"] == 0
    assert (await do("get", team=team["id"], as_of=before))["team"] == team


async def test_an_operator_says_whose_team_it_is(world: World, operator: str) -> None:
    app, other = await made(world, operator), await made(world, operator)
    fields = {"external_id": "crew", "name": "Crew", "app": app.id}
    team = (await world.call("teams.create", fields, token=operator))["team"]
    assert team["app"] == app.id
    assert (await world.call("teams.list", {"app": app.id}, token=operator))["teams"] == [team]
    assert (await world.call("teams.get", {"team": team["id"]}, token=operator))["team"] == team
    assert await code(world, operator, "teams.create", **{**fields, "app": "nothing"}) == "not_found"
    # A team of one application takes nobody of another.
    eve = await person(world, other, "eve", "http")
    for token in (operator, other.server):
        assert await code(world, token, "users.set_team", user=eve.id, team=team["id"]) == "not_found"
    assert await code(world, app.server, "users.set_team", user=eve.id, team=team["id"]) == "not_found"


async def test_teams_come_in_pages(world: World, operator: str) -> None:
    app = await made(world, operator)
    ids = sorted([await team_of(world, app, str(n)) for n in range(5)])
    found: list[str] = []
    cursor: Json = {}
    while True:
        page = await world.call("teams.list", {"limit": 2, **cursor}, token=app.server)
        found += [one["id"] for one in page["teams"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert found == ids


async def test_a_team_with_people_or_rooms_stays(world: World, operator: str) -> None:
    app = await made(world, operator)
    team = await team_of(world, app, "crew")
    ada = await person(world, app, "ada", "http", team=team)
    room = await ada.group()
    with pytest.raises(Refusal) as caught:
        await world.call("teams.remove", {"team": team}, token=app.server)
    assert (caught.value.code, caught.value.problem["users"], caught.value.problem["rooms"]) == ("in_use", 1, 1)
    # To another application it is not there, full or not.
    other = await made(world, operator)
    for key in (None, secrets.token_hex(8)):
        for id in (team, str(uuid4())):
            with pytest.raises(Refusal) as caught:
                await world.call("teams.remove", {"team": id}, token=other.server, key=key)
            assert (caught.value.code, caught.value.problem["detail"].replace(id, "")) == (
                "not_found", "expected a team of the application, found none with id "
            )  # fmt: skip
    await ada.do("rooms.delete", room=room)
    await world.call("users.set_team", {"user": ada.id, "team": None}, token=app.server)
    await world.call("teams.remove", {"team": team}, token=app.server)


async def test_an_upsert_puts_people_into_teams(world: World, operator: str) -> None:
    app = await made(world, operator)
    team = await team_of(world, app, "crew")
    given = [
        {"external_id": "1", "name": "Ada", "team": team}, {"external_id": "2", "name": "Bob", "team": "nothing"},
        {"external_id": "3", "name": "Eve"},
    ]  # fmt: skip
    one, two, three = (await world.call("users.upsert", {"users": given}, token=app.server))["users"]
    assert one["user"]["team"] == team and three["user"]["team"] is None
    assert two["problem"]["type"].endswith(":not_found")
    # Unsaid it stays; null is none.
    (stays,) = (await world.call("users.upsert", {"users": [{"external_id": "1", "name": "A"}]}, token=app.server))[
        "users"
    ]
    assert (stays["user"]["team"], stays["user"]["name"]) == (team, "A")
    none = {"external_id": "1", "name": "A", "team": None}
    (left,) = (await world.call("users.upsert", {"users": [none]}, token=app.server))["users"]
    assert left["user"]["team"] is None


@pytest.mark.parametrize("how", ["users.set_team", "users.upsert"])
async def test_who_is_moved_leaves_rooms_friends_and_invitations(
    world: World, operator: str, via: Via, how: str
) -> None:
    app, _, blue, ada, bob, group, direct = await scene(world, operator, via)
    await bob.do("users.change", added_by="nobody")
    asked = await ada.group(type="private", name="Asked")
    await ada.do("members.add", room=asked, user=bob.id)
    socket = await world.socket(bob.token)
    state = snapshot_state(await bob.do("sync.get"))
    assert group in state.rooms and asked in state.invitations and ada.id in state.relationships
    if how == "users.set_team":
        answer = await world.call("users.set_team", {"user": bob.id, "team": blue}, token=app.server)
        assert answer["user"]["team"] == blue
    else:
        given = {"external_id": bob.username, "name": "Bob", "team": blue}
        await world.call("users.upsert", {"users": [given]}, token=app.server)
    # All of it, once it is answered.
    assert (await bob.do("rooms.find"))["rooms"] == [] and (await bob.do("invitations.list"))["invitations"] == []
    for room in (group, direct):
        assert await bob.refused("messages.read", room=room) == "not_found"
        assert await bob.refused("messages.send", room=room, token="t", content={"text": "x"}) == "not_found"
    for one, other in ((ada, bob), (bob, ada)):
        assert (await one.do("relationships.list"))["relationships"] == []
        assert (await one.do("relationships.list", direction="in"))["relationships"] == []
        assert await one.refused("users.get", user=other.id) == "not_found"
    assert (await ada.do("members.list", room=group))["members"][0]["user"]["id"] == ada.id
    fresh = snapshot_state(await bob.do("sync.get"))

    async def same() -> bool:
        for delta in socket.pushed:
            fold(state, delta)
        return (state.rooms, state.invitations, state.relationships, state.friend_of, state.me["team"]) == (
            fresh.rooms, fresh.invitations, fresh.relationships, fresh.friend_of, fresh.me["team"]
        )  # fmt: skip

    await until(same, "what was pushed makes the same as a fresh snapshot")
    assert fresh.rooms == {} and fresh.me["team"] == blue and ada.id not in fresh.users


async def test_nobody_is_brought_back_into_a_direct_room(world: World, operator: str, via: Via) -> None:
    app, red, blue, ada, bob, _, direct = await scene(world, operator, via)
    await world.call("users.set_team", {"user": bob.id, "team": blue}, token=app.server)
    await ada.say(direct, "are you there?")
    assert (await bob.do("rooms.find"))["rooms"] == []
    # Back again, it is there as it was; meanwhile they have another elsewhere.
    await world.call("users.set_team", {"user": ada.id, "team": blue}, token=app.server)
    elsewhere = await ada.direct(bob)
    assert elsewhere != direct
    for one in (ada, bob):
        await world.call("users.set_team", {"user": one.id, "team": red}, token=app.server)
    assert await bob.direct(ada) == direct
    assert len((await ada.do("messages.read", room=direct))["messages"]) == 2


async def test_a_server_puts_nobody_into_a_room_of_another_team(world: World, operator: str) -> None:
    app, red, blue, ada, _, group, _ = await scene(world, operator, "http")
    eve = await person(world, app, "eve", "http", team=blue)

    async def acting(user: str, method: str, path: str) -> int:
        headers = {"Klatsch-User": user}
        return (await world.request(method, path, token=app.server, headers=headers)).status

    assert await acting(ada.id, "PUT", f"/v1/rooms/{group}/members/{eve.id}") == 404
    assert await acting(eve.id, "PUT", f"/v1/rooms/{group}/members/me") == 404
    assert await acting(eve.id, "PUT", f"/v1/rooms/{group}/members/{eve.id}") == 404
    # It reaches the room for whoever it acts: somebody of the room's team comes in.
    cyd = await person(world, app, "cyd", "http", team=red)
    assert await acting(eve.id, "PUT", f"/v1/rooms/{group}/members/{cyd.id}") == 200
    assert await eve.refused("rooms.get", room=group) == "not_found"


async def undone(*_: Any) -> None:
    """As where the process ends between the change and what follows from it."""
    raise Problem("overloaded", "expected a process that goes on", retry_after=1)


@pytest.mark.parametrize("goes_on", ["by asking again", "by itself"])
async def test_what_was_left_undone_is_done_later(
    world: World, operator: str, monkeypatch: pytest.MonkeyPatch, goes_on: str
) -> None:
    app, _, blue, ada, bob, _, _ = await scene(world, operator, "http")
    other = await scene(world, operator, "http")
    fields = {"user": bob.id, "team": blue}
    with monkeypatch.context() as patch:
        patch.setattr(teams, "leave_others", undone)
        assert await code(world, app.server, "users.set_team", **fields) == "overloaded"
        assert (await bob.do("users.me"))["user"]["team"] == blue
    if goes_on == "by asking again":
        await world.call("users.set_team", fields, token=app.server)

    async def left() -> bool:
        friends = (await ada.do("relationships.list"))["relationships"]
        return not (await bob.do("rooms.find"))["rooms"] and not friends

    await until(left, "nothing ties them to the other team", 10 * AFTER_SECONDS)
    assert len((await other.bob.do("rooms.find"))["rooms"]) == 2


async def test_what_is_given_at_once_keeps_its_order(world: World, operator: str) -> None:
    """Also where the application has teams, so that whose the caller is is looked up first."""
    await world.call(
        "teams.create", {"external_id": secrets.token_hex(6), "name": "Crew", "app": "default"}, token=operator
    )
    ada = await world.person("ada")
    room = await ada.group()
    orders = [
        {
            "command": "PostMessage", "actor": ada.id, "time": "1995-03-01T08:00:00.000Z", "key": f"{room}-{n}",
            "fields": {"room": room, "token": f"{room}-{n}", "content": {"text": str(n)}},
        }
        for n in range(40)
    ]  # fmt: skip
    answer = await world.call("import.orders", {"orders": orders}, token=operator)
    offsets = [int(one["position"].rpartition("/")[2]) for one in answer["results"]]
    assert offsets == sorted(offsets)
