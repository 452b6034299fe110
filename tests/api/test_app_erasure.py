"""An application is erased while others go on: who is shut out, when, and what its receipt says. Tests
``api/app_erasure.py``, ``api/app_eraser.py`` and ``infra/base/erased_apps.py``."""

from __future__ import annotations

import asyncio
import secrets
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from api.core.tokens import FOREIGN
from events.core.clock import to_datetime
from infra.base import postgres
from infra.base.settings import Settings
from projectors.rebuild.models import model
from projectors.verify.run import verify
from tests.api.applications import App, made, person
from tests.client import Person, Refusal, World
from tests.projectors.erasure.applications import of
from tests.running import until

PASSWORD = "correct horse"


class Both:
    """Two applications with the same going on in each."""

    def __init__(self, world: World, operator: str) -> None:
        self.world, self.operator = world, operator
        self.apps: list[App] = []
        self.people: list[list[Person]] = []
        self.rooms: list[str] = []

    async def prepare(self) -> Both:
        for _ in range(2):
            app = await made(self.world, self.operator)
            people = [await person(self.world, app, name, "http") for name in ("ada", "bob")]
            self.apps.append(app)
            self.people.append(people)
            self.rooms.append(await people[0].group(people[1], name="Pilots"))
            for number in range(3):
                said = await people[0].say(self.rooms[-1], f"message {number}")
            await people[0].do("messages.edit", room=self.rooms[-1], message=said["id"], content={"text": "edited"})
            await people[0].do("messages.pin", room=self.rooms[-1], message=said["id"])
            await people[0].do("relationships.set", user=people[1].id, type="friend")
        return self

    async def do(self, operation: str, /, key: str | None = None, **fields: Any) -> Any:
        return await self.world.call(operation, {"app": self.apps[0].id, **fields}, token=self.operator, key=key)

    async def refused(self, operation: str, /, token: str = "", **fields: Any) -> Refusal:
        given = {"app": self.apps[0].id, **fields}
        with pytest.raises(Refusal) as caught:
            await self.world.call(operation, given, token=token or self.operator)
        return caught.value

    async def erased(self, **more: Any) -> dict[str, Any]:
        """Erased, and its rows gone; the receipt."""
        await self.do("apps.erase", confirm=self.apps[0].id, **more)

        async def gone() -> Any:
            found = (await self.do("apps.receipt"))["receipt"]
            return found if found["cleared"] is not None else None

        receipt: dict[str, Any] = await until(gone, "the rows are gone")
        return receipt


@pytest.fixture
async def both(world: World, operator: str) -> Both:
    return await Both(world, operator).prepare()


async def test_the_receipt_says_what_went_and_what_is_left(both: Both, installed: Settings) -> None:
    one, other = both.apps
    async with postgres.connected(installed) as connection:
        before = await of(connection, installed.schema, other.id)
        theirs = both.people[1][0].id, both.rooms[1]
        hanging = [await of(connection, installed.schema, id) for id in theirs]
        vault = {row["id"] for row in await connection.fetch("select id from credentials")}
        receipt = await both.erased(reason="The contract has ended.")
        assert (receipt["app"], receipt["reason"], receipt["by"]) == (one.id, "The contract has ended.", "operator")
        assert receipt["erased"] <= receipt["cleared"]
        rows = receipt["rows"]
        assert {name: rows[name] for name in ("users", "rooms", "messages", "revisions", "pins", "relationships")} == {
            "users": 2, "rooms": 1, "messages": 3, "revisions": 1, "pins": 1, "relationships": 1
        }, rows  # fmt: skip
        assert rows["credentials"] == 1 and rows["handles"] == 2
        log = {entry["topic"]: entry for entry in receipt["log"]}
        # What is in no row is in the log.
        assert sum(log[topic]["events"] for topic in ("users", "rooms", "handles")) == rows["changes"]
        assert log["apps"]["events"] == 3 and all(log[topic]["until"] is None for topic in ("users", "rooms", "apps"))
        kept = timedelta(hours=installed.feed_hours)
        until_ = to_datetime(log["feed"]["until"]) - to_datetime(receipt["cleared"])
        assert log["feed"]["events"] is None and kept < until_ < kept * 1.1
        # The other one is as it was, row for row; of this one only the application itself is left.
        assert await of(connection, installed.schema, other.id) == before
        assert [await of(connection, installed.schema, id) for id in theirs] == hanging
        for id in (*(one_.id for one_ in both.people[0]), both.rooms[0]):
            assert await of(connection, installed.schema, id) == {}, id
        left = {row["id"] for row in await connection.fetch("select id from credentials")}
        assert left < vault and len(vault - left) == 1
    assert (await both.people[1][0].do("messages.read", room=both.rooms[1]))["messages"]
    listed = await both.world.call("apps.list", {"limit": 200}, token=both.operator)
    [app] = [found for found in listed["apps"] if found["id"] == one.id]
    assert (app["state"], app["keys"], app["cleared"]) == ("erased", [], receipt["cleared"])
    found = await verify(installed, model("all"), jobs=1)
    assert found.equal, found


async def test_its_tokens_and_keys_are_nobodys(both: Both) -> None:
    one, ada = both.apps[0], both.people[0][0]
    await both.do("apps.change", settings={"registration": True})
    headers = {"Klatsch-Api-Key": one.key}
    body = msgspec.json.encode({"username": f"eve-{secrets.token_hex(4)}", "password": PASSWORD})
    registered = await both.world.request("POST", "/v1/users", body=body, headers=headers)
    assert registered.status == 201
    ours = registered.json()["token"]
    socket, untouched = await both.world.socket(ada.token), await both.world.socket(both.people[1][0].token)
    by_us = await both.world.socket(ours)
    await both.do("apps.erase", confirm=one.id)
    assert [await socket.ended(), await by_us.ended()] == [3500, 3500]
    unknown = App(one.id, "kk_" + "a" * 26, one.secret)
    for token, stranger in ((ada.token, unknown.signed(sub="x")), (one.server, unknown.server)):
        answers = [await both.world.request("GET", "/v1/users/me", token=given) for given in (token, stranger)]
        assert [(a.status, _words(a.json())) for a in answers] == [(401, _words(answers[1].json()))] * 2
    mine = (await both.world.request("GET", "/v1/users/me", token=ours)).refusal()
    assert (mine.code, mine.problem["detail"]) == ("unauthenticated", FOREIGN)
    login = msgspec.json.encode({"username": "whoever", "password": PASSWORD})
    for path in ("/v1/users", "/v1/sessions"):
        given = [
            await both.world.request("POST", path, body=login, headers={"Klatsch-Api-Key": key})
            for key in (one.key, unknown.key)
        ]
        assert given[0].status == given[1].status == 401
    assert (await untouched.rpc("users.me", {}))["user"]["id"] == both.people[1][0].id
    with pytest.raises(Refusal) as caught:
        await both.world.call("users.upsert", {"users": [{"external_id": "x", "name": "X"}]}, token=one.server)
    assert caught.value.code == "unauthenticated"


def _words(problem: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in problem.items() if name != "request_id"}


async def test_operators_find_nothing_of_it_now_or_then(both: Both) -> None:
    room, ada = both.rooms[0], both.people[0][0]
    moment = (await both.do("apps.get"))["app"]["updated"]
    await both.erased()
    for operation, member, id in (
        ("rooms.restore", "room", room), ("console.room", "room", room), ("users.deactivate", "user", ada.id),
        ("users.reactivate", "user", ada.id),
    ):  # fmt: skip
        told = []
        for given in (id, "nothing-like-it"):
            with pytest.raises(Refusal) as caught:
                await both.world.call(operation, {member: given}, token=both.operator)
            told.append((caught.value.code, caught.value.problem["detail"].replace(given, "ID")))
        assert told[0] == told[1] and told[0][0] == "not_found", operation
    # What the application itself was is still told.
    assert (await both.do("apps.get", as_of=moment))["app"]["state"] == "active"


async def test_it_is_erased_once(both: Both) -> None:
    key = secrets.token_hex(8)
    first = await both.do("apps.erase", key=key, confirm=both.apps[0].id, reason="Once.")
    assert first["app"]["state"] == "erased"
    assert await both.do("apps.erase", key=key, confirm=both.apps[0].id, reason="Once.") == first
    receipt = await both.erased()
    again = await both.do("apps.erase", confirm=both.apps[0].id, reason="Twice.")
    assert (again["app"]["reason"], again["app"]["cleared"]) == ("Once.", receipt["cleared"])
    assert (await both.do("apps.receipt"))["receipt"] == receipt
    assert await both.do("apps.erase", key=key, confirm=both.apps[0].id, reason="Once.") == first
    for operation in ("change", "roll_key", "suspend", "resume", "revoke_tokens"):
        more = {"name": "Other"} if operation == "change" else {}
        assert (await both.refused(f"apps.{operation}", **more)).code == "forbidden", operation


async def test_what_is_refused(both: Both) -> None:
    one, other = both.apps
    name = (await both.do("apps.get"))["app"]["name"]
    for confirm in (name.lower(), other.id, f"{name} ", "x" * 10_000, "\u202e"):
        refusal = await both.refused("apps.erase", confirm=confirm)
        assert refusal.code == "invalid", confirm
        assert refusal.problem["errors"][0]["pointer"] == "/confirm"
    assert (await both.refused("apps.erase")).code == "invalid"
    assert (await both.refused("apps.erase", confirm=name, reason="a\u2028b")).code == "invalid"
    assert (await both.refused("apps.erase", app="default", confirm="default")).code == "forbidden"
    assert (await both.refused("apps.erase", app="nothing", confirm="nothing")).code == "not_found"
    for token in (one.server, other.server, both.people[0][0].token):
        assert (await both.refused("apps.erase", token, confirm=name)).code == "forbidden"
        assert (await both.refused("apps.receipt", token)).code == "forbidden"
    assert (await both.refused("apps.receipt")).code == "not_found", "it is in use"
    assert (await both.do("apps.get"))["app"]["state"] == "active"
    assert (await both.people[0][0].do("messages.read", room=both.rooms[0]))["messages"]


async def test_what_is_said_while_it_ends_leaves_no_row(both: Both, installed: Settings) -> None:
    """Whoever is served until then may write in the same moment, in rooms of other shards."""
    ada, room = both.people[0][0], both.rooms[0]

    said, codes = 0, set[str]()

    async def talk() -> None:
        nonlocal said
        try:
            while True:
                await ada.say(room, f"{said}")
                said += 1
        except Refusal as refusal:
            codes.add(refusal.code)

    talking = [asyncio.create_task(talk()) for _ in range(4)]
    await until(lambda: _has(installed, room, 5), "they talk")
    receipt = await both.erased()
    await asyncio.gather(*talking)
    assert codes <= {"unauthenticated", "not_found"}
    async with postgres.connected(installed) as connection:
        assert await of(connection, installed.schema, room) == {}
        log = {entry["topic"]: entry["events"] for entry in (await both.do("apps.receipt"))["receipt"]["log"]}
        # Nothing that was acknowledged is missing in the log, whenever it came.
        assert log["rooms"] >= said and receipt["rows"]["messages"] <= said + 5
    assert (await verify(installed, model("all"), jobs=1)).equal


async def _has(settings: Settings, room: str, messages: int) -> bool:
    async with postgres.connected(settings) as connection:
        found: int = await connection.fetchval("select count(*) from messages where room = $1", room)
        return found >= messages
