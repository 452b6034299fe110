"""E-mail addresses over the API: registering and logging in with one, changing it, and who sees it.
Tests ``api/users.py`` and ``api/sessions.py``."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from events.core.clock import now
from infra.base.settings import Settings, quota
from tests.client import Person, Refusal, Socket, World
from tests.running import until

PASSWORD = "correct horse battery"
MOST, _ = quota(Settings().limit_guesses)


def fresh() -> str:
    return f"mail-{secrets.token_hex(5)}@example.org"


@pytest.fixture
async def grace(world: World, ada: Person) -> Person:
    """Somebody with a password and an address, on the test's way."""
    return await world.person("grace", via=ada.via, password=PASSWORD, email=fresh())


async def me(person: Person) -> dict[str, Any]:
    found: dict[str, Any] = (await person.do("users.me"))["user"]
    return found


async def test_an_address_is_optional_and_kept_in_its_form(ada: Person, world: World) -> None:
    assert (await me(ada))["email"] is None
    address = fresh()
    welcome = await ada.do("users.register", username=f"g-{secrets.token_hex(4)}", email=address.upper())
    local = address.partition("@")[0].upper()
    assert welcome["user"]["email"] == f"{local}@example.org"
    assert (await me(Person(world, welcome, ada.via)))["email"] == f"{local}@example.org"


@pytest.mark.parametrize("email", ["", "ada", "ada@localhost", "a b@example.org", "x" * 250 + "@x.de", 5, ["a@x.de"],
                                   "ada@example.org\n", "ada@example.org\x00", "ada@example.org."])  # fmt: skip
async def test_what_is_no_address_is_refused_and_changes_nothing(ada: Person, email: object) -> None:
    name = f"bad-{secrets.token_hex(4)}"
    before = await me(ada)
    assert await ada.refused("users.register", username=name, email=email) == "invalid"
    assert await ada.refused("users.change", email=email, name="Another") == "invalid"
    assert await me(ada) == before
    # The name was not used up either.
    assert (await ada.do("users.register", username=name))["user"]["username"] == name


async def test_a_taken_address_is_refused_in_any_case_and_changes_nothing(ada: Person, grace: Person) -> None:
    address = (await me(grace))["email"]
    name, before = f"second-{secrets.token_hex(4)}", await me(ada)
    for one in (address, address.upper()):
        assert await ada.refused("users.register", username=name, email=one) == "taken"
        assert await ada.refused("users.change", email=one, name="Another") == "taken"
    assert await me(ada) == before
    assert (await ada.do("users.register", username=name, email=fresh()))["user"]["username"] == name


async def test_log_in_by_address_or_username(ada: Person, grace: Person) -> None:
    address = (await me(grace))["email"]
    for way in ({"email": address}, {"email": address.upper()}, {"username": grace.username}):
        assert (await ada.do("sessions.open", **way, password=PASSWORD))["user"]["id"] == grace.id


async def test_wrong_password_and_unknown_address_look_the_same(world: World, ada: Person, grace: Person) -> None:
    problems = []
    without = await world.person("nopw", email=fresh())
    for address in ((await me(grace))["email"], (await me(without))["email"], fresh()):
        with pytest.raises(Refusal) as refusal:
            await ada.do("sessions.open", email=address, password="wrong password")
        problems.append(refusal.value.said)
    assert problems[0] == problems[1] == problems[2] and problems[0]["status"] == 401


async def test_guessing_by_address_is_bounded(world: World, grace: Person) -> None:
    address = (await me(grace))["email"]
    codes = [await grace.refused("sessions.open", email=address, password="wrong") for _ in range(MOST + 1)]
    assert codes == ["unauthenticated"] * MOST + ["rate_limited"]
    assert await grace.refused("sessions.open", email=address.upper(), password=PASSWORD) == "rate_limited"
    # Nobody learns from it whose address it is.
    assert (await grace.do("sessions.open", username=grace.username, password=PASSWORD))["token"]


async def test_changing_the_address_needs_the_password(grace: Person) -> None:
    before, address = await me(grace), fresh()
    assert await grace.refused("users.change", email=address) == "invalid"
    assert await grace.refused("users.change", email=None) == "invalid"
    assert await grace.refused("users.change", password=PASSWORD) == "invalid"
    assert await grace.refused("users.change", email=address, password="") == "invalid"
    for _ in range(MOST):
        assert await grace.refused("users.change", email=address, password="wrong", name="X") == "forbidden"
    assert await grace.refused("users.change", email=address, password=PASSWORD) == "rate_limited"
    assert await me(grace) == before


async def test_the_new_address_logs_in_and_the_old_one_does_not(ada: Person, grace: Person) -> None:
    old, new = (await me(grace))["email"], fresh()
    changed = (await grace.do("users.change", email=new, password=PASSWORD, name="Rear Admiral"))["user"]
    assert (changed["email"], changed["name"]) == (new, "Rear Admiral") and await me(grace) == changed
    assert await ada.refused("sessions.open", email=old, password=PASSWORD) == "unauthenticated"
    assert (await ada.do("sessions.open", email=new, password=PASSWORD))["user"]["id"] == grace.id
    assert (await ada.do("users.change", email=old))["user"]["email"] == old
    gone = (await grace.do("users.change", email=None, password=PASSWORD))["user"]
    assert gone["email"] is None
    assert await ada.refused("sessions.open", email=new, password=PASSWORD) == "unauthenticated"


async def test_without_a_password_the_address_changes_without_one(ada: Person) -> None:
    address = fresh()
    assert await ada.refused("users.change", email=address, password=PASSWORD) == "invalid"
    assert (await ada.do("users.change", email=address))["user"]["email"] == address
    # The same again makes no event.
    before = await me(ada)
    assert (await ada.do("users.change", email=address))["user"] == before


async def test_a_change_that_does_not_fit_gives_the_address_back(ada: Person, grace: Person) -> None:
    address, before = fresh(), await me(ada)
    assert await ada.refused("users.change", email=address, data={"last_login": "now"}) == "invalid"
    assert {**before, "version": 0} == {**await me(ada), "version": 0}
    assert (await grace.do("users.change", email=address, password=PASSWORD))["user"]["email"] == address


@asynccontextmanager
async def listening(world: World, person: Person) -> AsyncIterator[Socket]:
    """A connection of the person, which receives what the person receives."""
    socket = await world.socket(person.token)
    try:
        yield socket
    finally:
        await socket.close()


async def test_nobody_but_the_user_sees_the_address(world: World, ada: Person, grace: Person) -> None:
    await ada.do("relationships.set", user=grace.id, type="friend")
    await grace.do("relationships.set", user=ada.id, type="friend")
    room = await ada.group(grace)
    await ada.direct(grace)
    async with listening(world, ada) as hers, listening(world, grace) as own:
        secret = fresh()
        await grace.do("users.change", email=secret, password=PASSWORD)
        await grace.do("users.change", name="Marked")
        await until(lambda: heard(hers, "user.profile_changed"), "ada hears of the name")
        await until(lambda: heard(own, "user.email_changed"), "grace hears of her address")
        assert secret not in str(hers.pushed) and not await heard(hers, "user.email_changed")
        assert secret in str(own.pushed)
    for name, fields in {"users.get": {"user": grace.id}, "users.find": {"name": grace.username}, "sync.get": {},
                         "members.list": {"room": room}, "rooms.get": {"room": room}, "rooms.history": {"room": room},
                         "relationships.list": {}, "changes.pull": {}}.items():  # fmt: skip
        answer = await ada.do(name, **fields)
        assert secret not in str(answer) and "email" not in str(answer).replace("'email': None", ""), name
    assert (await ada.do("users.find", name=secret.partition("@")[0]))["users"] == []
    assert (await grace.do("sync.get"))["me"]["email"] == secret


async def heard(socket: Socket, type_: str) -> bool:
    return any(delta["type"] == type_ for delta in socket.pushed)


async def test_last_seen_begins_with_the_first_log_in_and_is_ones_own(world: World, ada: Person) -> None:
    # Registering logs in.
    seen = (await me(ada))["seen"]
    assert seen is not None and seen <= now()
    assert "seen" not in (await ada.do("users.find", ids=ada.id))["users"][0]
    later = await world.person("later", password=PASSWORD)
    before = (await me(later))["seen"]
    again = await world.call("sessions.open", {"username": later.username, "password": PASSWORD})
    assert before < again["user"]["seen"] == (await me(later))["seen"]


async def test_ids_are_uuid4(ada: Person, world: World) -> None:
    ids = [ada.id, *[(await world.person("x")).id for _ in range(3)]]
    ids.append((await world.call("users.register", {"username": f"k-{secrets.token_hex(4)}"}, key="k"))["user"]["id"])
    for id in ids:
        assert len(id) == 36 and id[14] == "4" and id[19] in "89ab", id


async def test_the_change_of_an_address_is_one_event_of_the_users(world: World, ada: Person) -> None:
    body = msgspec.json.encode({"email": fresh(), "name": "Both"})
    answer = await world.request("PATCH", "/v1/users/me", token=ada.token, body=body)
    assert answer.status == 200
    # Where the change stands, and where its claims do.
    assert {part.split("/")[0] for part in answer.headers["Klatsch-Position"].split(",")} == {"users", "handles"}
