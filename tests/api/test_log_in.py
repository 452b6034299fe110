"""Logging in and registering under attack: who guesses is stopped, the owner is not, little is hashed for nothing.
Tests ``api/sessions.py`` and ``api/support/login_throttle.py``."""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from api.support import passwords
from infra.base import postgres
from infra.base.settings import Settings, quota
from tests.client import Person, Refusal, World, visiting
from tests.running import until

PASSWORD = "correct horse battery"
MOST, _ = quota(Settings().limit_guesses)


async def owner(world: World, **fields: Any) -> Person:
    """Somebody with a password."""
    return await world.person("owner", password=PASSWORD, **fields)


async def codes(world: World, count: int, **fields: Any) -> Counter[str]:
    """What so many log-ins at once come to."""

    async def one() -> str:
        try:
            await world.call("sessions.open", fields)
        except Refusal as refusal:
            waits = refusal.problem.get("retry_after", 0) >= 1
            return refusal.code if waits or refusal.code == "unauthenticated" else f"{refusal.code} without a time"
        return "in"

    return Counter(await asyncio.gather(*(one() for _ in range(count))))


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The passwords that are hashed or verified."""
    found: list[str] = []
    verify, make = passwords.Passwords._verify, passwords.Passwords._hash

    def counted(self: passwords.Passwords, hash: str | None, password: str) -> bool:
        found.append(password)
        return verify(self, hash, password)

    def made(self: passwords.Passwords, password: str) -> str:
        found.append(password)
        return make(self, password)

    monkeypatch.setattr(passwords.Passwords, "_verify", counted)
    monkeypatch.setattr(passwords.Passwords, "_hash", made)
    return found


async def test_sixty_at_once_are_looked_at_as_often_as_the_bound_says(world: World, hashed: list[str]) -> None:
    ada = await owner(world)
    hashed.clear()
    async with visiting(world.url, "127.0.0.51") as mallory:
        found = await codes(mallory, 60, username=ada.username, password="wrong password")
    assert found == {"unauthenticated": MOST, "rate_limited": 60 - MOST}
    assert hashed == ["wrong password"] * MOST


async def test_the_owner_gets_in_from_elsewhere_while_others_guess(world: World) -> None:
    address = f"owner-{secrets.token_hex(5)}@example.org"
    ada = await owner(world, email=address)
    async with visiting(world.url, "127.0.0.52") as mallory, visiting(world.url, "127.0.0.53") as cafe:
        for way in ({"username": ada.username}, {"email": address}):
            assert (await codes(mallory, 60, **way, password="wrong"))["unauthenticated"] == MOST
            # Where she registered, and where she never was.
            assert await codes(world, 1, **way, password=PASSWORD) == {"in": 1}
            assert await codes(cafe, 1, **way, password=PASSWORD) == {"in": 1}
            assert await codes(mallory, 1, **way, password=PASSWORD) == {"rate_limited": 1}
        # Nor do their guesses keep her from what she proves while logged in.
        changed = await ada.do("users.change", email=f"x{address}", password=PASSWORD)
        assert changed["user"]["email"] == f"x{address}"


class Queue:
    """The passwords of one process: those of a flood stop at a gate, so that it is there when the others come."""

    def __init__(self) -> None:
        self.gate = threading.Semaphore(0)
        self.lanes: list[str] = []

    async def full(self) -> bool:
        """Whether as many of one address wait as may."""
        return Counter(self.lanes).most_common(1)[0][1] >= passwords.LANE + passwords.WORKERS if self.lanes else False


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Iterator[Queue]:
    found = Queue()
    enter, verify = passwords.Passwords._enter, passwords.Passwords._verify

    def entered(self: passwords.Passwords, lane: str, job: Any) -> None:
        enter(self, lane, job)
        found.lanes.append(lane)

    def gated(self: passwords.Passwords, hash: str | None, password: str) -> bool:
        assert password != "flood" or found.gate.acquire(timeout=60)
        return verify(self, hash, password)

    monkeypatch.setattr(passwords.Passwords, "_enter", entered)
    monkeypatch.setattr(passwords.Passwords, "_verify", gated)
    yield found
    found.gate.release(1000)


async def test_a_flood_of_invented_names_does_not_keep_the_owner_waiting(world: World, queue: Queue) -> None:
    ada, eve = await owner(world), await owner(world)
    async with visiting(world.url, "127.0.0.54") as school, visiting(world.url, "127.0.0.55") as home:
        await school.call("sessions.open", {"username": ada.username, "password": PASSWORD})
        queue.lanes.clear()
        began = time.monotonic()
        names = [f"nobody-{secrets.token_hex(5)}" for _ in range(300)]
        flood = asyncio.gather(*(codes(school, 1, username=name, password="flood") for name in names))
        await until(queue.full, "the flood fills the queue")
        # One is known at the very address from which it comes, the other comes from somewhere else.
        owners = asyncio.gather(
            codes(school, 1, username=ada.username, password=PASSWORD),
            codes(home, 1, username=eve.username, password=PASSWORD),
        )

        async def waiting() -> bool:
            return len(set(queue.lanes)) == 3

        await until(waiting, "the owners' passwords wait too")
        # The two of the flood under way, and one more of it between the owners' two.
        queue.gate.release(passwords.WORKERS + 1)
        first, second = await owners
        assert first == second == {"in": 1}
        assert not flood.done(), "they did not wait for the flood to end"
        queue.gate.release(1000)
        ended = sum(await flood, Counter[str]())
    every, seconds = quota(Settings().limit_guesses_address)
    assert ended.keys() <= {"unauthenticated", "rate_limited", "overloaded"}
    assert 0 < ended["unauthenticated"] <= every + (time.monotonic() - began) * every / seconds


async def credentials(settings: Settings) -> set[str]:
    """Ids of the hashes in the vault's copy."""
    connection = await postgres.connect(settings)
    try:
        return {row["id"] for row in await connection.fetch("select id from credentials")}
    finally:
        await connection.close()


async def test_a_taken_name_or_address_is_not_hashed_for(world: World, installed: Settings, hashed: list[str]) -> None:
    address = f"taken-{secrets.token_hex(5)}@example.org"
    ada, bob = await owner(world, email=address), await world.person("bob")
    before = await credentials(installed)
    hashed.clear()
    for fields in ({"username": ada.username}, {"username": ada.username.upper()},
                   {"username": f"new-{secrets.token_hex(5)}", "email": address.upper()}):  # fmt: skip
        assert await bob.refused("users.register", **fields, password=PASSWORD) == "taken"
    assert hashed == [] and await credentials(installed) == before


async def test_registrations_that_fail_leave_nothing_in_the_vault(world: World, installed: Settings) -> None:
    name, before = f"race-{secrets.token_hex(5)}", await credentials(installed)
    fields = {"username": name, "password": PASSWORD}
    found = await asyncio.gather(*(world.call("users.register", fields) for _ in range(8)), return_exceptions=True)
    assert sum(isinstance(one, dict) for one in found) == 1

    async def one_more() -> bool:
        return len(await credentials(installed) - before) == 1

    # The copy follows the topic, in which what came to nothing was written and taken back.
    await until(one_more, "one hash is left, of the one registration that was")
    assert await codes(world, 1, **fields) == {"in": 1}


async def test_a_repeated_registration_leaves_one_hash_and_gives_the_first_result(
    world: World, installed: Settings
) -> None:
    fields, before = {"username": f"twice-{secrets.token_hex(5)}", "password": PASSWORD}, await credentials(installed)
    first = await world.call("users.register", fields, key="again")
    second = await world.call("users.register", fields, key="again")
    assert first["user"]["id"] == second["user"]["id"] and first["token"] == second["token"]

    async def one_more() -> bool:
        return len(await credentials(installed) - before) == 1

    await until(one_more, "one hash is left")
    assert await codes(world, 1, **fields) == {"in": 1}


async def test_a_session_that_guesses_is_stopped_and_others_of_the_account_are_not(world: World) -> None:
    ada = await owner(world)
    again = await world.log_in(ada, PASSWORD)
    address = f"ada-{secrets.token_hex(5)}@example.org"
    found = [await ada.refused("users.change", email=address, password="wrong") for _ in range(MOST + 1)]
    assert found == ["forbidden"] * MOST + ["rate_limited"]
    assert await ada.refused("users.change", email=address, password=PASSWORD) == "rate_limited"
    assert (await again.do("users.change", email=address, password=PASSWORD))["user"]["email"] == address
