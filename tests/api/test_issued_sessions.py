"""Sessions that an application opens for persons whom its own log-in has proved. Tests ``api/sessions.py``."""

from __future__ import annotations

import secrets

import pytest

from tests.client import Person, Refusal, Via, World


@pytest.fixture
async def application(world: World, operator: str, via: Via) -> Person:
    fields = {"username": f"app-{secrets.token_hex(5)}", "scopes": ["sessions:issue"]}
    return Person(world, await world.call("services.register", fields, token=operator), via)


async def test_a_person_without_a_password_is_signed_in(world: World, application: Person) -> None:
    ada = await world.person("ada")
    issued = await application.do("sessions.issue", user=ada.id)
    assert issued["user"]["id"] == ada.id
    there = Person(world, issued, application.via)
    room = await there.group(type="private")
    await there.say(room)
    # It is one of her sessions, which she can end, and renew.
    sessions = (await there.do("sessions.list"))["sessions"]
    assert len(sessions) == 2 and [one["current"] for one in sessions] == [True, False]
    renewed = (await there.do("sessions.renew"))["token"]
    await ada.do("sessions.close", session=sessions[0]["id"])
    with pytest.raises(Refusal, match="token_revoked"):
        await world.call("messages.read", {"room": room}, token=renewed)
    await ada.do("messages.read", room=room)


async def test_the_same_key_gives_the_same_token(world: World, application: Person) -> None:
    ada = await world.person("ada")
    first, again, other = [await application.do("sessions.issue", key=key, user=ada.id) for key in ("a", "a", "b")]
    assert first == again and other["token"] != first["token"]
    assert len((await ada.do("sessions.list"))["sessions"]) == 3


async def test_an_application_signs_in_persons_only(
    world: World, operator: str, application: Person, service: Person
) -> None:
    for account in (service, application):
        assert await application.refused("sessions.issue", user=account.id) == "forbidden"
    for nobody in ("operator", "11111111-1111-4111-8111-111111111111"):
        assert await application.refused("sessions.issue", user=nobody) == "not_found"
    ada = await world.person("ada")
    for token, status in ((ada.token, 403), (service.token, 403), (operator, 403), (None, 401)):
        with pytest.raises(Refusal) as refused:
            await world.call("sessions.issue", {"user": ada.id}, token=token)
        assert refused.value.status == status
    assert len((await ada.do("sessions.list"))["sessions"]) == 1
