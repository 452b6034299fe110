"""Unique names by claim, registration and confirmation: raced, broken off in between, taken over, repeated.
Tests ``producers/handles.py`` and ``api/users.py``."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from api.users import _user_id
from events.core.clock import uuid7
from events.handles import Handle, handle_key, username_handle
from events.users import UserRegistrationAbandoned
from producers.commands import Outcome
from producers.handles import ConfirmHandle
from tests.parts import Parts
from tests.producers.stage import Stage, claim_of, staging
from tests.running import until


@pytest.fixture(scope="module")
async def stage(parts: Parts) -> AsyncIterator[Stage]:
    async with staging(parts) as stage:
        yield stage


@pytest.fixture
def name() -> str:
    return f"name-{secrets.token_hex(5)}"


@pytest.mark.parametrize("many", [2, 20])
async def test_concurrent_registrations_of_one_name_give_one_user(stage: Stage, name: str, many: int) -> None:
    names = [name.upper() if n % 2 else name for n in range(many)]
    answers = await asyncio.gather(*(stage.outcome(one) for one in names))
    (winner,) = [answer for answer in answers if answer != "taken"]
    assert len(answers) == many and await stage.registered(name) == [winner]


async def test_a_claim_whose_user_was_never_registered_can_be_taken_again(stage: Stage, name: str) -> None:
    first = await stage.claim(name)
    # Its owner may only be slow.
    assert await stage.outcome(name) == "taken"
    second = await stage.taken_over(name.upper())
    assert second != first and await stage.registered(name) == [second]
    assert await stage.outcome(name) == "taken"


async def test_many_who_want_an_abandoned_name_give_one_user(stage: Stage, name: str) -> None:
    await stage.claim(name)

    async def tried() -> list[str]:
        answers = await asyncio.gather(*(stage.outcome(name) for _ in range(10)))
        return [answer for answer in answers if answer != "taken"]

    winners = await until(tried, "the name is free again")
    assert len(winners) == 1 and await stage.registered(name) == winners


async def test_a_slow_registrant_whose_claim_was_taken_over_never_appears(stage: Stage, name: str) -> None:
    slow = await stage.claim(name)
    winner = await stage.taken_over(name)
    assert await stage.finish(name, slow) == "taken"
    assert (
        await stage.submit(ConfirmHandle(handle=username_handle(name), user=slow), slow, f"{slow}:confirm") == "taken"
    )
    assert await stage.registered(name) == [winner]
    reader = await stage.world.person("reader")
    assert await reader.refused("users.get", user=slow) == "not_found"
    found = await reader.do("users.find", name=name)
    assert [user["id"] for user in found["users"]] == [winner]


async def test_who_was_registered_but_not_confirmed_keeps_the_name(stage: Stage, name: str) -> None:
    first = await stage.claim(name)
    assert isinstance(await stage.finish(name, first), Outcome)
    handle = username_handle(name)

    async def confirmed() -> bool:
        # Refused while the claim is young, and after it: then it is confirmed on the way.
        assert await stage.outcome(name) == "taken"
        outcome = await stage.submit(claim_of(name, first), first, uuid7())
        assert isinstance(outcome, Outcome)
        held = outcome.state[handle_key(handle)]
        return isinstance(held, Handle) and held.user == first and held.state == "confirmed"

    await until(confirmed, "the claim is confirmed")
    assert await stage.registered(name) == [first]
    assert not [r for r in await stage.records() if r.stream == first and isinstance(r.data, UserRegistrationAbandoned)]


async def test_the_slow_and_the_taker_race_and_one_is_registered(stage: Stage) -> None:
    """The claimant's own stream decides, in whichever order the two come there."""
    names = [f"race-{secrets.token_hex(5)}" for _ in range(12)]
    slow = dict(zip(names, await asyncio.gather(*(stage.claim(one) for one in names)), strict=True))
    await stage.taken_over(names[0])
    # By now the others' claims are as old.
    for one in names[1:]:
        finished, taken = await asyncio.gather(stage.finish(one, slow[one]), stage.outcome(one))
        survivor = slow[one] if isinstance(finished, Outcome) else taken
        assert (taken == "taken") == isinstance(finished, Outcome)
        assert await stage.registered(one) == [survivor]


async def test_a_repeated_registration_gives_the_same_user_and_token(stage: Stage, name: str) -> None:
    fields = {"username": name, "password": "correct horse", "name": "Name"}
    calls = [stage.world.call("users.register", fields, key="a-key") for _ in range(5)]
    first, *others = await asyncio.gather(*calls)
    assert all(other == first for other in others) and first["token"]
    me = await stage.world.call("users.me", {}, token=first["token"])
    assert me["user"]["id"] == first["user"]["id"]
    assert await stage.world.call("users.register", fields, key="a-key") == first
    # Without the key, or with another password, it is another registration.
    assert await stage.outcome(name, password="correct horse") == "taken"
    assert await stage.outcome(name, key="a-key", password="wrong horse") == "taken"
    assert await stage.registered(name) == [first["user"]["id"]]


def _keyed(stage: Stage, key: str) -> Any:
    """What of a call the id of a user depends on."""
    return SimpleNamespace(settings=stage.settings, key=key, app="default")


async def test_a_repeated_registration_goes_on_where_it_broke_off(stage: Stage, name: str) -> None:
    """The process died after the claim; the client repeats with its key and finds its own claim."""
    user = _user_id(_keyed(stage, "broken-key"), name, None, None)
    assert isinstance(await stage.submit(claim_of(name, user), user, f"{user}:claim"), Outcome)
    assert await stage.outcome(name) == "taken"
    assert await stage.outcome(name, key="broken-key") == user
    assert await stage.registered(name) == [user]
