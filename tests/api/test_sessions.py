"""Sessions: logging in, what is told apart, what it costs, renewing, listing, and when a token is void."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from http.cookies import SimpleCookie
from typing import Any

import msgspec
import pytest

from api.core.tokens import verify
from api.support import pages, passwords
from events.core.clock import now, to_datetime
from infra.base import postgres
from infra.base.settings import Settings, quota
from tests.client import Person, Refusal, Via, World, visiting
from tests.parts import Parts
from tests.running import until
from tests.servers import installation, serving, url

PASSWORD = "correct horse battery"


async def with_password(world: World) -> str:
    name = f"login-{secrets.token_hex(4)}"
    await world.call("users.register", {"username": name, "password": PASSWORD})
    return name


def seconds_between(earlier: str, later: str) -> float:
    return (to_datetime(later) - to_datetime(earlier)).total_seconds()


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
        problems.append(refusal.value.said)
    assert problems[0] == problems[1] == problems[2] and problems[0]["status"] == 401
    assert verified == ["wrong password"] * 3


async def test_the_password_of_nobody_logs_nobody_in(ada: Person) -> None:
    assert await ada.refused("sessions.open", username="nobody-here", password="nobody has this password") == (
        "unauthenticated"
    )


async def test_guessing_is_bounded_for_each_name(installed: Settings, world: World) -> None:
    most, _ = quota(installed.limit_guesses)
    assert 5 <= most <= 50
    name = await with_password(world)
    other = await with_password(world)
    codes = []
    for _ in range(most + 1):
        with pytest.raises(Refusal) as refusal:
            await world.call("sessions.open", {"username": name, "password": "wrong"})
        codes.append(refusal.value.code)
    assert codes == ["unauthenticated"] * most + ["rate_limited"]
    assert refusal.value.problem["retry_after"] >= 1
    assert (await world.call("sessions.open", {"username": other, "password": PASSWORD}))["token"]


async def refused_with(installed: Settings, world: World, token: str) -> str:
    answer = await world.request("GET", "/v1/users/me", token=token)
    return "" if answer.status == 200 else answer.refusal().code


async def void(settings: Settings, world: World, token: str, seconds: float = 20.0) -> None:
    """Waits until the token is refused."""
    await until(lambda: refused_with(settings, world, token), "the token is void", seconds)


async def test_a_token_is_void_within_a_second_of_logging_out(installed: Settings, world: World, ada: Person) -> None:
    assert url(installed) == world.url
    other = Person(world, await world.call("sessions.open", {
        "username": (name := await with_password(world)), "password": PASSWORD}), "http")  # fmt: skip
    third = Person(world, await world.call("sessions.open", {"username": name, "password": PASSWORD}), "http")
    await Person(world, {"user": {"id": other.id, "username": name}, "token": other.token}, ada.via).do(
        "sessions.close", session="current"
    )
    began = time.monotonic()
    while (code := await refused_with(installed, world, other.token)) == "":
        assert time.monotonic() - began < 1.0, "the token still works after a second"
        await asyncio.sleep(0.01)
    assert code == "token_revoked"
    # Other sessions of the same user go on.
    assert await refused_with(installed, world, third.token) == ""


@pytest.mark.parametrize("fields", [{"username": "abc"}, {"password": "x"}, {"username": "abc", "password": ""},
                                    {"username": "abc\n", "password": "x" * 8},
                                    {"username": "abc", "email": "abc@example.org", "password": "x" * 8},
                                    {"email": "abc", "password": "x" * 8}, {"email": 1, "password": "x" * 8},
                                    {"email": None, "password": "x" * 8}])  # fmt: skip
async def test_incomplete_log_ins(ada: Person, fields: dict[str, str]) -> None:
    assert await ada.refused("sessions.open", **fields) == "invalid"


async def opened(world: World, name: str, via: Via = "http") -> Person:
    """Another log-in of the person."""
    return Person(world, await world.call("sessions.open", {"username": name, "password": PASSWORD}), via)


async def listed(person: Person, **more: Any) -> list[dict[str, Any]]:
    """All sessions, page by page."""
    answer = await person.do("sessions.list", **more)
    found: list[dict[str, Any]] = answer["sessions"]
    while answer["next"] is not None:
        answer = await person.do("sessions.list", cursor=answer["next"], **more)
        found += answer["sessions"]
    return found


async def lists_without(person: Person, session: str) -> bool:
    return session not in [one["id"] for one in await listed(person)]


async def renewal(person: Person) -> dict[str, Any] | None:
    """A renewal, if its token is another one."""
    renewed: dict[str, Any] = await person.do("sessions.renew")
    return renewed if renewed["token"] != person.token else None


async def test_a_session_lasts_an_hour(installed: Settings, ada: Person) -> None:
    assert installed.session_seconds == 3600
    (session,) = await listed(ada)
    assert session["current"] and seconds_between(session["opened"], session["expires"]) == pytest.approx(3600, abs=60)


async def test_renewing_gives_a_token_of_the_same_session_and_leaves_the_old_one(
    installed: Settings, world: World, ada: Person
) -> None:
    (before,) = await listed(ada)
    renewed = await until(lambda: renewal(ada), "another token: they differ by whole seconds")
    assert renewed["expires"] > before["expires"]
    (after_,) = await listed(ada)
    assert after_ == {
        **before, "expires": renewed["expires"], "used": after_["used"], "version": after_["version"],
    }  # fmt: skip
    assert after_["used"] > before["used"]
    old, new = verify(installed, ada.token), verify(installed, renewed["token"])
    assert (new.user, new.session, new.role) == (old.user, old.session, old.role) == (ada.id, before["id"], "person")
    assert new.expires == pytest.approx(to_datetime(renewed["expires"]).timestamp(), abs=1)
    assert (
        await refused_with(installed, world, ada.token) == await refused_with(installed, world, renewed["token"]) == ""
    )


async def test_a_renewal_goes_into_the_streams_cookie_too(world: World) -> None:
    ada = await world.person("ada")
    answer = await world.request("POST", "/v1/sessions/current/renewal", token=ada.token, body=b"{}")
    cookie = SimpleCookie(answer.headers["Set-Cookie"])["klatsch_stream"]
    assert cookie.value == answer.json()["token"] and cookie["path"] == "/v1/stream" and cookie["httponly"]
    headers = {"Cookie": f"klatsch_stream={cookie.value}"}
    async with world.http.get(f"{world.url}/v1/stream", headers=headers) as stream:
        assert stream.status == 200


async def test_closing_a_session_ends_all_of_its_tokens_and_none_is_renewed(
    installed: Settings, world: World, ada: Person
) -> None:
    name = await with_password(world)
    here, there = await opened(world, name, ada.via), await opened(world, name)
    newer = (await until(lambda: renewal(there), "another token"))["token"]
    (far,) = [one["id"] for one in await listed(there) if one["current"]]
    await here.do("sessions.close", session=far)
    for token in (there.token, newer):
        await void(installed, world, token, seconds=1)
        assert await refused_with(installed, world, token) == "token_revoked"
    with pytest.raises(Refusal) as refusal:
        await world.call("sessions.renew", {}, token=newer)
    assert refusal.value.code == "token_revoked"
    # The one that was not closed goes on, and closing the other again changes nothing.
    assert far not in [one["id"] for one in await listed(here)]
    assert not await here.do("sessions.close", session=far)


async def test_the_sessions_that_are_listed(installed: Settings, world: World, ada: Person) -> None:
    name = await with_password(world)
    people = [await opened(world, name, ada.via) for _ in range(3)]
    await people[0].do("sessions.close", session="current")
    found = await listed(people[1], limit=1)
    # The latest first; that of the registration is open too.
    assert [one["current"] for one in found] == [False, True, False]
    assert [one["opened"] for one in found] == sorted((one["opened"] for one in found), reverse=True)
    assert all(one.keys() == {"id", "opened", "expires", "device", "used", "current", "version"} for one in found)
    assert await listed(ada) != found and len(await listed(ada)) == 1


@pytest.fixture
async def brief(parts: Parts) -> AsyncIterator[tuple[Settings, World]]:
    """An installation whose sessions last two seconds."""
    async with installation(parts) as made:
        settings = msgspec.structs.replace(made, session_seconds=2)
        async with serving(settings) as address, visiting(address) as world:
            yield settings, world


async def test_a_session_that_expired_is_not_listed(brief: tuple[Settings, World]) -> None:
    settings, world = brief
    name = await with_password(world)
    short = await opened(world, name)
    (current,) = [one for one in await listed(short) if one["current"]]
    await void(settings, world, short.token)
    assert await refused_with(settings, world, short.token) == "token_expired"
    assert await short.refused("sessions.renew") == "token_expired"
    later = await opened(world, name)
    # A token ends with the whole second before the session does.
    await until(lambda: lists_without(later, current["id"]), "the session has expired")


async def test_the_sessions_of_others_are_nobodys_business(world: World, ada: Person, bob: Person) -> None:
    (session,) = await listed(bob)
    assert await ada.refused("sessions.close", session=session["id"]) == "not_found"
    assert await ada.refused("sessions.close", session="nothing") == "not_found"
    for bad in ("", "a b", "x" * 101):
        with pytest.raises(Refusal):
            await ada.do("sessions.close", session=bad)
    assert await listed(bob) == [session]


async def test_bad_places_in_the_list(ada: Person) -> None:
    for fields in ({"limit": 0}, {"limit": 201}, {"cursor": "x"}, {"cursor": "W10"}, {"limit": "many"}, {"user": "x"}):
        assert await ada.refused("sessions.list", **fields) == "invalid"


async def test_a_service_keeps_its_ten_years(installed: Settings, service: Person) -> None:
    renewed = await service.do("sessions.renew")
    assert seconds_between(now(), renewed["expires"]) > 9 * 365 * 86400
    identity = verify(installed, renewed["token"])
    assert identity.role == "service" and identity.expires > verify(installed, service.token).expires - 1


async def test_a_connection_goes_on_with_a_renewed_token(world: World, ada: Person) -> None:
    socket = await world.socket(ada.token)
    renewed = (await ada.do("sessions.renew"))["token"]
    reply = await socket.command("refresh", {"token": renewed})
    assert reply["refresh"]["expires"] and reply["refresh"]["ttl"] > 0
    assert (await socket.rpc("users.me", {}))["user"]["id"] == ada.id


async def test_the_listing_reads_an_index_however_many_have_ended(installed: Settings, world: World) -> None:
    ada = await world.person("ada")
    await listed(ada)
    connection = await postgres.connect(installed)
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(
            """insert into sessions
               select $1, 'old' || n, now() - interval '1 day', now() - interval '1 hour', null, false, null, null, n, n
               from generate_series(1, 20000) n""",
            ada.id,
        )
        await connection.execute("analyze sessions")
        plan = await connection.fetch(
            f"explain (analyze) {postgres.queries('sessions')['open']}", ada.id, pages.LAST_OFFSET, 51
        )
        text = "\n".join(row[0] for row in plan)
        assert "sessions_open" in text and "Seq Scan" not in text and "Rows Removed" not in text, text
    finally:
        await transaction.rollback()
        await connection.close()
