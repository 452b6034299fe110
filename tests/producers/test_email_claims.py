"""Unique e-mail addresses by claim: registered, changed and given back; raced, and broken off between any two steps.
Tests ``producers/handles.py`` and ``producers/users.py``."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import AsyncIterator
from typing import Any

import pytest

from events.core.clock import uuid7
from events.handles import Handle, email_handle, handle_key
from events.users import User, UserEmailAbandoned, UserEmailChanged, user_key
from producers.commands import Outcome
from producers.handles import ClaimHandle, ConfirmHandle, ReleaseHandle
from producers.users import ChangeProfile, EmailChange
from tests.client import Person, Refusal
from tests.parts import Parts
from tests.producers.stage import Stage, staging
from tests.running import until

PASSWORD = "correct horse"


@pytest.fixture(scope="module")
async def stage(parts: Parts) -> AsyncIterator[Stage]:
    async with staging(parts) as stage:
        yield stage


@pytest.fixture
def address() -> str:
    return fresh()


def fresh() -> str:
    return f"mail-{secrets.token_hex(5)}@example.org"


def new_name() -> str:
    return f"name-{secrets.token_hex(5)}"


async def registers(stage: Stage, address: str) -> str:
    """Somebody registers with the address: their id, or the code of the refusal."""
    return await stage.outcome(new_name(), email=address)


async def free_in_the_end(stage: Stage, address: str) -> str:
    """The id of whom the address is given to once its claim is old enough."""

    async def tried() -> str:
        found = await registers(stage, address)
        return "" if found == "taken" else found

    return str(await until(tried, f"{address} is free"))


async def addresses(stage: Stage) -> dict[str, str | None]:
    """The address of each user, as the log has it."""
    found: dict[str, str | None] = {}
    for record in await stage.records():
        if record.type in ("user.registered", "user.email_changed"):
            found[record.stream] = record.data.email  # type: ignore[attr-defined]
    return found


class Change:
    """The steps of a change of the address, one by one, as the API takes them."""

    def __init__(self, stage: Stage, person: Person, address: str) -> None:
        self.stage, self.user, self.address, self.since = stage, person.id, address, -1
        self.handle = email_handle(address)

    async def submit(self, command: Any) -> Outcome | str:
        return await self.stage.submit(command, self.user, uuid7())

    async def learn(self) -> User:
        outcome = await self.submit(ChangeProfile(user=self.user))
        assert isinstance(outcome, Outcome)
        user = outcome.state[user_key(self.user)]
        assert isinstance(user, User)
        self.since = user.email_settled
        return user

    async def claim(self) -> int:
        """The claim's version."""
        outcome = await self.submit(ClaimHandle(handle=self.handle, user=self.user, anew=True))
        assert isinstance(outcome, Outcome)
        handle = outcome.state[handle_key(self.handle)]
        assert isinstance(handle, Handle)
        return handle.version

    async def change(self) -> Outcome | str:
        email = EmailChange(address=self.address, since=self.since, credential=None)
        return await self.submit(ChangeProfile(user=self.user, email=email))


async def person(stage: Stage, **fields: Any) -> Person:
    return await stage.world.person("name", **fields)


@pytest.mark.parametrize("many", [2, 12])
async def test_concurrent_registrations_with_one_address_give_one_user(stage: Stage, address: str, many: int) -> None:
    answers = await asyncio.gather(*(registers(stage, address.upper() if n % 2 else address) for n in range(many)))
    (winner,) = [answer for answer in answers if answer != "taken"]
    holders = [user for user, email in (await addresses(stage)).items() if email and email.lower() == address]
    assert holders == [winner]


async def test_a_taken_address_leaves_the_username_free_at_once(stage: Stage, address: str) -> None:
    await registers(stage, address)
    name = new_name()
    for key in (None, "a-key", "a-key"):
        assert await stage.outcome(name, key, email=address) == "taken"
    assert await stage.registered(name) == []
    first = await stage.outcome(name, "a-key", email=fresh())
    assert await stage.registered(name) == [first]
    assert await stage.outcome(name) == "taken"


async def test_many_who_want_one_name_and_one_address_give_one_user(stage: Stage, address: str) -> None:
    """Those who get the name and not the address give the name back, whoever comes between."""
    name = new_name()
    pairs = [(name, address), (name, None), (None, address)] * 5
    fields = [(one or new_name(), {} if email is None else {"email": email}) for one, email in pairs]
    await asyncio.gather(*(stage.outcome(one, **more) for one, more in fields))
    assert len(await stage.registered(name)) <= 1
    assert len([user for user, email in (await addresses(stage)).items() if email == address]) <= 1
    # Whatever is left of them, both go to somebody.
    if not await stage.registered(name):
        await stage.taken_over(name)
    assert await stage.outcome(name) == "taken" and len(await stage.registered(name)) == 1


async def test_a_registration_that_died_after_its_claims_loses_the_address_too(stage: Stage, address: str) -> None:
    name, slow = new_name(), await stage.claim(new_name())
    claim = ClaimHandle(handle=email_handle(address), user=slow)
    assert isinstance(await stage.submit(claim, slow, f"{slow}:claim"), Outcome)
    assert await registers(stage, address) == "taken"
    await free_in_the_end(stage, address)
    assert await stage.finish(name, slow) == "taken"
    assert await stage.registered(name) == []


async def test_who_registered_but_was_not_confirmed_keeps_the_address(stage: Stage, address: str) -> None:
    user = await stage.claim(new_name())
    await stage.submit(ClaimHandle(handle=email_handle(address), user=user), user, f"{user}:claim")
    assert isinstance(await stage.finish(new_name(), user, email=address), Outcome)

    async def confirmed() -> bool:
        assert await registers(stage, address) == "taken"
        outcome = await stage.submit(ClaimHandle(handle=email_handle(address), user=user), user, uuid7())
        assert isinstance(outcome, Outcome)
        held = outcome.state[handle_key(email_handle(address))]
        return isinstance(held, Handle) and held.user == user and held.state == "confirmed"

    await until(confirmed, "the claim is confirmed")


async def test_a_change_gives_the_old_address_free_at_once(stage: Stage, address: str) -> None:
    ada = await person(stage, email=address)
    other = fresh()
    assert (await ada.do("users.change", email=other))["user"]["email"] == other
    assert await registers(stage, other) == "taken"
    assert await registers(stage, address) not in ("", "taken")
    assert (await ada.do("users.change", email=None))["user"]["email"] is None
    assert await registers(stage, other) != "taken"
    assert await ada.refused("users.change", email=address.upper()) == "taken"


async def test_a_change_that_died_after_its_claim_is_void_once_somebody_wants_the_address(
    stage: Stage, address: str
) -> None:
    ada = await person(stage, email=fresh())
    change = Change(stage, ada, address)
    before = await change.learn()
    await change.claim()
    assert await registers(stage, address) == "taken"
    winner = await free_in_the_end(stage, address)
    # The slow one comes too late, and cannot confirm or release what is not theirs any more.
    assert await change.change() == "outrun"
    assert await change.submit(ConfirmHandle(handle=change.handle, user=ada.id)) == "taken"
    found = await addresses(stage)
    assert (found[ada.id], found[winner]) == (before.email, address)
    assert [r.data for r in await stage.records() if r.stream == ada.id and isinstance(r.data, UserEmailAbandoned)] == [
        UserEmailAbandoned(email=address)
    ]
    # Who has lost it has what they had, and may ask for another.
    assert (await ada.do("users.change", email=fresh()))["user"]["email"] not in (before.email, address)


async def test_a_change_that_died_after_its_event_stands_and_the_old_address_is_free_in_the_end(
    stage: Stage, address: str
) -> None:
    old = fresh()
    ada = await person(stage, email=old)
    change = Change(stage, ada, address)
    await change.learn()
    await change.claim()
    assert isinstance(await change.change(), Outcome)
    assert await registers(stage, address) == "taken"
    assert (await free_in_the_end(stage, old)) != ada.id
    # By now the claim of the new one is as old, and stays.
    assert await registers(stage, address) == "taken"
    assert (await ada.do("users.me"))["user"]["email"] == address


async def test_a_repeated_change_goes_on_where_it_broke_off(stage: Stage, address: str) -> None:
    ada = await person(stage)
    change = Change(stage, ada, address)
    await change.learn()
    await change.claim()
    first = await ada.do("users.change", key="broken", email=address)
    assert first["user"]["email"] == address
    other = fresh()
    await ada.do("users.change", email=other)
    # The first result again, which claims nothing for good.
    await ada.do("users.change", key="broken", email=address)
    assert (await ada.do("users.me"))["user"]["email"] == other
    assert await registers(stage, address) != "taken"


async def test_a_release_that_comes_late_leaves_a_later_claim(stage: Stage, address: str) -> None:
    """The process died before the release; its user has come back to the address when the release arrives."""
    ada = await person(stage, email=address)
    leave = Change(stage, ada, fresh())
    await leave.learn()
    observed = await leave.submit(ConfirmHandle(handle=email_handle(address), user=ada.id))
    assert isinstance(observed, Outcome)
    held = observed.state[handle_key(email_handle(address))]
    assert isinstance(held, Handle)
    await leave.claim()
    assert isinstance(await leave.change(), Outcome)
    back = Change(stage, ada, address)
    await back.learn()
    await back.claim()
    late = await leave.submit(ReleaseHandle(handle=held.id, user=ada.id, version=held.version))
    assert isinstance(late, Outcome) and not late.records
    assert isinstance(await back.change(), Outcome)
    assert await registers(stage, address) == "taken"


async def test_changes_at_once_from_two_devices_leave_one_address(stage: Stage) -> None:
    ada = await person(stage)
    wanted = [fresh() for _ in range(4)]
    answers = await asyncio.gather(*(ada.do("users.change", email=one) for one in wanted), return_exceptions=True)
    assert all(answer.code == "overloaded" for answer in answers if isinstance(answer, Refusal))
    (me,) = [(await ada.do("users.me"))["user"]["email"]]
    assert me in wanted and await registers(stage, me) == "taken"
    for one in wanted:
        if one != me:
            assert await free_in_the_end(stage, one) != ada.id


async def test_whatever_happens_at_once_an_address_is_one_users(stage: Stage) -> None:
    """Many people change to and from few addresses; in the end the log, the claims and the log-ins agree."""
    dice = random.Random(7)
    pool = [fresh() for _ in range(6)]
    people = [await person(stage, password=PASSWORD) for _ in range(5)]

    async def busy(one: Person, choices: list[str | None]) -> None:
        for choice in choices:
            try:
                await one.do("users.change", email=choice, password=PASSWORD)
            except Refusal as refusal:
                if refusal.code not in ("taken", "overloaded"):
                    raise

    plans = [[dice.choice([*pool, None]) for _ in range(8)] for _ in people]
    # Each from two devices.
    await asyncio.gather(
        *(busy(one, plan[part::2]) for one, plan in zip(people, plans, strict=True) for part in (0, 1))
    )
    found = await addresses(stage)
    held = {email: one for one in people if (email := found[one.id]) is not None}
    assert len(held) == len([one for one in people if found[one.id] is not None]), "no two have the same"
    changes = [r for r in await stage.records() if isinstance(r.data, UserEmailChanged)]
    assert len(changes) > len(people)
    for address in pool:
        if address in held:
            opened = await stage.world.call("sessions.open", {"email": address, "password": PASSWORD})
            assert opened["user"]["id"] == held[address].id
            assert await registers(stage, address) == "taken"
        else:
            assert await free_in_the_end(stage, address) not in [one.id for one in people]
