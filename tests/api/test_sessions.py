"""Logging in and out: what is told apart, what it costs, and when a token is void."""

from __future__ import annotations

import asyncio
import secrets
import time

import pytest

from api import failures, passwords
from events.clock import to_datetime
from infra.settings import Settings
from tests.client import Person, Refusal, World
from tests.servers import url

PASSWORD = "correct horse battery"


async def with_password(world: World) -> str:
    name = f"login-{secrets.token_hex(4)}"
    await world.call("users.register", {"username": name, "password": PASSWORD})
    return name


async def test_log_in_by_password_in_any_case_of_the_name(world: World, ada: Person) -> None:
    name = await with_password(world)
    first = await ada.do("sessions.open", username=name, password=PASSWORD)
    second = await ada.do("sessions.open", username=name.upper(), password=PASSWORD)
    assert first["user"]["id"] == second["user"]["id"] and first["token"] != second["token"]
    logged_in = Person(world, second, ada.via)
    # The last login goes into the data, which only the user sees.
    me = (await logged_in.do("users.me"))["user"]
    assert to_datetime(me["data"]["last_login"]) >= to_datetime(me["created"])
    assert "last_login" not in (await ada.do("users.get", user=logged_in.id))["user"]["data"]


async def test_wrong_password_and_unknown_user_look_and_cost_the_same(
    world: World, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = await with_password(world)
    without = f"nopw-{secrets.token_hex(4)}"
    await world.call("users.register", {"username": without})
    verified: list[str | None] = []
    verify = passwords.Passwords._verify

    def counted(self: passwords.Passwords, hash: str | None, password: str) -> bool:
        verified.append(password)
        return verify(self, hash, password)

    monkeypatch.setattr(passwords.Passwords, "_verify", counted)
    problems = []
    for username in (name, without, f"nobody-{secrets.token_hex(4)}"):
        with pytest.raises(Refusal) as refusal:
            await ada.do("sessions.open", username=username, password="wrong password")
        problems.append(refusal.value.problem)
    assert problems[0] == problems[1] == problems[2] and problems[0]["status"] == 401
    assert verified == ["wrong password"] * 3


async def test_the_password_of_nobody_logs_nobody_in(ada: Person) -> None:
    assert await ada.refused("sessions.open", username="nobody-here", password="nobody has this password") == (
        "unauthenticated"
    )


async def test_guessing_is_bounded_for_each_name(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert 5 <= failures.FAILURES <= 50
    monkeypatch.setattr(failures, "FAILURES", 3)
    name = await with_password(world)
    other = await with_password(world)
    codes = []
    for _ in range(4):
        with pytest.raises(Refusal) as refusal:
            await world.call("sessions.open", {"username": name, "password": "wrong"})
        codes.append(refusal.value.code)
    assert codes == ["unauthenticated"] * 3 + ["rate_limited"]
    assert refusal.value.problem["retry_after"] >= 1
    assert (await world.call("sessions.open", {"username": other, "password": PASSWORD}))["token"]


async def refused_with(installed: Settings, world: World, token: str) -> str:
    answer = await world.request("GET", "/v1/users/me", token=token)
    return "" if answer.status == 200 else answer.refusal().code


async def test_a_token_is_void_within_a_second_of_logging_out(installed: Settings, world: World, ada: Person) -> None:
    assert url(installed) == world.url
    other = Person(world, await world.call("sessions.open", {
        "username": (name := await with_password(world)), "password": PASSWORD}), "http")  # fmt: skip
    third = Person(world, await world.call("sessions.open", {"username": name, "password": PASSWORD}), "http")
    await Person(world, {"user": {"id": other.id, "username": name}, "token": other.token}, ada.via).do(
        "sessions.close"
    )
    began = time.monotonic()
    while (code := await refused_with(installed, world, other.token)) == "":
        assert time.monotonic() - began < 1.0, "the token still works after a second"
        await asyncio.sleep(0.01)
    assert code == "token_revoked"
    # Other sessions of the same user go on.
    assert await refused_with(installed, world, third.token) == ""


@pytest.mark.parametrize("fields", [{"username": "abc"}, {"password": "x"}, {"username": "abc", "password": ""},
                                    {"username": "abc\n", "password": "x" * 8}])  # fmt: skip
async def test_incomplete_log_ins(ada: Person, fields: dict[str, str]) -> None:
    assert await ada.refused("sessions.open", **fields) == "invalid"
