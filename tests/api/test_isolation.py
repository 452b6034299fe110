"""What one application has does not exist for another, nor within one what is of another team: every operation that
names a person or a room, every list, every read of the past. Tests ``api/core/app_tokens.py`` and
``producers/batch/homes.py``."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import uuid4

import jwt
import msgspec
import pytest

from events.core.clock import from_datetime, uuid7
from events.core.positions import encode_vector
from tests.api.applications import App, made, person, team_of
from tests.api.test_blocks_walk import NAMED, Fields, answer
from tests.client import OPERATIONS, Person, Refusal, Via, World
from tests.running import until

KINDS = ("direct", "private", "public")
#: What lies between the owner and the caller: the caller is of another application, of another team of the same one, or
#: one of the two is of no team.
APART = ("application", "team", "owner in a team", "caller in a team")


class Scene(NamedTuple):
    """Two with a room, a stranger who is apart from them, and the ids for the words."""

    owner: Person
    caller: Person
    there: dict[str, str]
    unknown: dict[str, str]


class Side(NamedTuple):
    """Where somebody is."""

    app: App
    team: str | None = None

    async def person(self, world: World, name: str, via: Via) -> Person:
        return await person(world, self.app, name, via, self.team)


async def sides(world: World, operator: str, apart: str) -> tuple[Side, Side]:
    """Where the owner is, and where the caller."""
    app = await made(world, operator)
    if apart == "application":
        return Side(app), Side(await made(world, operator))
    red, blue = [await team_of(world, app, name) for name in ("red", "blue")]
    return Side(app, None if apart == "caller in a team" else red), Side(
        app, None if apart.startswith("owner") else blue
    )


async def scene(world: World, operator: str, via: Via, kind: str, apart: str) -> Scene:
    one, other = await sides(world, operator, apart)
    owner, third = await one.person(world, "owner", "http"), await one.person(world, "third", "http")
    caller = await other.person(world, "caller", via)
    room = await owner.direct(third) if kind == "direct" else await owner.group(third, type=kind, name="Secret garden")
    message = await owner.say(room)
    visual = (await owner.do("visuals.choose", model_data={}))["user"]["visual"]
    own = await caller.group()
    there = {"USER": owner.id, "ROOM": room, "MESSAGE": message["id"], "VISUAL": visual, "OWN": own}
    unknown = {"USER": str(uuid4()), "ROOM": uuid7(), "MESSAGE": uuid7(), "VISUAL": uuid7(), "OWN": own}
    return Scene(owner, caller, there, unknown)


@pytest.mark.parametrize("apart", APART)
@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_apart_answers_as_an_unknown_id(
    world: World, operator: str, via: Via, kind: str, apart: str
) -> None:
    _, caller, there, unknown = await scene(world, operator, via, kind, apart)
    found = [(name, fields) for name, listed in NAMED.items() for fields in listed]
    place = encode_vector(world.position)
    past = [(name, {**fields, "as_of": place}) for name, fields in found if OPERATIONS[name].has_past]
    wrong: list[Any] = []
    for name, fields in found + past:
        said = await answer(caller, name, fields, there)
        if said != (twin := await answer(caller, name, fields, unknown)):
            wrong.append((name, fields, said, twin))
    assert not wrong, "\n".join(map(str, wrong))


@pytest.mark.parametrize("apart", APART)
async def test_lists_and_searches_have_nothing_of_another(world: World, operator: str, via: Via, apart: str) -> None:
    owner, caller, there, _ = await scene(world, operator, via, "public", apart)
    mine = await person(world, await made(world, operator), "owner", via)
    lists: list[tuple[str, Fields]] = [
        ("users.find", {"name": "owner"}), ("users.find", {"name": owner.username}),
        ("rooms.find", {"scope": "public"}), ("rooms.find", {"name": "Secret"}), ("rooms.find", {}),
        ("rooms.find", {"scope": "public", "custom": "{}"}), ("visuals.list", {"ids": there["VISUAL"]}),
        ("relationships.list", {}), ("relationships.list", {"direction": "in"}), ("invitations.list", {}),
        ("sessions.list", {}), ("messages.search", {"text": "hello"}), ("sync.get", {}),
    ]  # fmt: skip
    hidden = [there[word] for word in ("USER", "ROOM", "MESSAGE", "VISUAL")]
    for name, fields in lists:
        for who in (caller, mine):
            said = repr(await who.do(name, **fields))
            assert not [id for id in hidden if id in said], (name, fields, said)
    assert owner.id in repr(await owner.do("users.find", name="owner"))
    assert there["ROOM"] in repr(await owner.do("rooms.find", scope="public"))


async def test_nobody_of_the_default_application_is_there_for_others(world: World, operator: str, via: Via) -> None:
    ada = await world.person("ada", via="http")
    room, caller = await ada.group(), await person(world, await made(world, operator), "caller", via)
    assert await caller.refused("users.get", user=ada.id) == "not_found"
    assert await caller.refused("members.add", room=room, user="me") == "not_found"
    assert await caller.refused("rooms.create", type="direct", members=[ada.id]) == "not_found"
    assert await caller.refused("channels.list") == "forbidden"
    # And the other way round.
    assert await ada.refused("users.get", user=caller.id) == "not_found"
    assert await ada.refused("members.add", room=await caller.group(), user="me") == "not_found"
    assert await ada.refused("members.add", room=room, user=caller.id) == "not_found"


async def test_names_and_addresses_are_free_in_another_application(world: World, operator: str) -> None:
    name = f"ada-{secrets.token_hex(4)}"
    given = {"external_id": "1", "name": "Ada", "username": name, "email": f"{name}@example.org"}
    found = set()
    for app in (await made(world, operator), await made(world, operator)):
        [one] = (await world.call("users.upsert", {"users": [given]}, token=app.server))["users"]
        assert one["problem"] is None and one["user"]["username"] == name
        found.add(one["user"]["id"])
        twin = {**given, "external_id": "2"}
        [refused] = (await world.call("users.upsert", {"users": [twin]}, token=app.server))["users"]
        assert refused["problem"]["type"].endswith(":taken")
    assert len(found) == 2


async def test_rooms_are_called_alike_in_two_applications(world: World, operator: str, via: Via) -> None:
    people = [await person(world, await made(world, operator), "ada", via) for _ in range(2)]
    rooms = {(await one.do("rooms.create", type="public", name="Tea", id="tea"))["room"]["id"] for one in people}
    assert len(rooms) == 2
    for one in people:
        with pytest.raises(Refusal) as caught:
            await one.do("rooms.create", type="private", name="Tea", id="tea")
        assert caught.value.problem["detail"] == "expected an unused room id, tea exists"
        [fault] = caught.value.problem["errors"]
        assert fault["actual"] == "tea, which exists", "the name that was sent, and no id that it never saw"
    for one in people:
        await one.say("tea", "hello")
        [message] = (await one.do("messages.read", room="tea"))["messages"]
        assert message["author"] == one.id and message["room"] in rooms
    assert await (await world.person("bob", via=via)).refused("rooms.get", room="tea") == "not_found"


async def test_a_room_says_by_which_name_it_was_made(world: World, operator: str, via: Via) -> None:
    ada = await person(world, await made(world, operator), "ada", via)
    fields = {"type": "public", "name": "Tea"}
    room = (await ada.do("rooms.create", **fields, id="tea"))["room"]
    assert room["slug"] == "tea" != room["id"]
    assert (await ada.do("rooms.get", room="tea"))["room"] == room
    assert [one["room"]["slug"] for one in (await ada.do("rooms.find"))["rooms"]] == ["tea"]
    assert (await ada.do("rooms.create", **fields))["room"]["slug"] is None
    past = encode_vector(world.position)
    assert (await ada.do("rooms.get", room="tea", as_of=past))["room"]["slug"] == "tea"


async def test_people_register_and_log_in_where_the_application_lets_them(world: World, operator: str) -> None:
    app, other = await made(world, operator), await made(world, operator)
    given = {"username": f"ada-{secrets.token_hex(4)}", "password": "correct horse"}

    async def tried(path: str, key: str) -> tuple[int, Any]:
        answer = await world.request("POST", path, body=msgspec.json.encode(given), headers={"Klatsch-Api-Key": key})
        return answer.status, answer.json()

    status, problem = await tried("/v1/users", app.key)
    assert (status, problem["type"].rpartition(":")[2]) == (403, "forbidden")
    for one in (app, other):
        await world.call("apps.change", {"app": one.id, "settings": {"registration": True}}, token=operator)

    async def open_() -> bool:
        return (await tried("/v1/users", app.key))[0] == 201

    await until(open_, "anybody may register")
    status, welcome = await tried("/v1/sessions", app.key)
    assert status == 201
    ada = Person(world, welcome, "http")
    assert (await ada.do("users.me"))["user"]["username"] == given["username"]
    renewed = await ada.do("sessions.renew")
    assert (await world.call("users.me", {}, token=renewed["token"]))["user"]["id"] == ada.id
    assert (await tried("/v1/sessions", other.key))[0] == 401
    assert (await tried("/v1/sessions", "kk_" + "b" * 26))[0] == 401
    assert await (await world.person("bob")).refused("users.get", user=ada.id) == "not_found"


@pytest.mark.parametrize("apart", APART)
async def test_nothing_is_pushed_across(world: World, operator: str, apart: str) -> None:
    one, other = await sides(world, operator, apart)
    owner, third = await one.person(world, "owner", "http"), await one.person(world, "third", "http")
    caller = await other.person(world, "caller", "http")
    theirs, mine = await world.socket(third.token), await world.socket(caller.token)
    room = await owner.group(third)
    await owner.say(room)

    async def received() -> bool:
        return any(pushed["type"] == "message.posted" for pushed in theirs.pushed)

    await until(received, "the other of the room received the message")
    own_room = await caller.group()

    async def own() -> bool:
        return own_room in repr(mine.pushed)

    await until(own, "the stranger received their own")
    assert room not in repr(mine.pushed) + repr(mine.signals)


#: Tokens that are no good, each with the code that is told.
async def _bad(world: World, operator: str) -> list[tuple[str, str, str]]:
    one, other = await made(world, operator), await made(world, operator)
    ada = await person(world, one, "ada", "http")
    sub = ada.username
    moment = int(time.time())
    foreign = jwt.encode({"sub": sub, "iat": moment, "exp": moment + 60}, other.secret, "HS256", {"kid": one.key})
    none = jwt.encode({"sub": sub, "iat": moment, "exp": moment + 60}, "", "none", {"kid": one.key})
    unknown = App(one.id, "kk_" + "a" * 26, one.secret)
    return [
        ("an unknown key", unknown.signed(sub=sub), "unauthenticated"),
        ("another application's secret", foreign, "unauthenticated"),
        ("no signature", none, "unauthenticated"),
        ("another application's user", other.signed(sub=sub), "unauthenticated"),
        ("nobody", one.signed(sub="nobody"), "unauthenticated"),
        ("no sub", one.signed(), "unauthenticated"),
        ("a sub that is none", one.signed(sub=""), "unauthenticated"),
        ("a sub with half a character", one.signed(sub="\ud800"), "unauthenticated"),
        ("a key with half a character", App(one.id, "kk_\ud800", one.secret).signed(sub=sub), "unauthenticated"),
        ("both", one.signed(sub=sub, server=True), "unauthenticated"),
        ("another server", one.signed(server="yes"), "unauthenticated"),
        ("no end", one.signed(sub=sub, exp=None), "unauthenticated"),
        ("an end in words", one.signed(sub=sub, exp=str(moment + 60)), "unauthenticated"),
        ("an end that never is", one.signed(sub=sub, exp=float("inf")), "unauthenticated"),
        ("a beginning that is none", one.signed(sub=sub, iat=True), "unauthenticated"),
        ("a beginning in words", one.signed(sub=sub, iat=str(moment)), "unauthenticated"),
        ("an end beyond all years", one.signed(sub=sub, exp=10**400), "unauthenticated"),
        ("an hour ago", one.signed(sub=sub, iat=moment - 7200, exp=moment - 3600), "token_expired"),
        ("a clock ahead by an hour", one.signed(sub=sub, iat=moment + 3600), "token_not_yet_valid"),
    ]


async def test_tokens_that_are_no_good_are_told_why(world: World, operator: str) -> None:
    for what, token, code in await _bad(world, operator):
        with pytest.raises(Refusal) as caught:
            await world.call("users.me", {}, token=token)
        assert caught.value.code == code, (what, caught.value)
        assert "ks_" not in str(caught.value)


async def test_a_server_acts_for_a_user_in_the_room_or_not(world: World, operator: str) -> None:
    app = await made(world, operator)
    ada, bob = await person(world, app, "ada", "http"), await person(world, app, "bob", "http")
    room = await ada.group(type="private")
    sent = {"client_id": "m1", "content": {"text": "from the server"}}

    async def acting(user: str | None, method: str, path: str, body: bytes | None = None) -> Any:
        headers = {} if user is None else {"Klatsch-User": user}
        return await world.request(method, path, token=app.server, body=body, headers=headers)

    posted = await acting(bob.id, "POST", f"/v1/rooms/{room}/messages", msgspec.json.encode(sent))
    assert posted.status == 201 and posted.json()["message"]["author"] == bob.id
    world.seen(posted.headers["Klatsch-Position"])
    assert [one["content"]["text"] for one in (await ada.do("messages.read", room=room))["messages"]] == [
        "from the server"
    ]
    # What the room holds the user sees as they may: not at all.
    assert (await acting(bob.id, "GET", f"/v1/rooms/{room}/messages")).refusal().code == "not_found"
    assert (await acting(None, "GET", "/v1/users/me")).refusal().code == "invalid"
    assert (await acting(str(uuid4()), "GET", "/v1/users/me")).refusal().code == "not_found"
    other = await person(world, await made(world, operator), "eve", "http")
    assert (await acting(other.id, "GET", "/v1/users/me")).refusal().code == "not_found"
    refused = await world.request("GET", "/v1/users/me", token=ada.token, headers={"Klatsch-User": bob.id})
    assert refused.refusal().code == "forbidden"


async def test_a_suspended_application_is_refused_until_it_is_resumed(world: World, operator: str) -> None:
    app = await made(world, operator)
    ada = await person(world, app, "ada", "http")
    await world.call("apps.suspend", {"app": app.id, "reason": "unpaid"}, token=operator)

    async def code() -> str:
        try:
            await world.call("users.me", {}, token=ada.token)
        except Refusal as refusal:
            return refusal.code
        return "ok"

    async def suspended() -> bool:
        return await code() == "suspended"

    await until(suspended, "the application is suspended")
    with pytest.raises(Refusal) as caught:
        await world.call("users.upsert", {"users": [{"external_id": "x", "name": "X"}]}, token=app.server)
    assert caught.value.code == "suspended"
    await world.call("apps.resume", {"app": app.id}, token=operator)

    async def resumed() -> bool:
        return await code() == "ok"

    await until(resumed, "the application is in use")


async def _suspend(world: World, operator: str, app: App, user: str) -> None:
    await world.call("apps.suspend", {"app": app.id}, token=operator)


async def _revoke(world: World, operator: str, app: App, user: str) -> None:
    # Tokens say whole seconds: one of this second is no older than now.
    before = from_datetime(datetime.now(UTC) + timedelta(seconds=-1))
    await until(lambda: _past(app, before), "the tokens are older")
    await world.call("apps.revoke_tokens", {"app": app.id}, token=operator)


async def _past(app: App, before: str) -> bool:
    return from_datetime(datetime.now(UTC) + timedelta(seconds=-2)) > before


async def _roll(world: World, operator: str, app: App, user: str) -> None:
    await world.call("apps.roll_key", {"app": app.id, "grace_seconds": 0}, token=operator)


async def _deactivate(world: World, operator: str, app: App, user: str) -> None:
    await world.call("users.deactivate", {"user": user}, token=app.server)


#: What ends tokens that an application has signed, and the code with which they are refused then.
ENDS = {
    "suspended": (_suspend, "suspended"),
    "revoked": (_revoke, "token_revoked"),
    "rolled": (_roll, "unauthenticated"),
    "deactivated": (_deactivate, "unauthenticated"),
}


@pytest.mark.parametrize("end", ENDS)
async def test_what_ends_tokens_ends_their_connections(world: World, operator: str, end: str) -> None:
    app, other = await made(world, operator), await made(world, operator)
    ada, eve = await person(world, app, "ada", "http"), await person(world, other, "eve", "http")
    socket, untouched = await world.socket(ada.token), await world.socket(eve.token)
    do, code = ENDS[end]
    await do(world, operator, app, ada.id)
    assert await socket.ended() == 3500
    assert await ada.refused("users.me") == code
    assert (await untouched.rpc("users.me", {}))["user"]["id"] == eve.id
