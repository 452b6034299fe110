"""The API's own steps around e-mail addresses, put in every kind of order, each process dying anywhere. No I/O.
Tests ``api/users.py`` and ``producers/users.py``.

Everything between two commands happens at once, so an order of commands is all that processes can do to one another.
"""

from __future__ import annotations

import types
from collections.abc import Coroutine, Generator
from random import Random
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest

from api.core.calls import Call
from api.users import _change_with_email, _register
from events.core.clock import now, uuid7
from events.handles import Handle, HandleClaimed, email_handle, handle_key, username_handle
from events.plans import NO_LIMITS
from events.users import User, UserRegistered
from infra.base.settings import Settings
from producers.commands import Command, CommandEnvelope, Outcome, Refused
from producers.users import ChangeProfile, RegisterUser
from tests.producers.given import Log

#: Claims are old at once, whatever their time: whoever wants a name need not wait.
SETTINGS = Settings(secret="00" * 32, claim_seconds=-1e9)
ADDRESSES = ("a@example.org", "b@example.org")
PEOPLE = ("ada", "bob")


@types.coroutine
def _pause() -> Generator[None, None, None]:
    """Here another process may come first, or this one die."""
    yield


class Vault:
    """Nobody here has a password."""

    def keeping(self, hash: str) -> NoReturn:
        raise AssertionError(f"expected no hash, got {hash}")


class NoPlans:
    """No application has a plan."""

    async def of(self, app: str) -> SimpleNamespace:
        return SimpleNamespace(limits=NO_LIMITS)


class Caller:
    """What the API's functions see of a call: ``submit``, decided on the log at once when its turn comes."""

    settings = SETTINGS
    address, app = "", "default"
    services = SimpleNamespace(
        credential_store=Vault(),
        plans=NoPlans(),
        login_throttle=SimpleNamespace(registered=lambda address, handle: None),
    )
    key = identity = None

    def __init__(self, log: Log, user: str) -> None:
        self._log, self.user = log, user

    async def submit(
        self,
        command: Command,
        *,
        key: str | None = None,
        actor: str | None = None,
        shows: object = None,
        unless: Refused | None = None,
    ) -> Outcome:
        assert unless is None
        return await self.step(command, key=key, actor=actor)

    async def step(self, command: Command, *, key: str | None, actor: str | None = None) -> Outcome:
        await _pause()
        envelope = CommandEnvelope(command=command, id=uuid7(), actor=actor or self.user, key=key, time=now())
        (answer,) = self._log.turn(envelope)
        if isinstance(answer, Exception):
            raise answer
        return answer


async def changes(caller: Any, address: str | None) -> str:
    call: Call = caller
    try:
        for _ in range(3):
            if await _change_with_email(call, ChangeProfile(user=caller.user), address, None) is not None:
                return "done"
    except Refused as refusal:
        return refusal.code
    return "put off"


async def registers(caller: Any, username: str, address: str) -> str:
    call: Call = caller
    command = RegisterUser(user="-", username=username, name=username, email=address)
    try:
        return (await _register(call, username, None, command))[1]
    except Refused as refusal:
        return refusal.code


def finished(work: Coroutine[Any, Any, str]) -> str:
    """The outcome of work that nobody interrupts."""
    try:
        while True:
            work.send(None)
    except StopIteration as end:
        return str(end.value)


class Scene:
    """Two people and two addresses, and what some processes are doing with them."""

    def __init__(self, seed: int) -> None:
        self.dice = Random(seed)
        self.log = Log()
        for user, email in zip(PEOPLE, (ADDRESSES[0], None), strict=True):
            for handle in (username_handle(user), *([email_handle(email)] if email else [])):
                self.log.append(HandleClaimed(user=user), stream=handle)
            event = UserRegistered(username=user, name=user, role="person", credential=None, data={}, email=email)
            self.log.append(event, stream=user)

    def work(self) -> Coroutine[Any, Any, str]:
        address = self.dice.choice(ADDRESSES)
        if self.dice.random() < 0.3:
            return registers(Caller(self.log, "new"), self.dice.choice(("cyd", "dan")), address)
        wanted = address if self.dice.random() < 0.8 else None
        return changes(Caller(self.log, self.dice.choice(PEOPLE)), wanted)

    def play(self) -> None:
        """Four processes, one step of one after the other; one in thirty steps is the last of its process."""
        live = [self.work() for _ in range(4)]
        while live:
            one = self.dice.choice(live)
            if self.dice.random() < 1 / 30:
                one.close()
                live.remove(one)
                continue
            try:
                one.send(None)
            except StopIteration:
                live.remove(one)
            self.check()

    def users(self) -> list[User]:
        found = [entity for entity in self.log.state.values() if isinstance(entity, User)]
        return [user for user in found if user.state == "registered"]

    def check(self) -> None:
        """At every position of the log: who has a name holds it. So no two have the same."""
        for user in self.users():
            names = [username_handle(user.username), *([email_handle(user.email)] if user.email else [])]
            for name in names:
                held = self.log.state.get(handle_key(name))
                assert isinstance(held, Handle) and held.user == user.id, (
                    name,
                    held,
                    [r.data for r in self.log.records],
                )

    def nothing_is_lost(self) -> None:
        """In the end an address is somebody's, or anybody's who wants it."""
        for n, address in enumerate(ADDRESSES):
            taken = any(user.email == address for user in self.users())
            outcome = finished(registers(Caller(self.log, "new"), f"late-{n}", address))
            assert (outcome == "taken") == taken, (address, outcome, [r.data for r in self.log.records])
            self.check()


@pytest.mark.long
@pytest.mark.parametrize("hundred", range(20))
def test_whatever_comes_between_an_address_is_held_by_whom_the_log_gives_it_to(hundred: int) -> None:
    for seed in range(hundred * 100, hundred * 100 + 100):
        scene = Scene(seed)
        scene.play()
        scene.nothing_is_lost()


def test_the_schedules_reach_what_they_are_for() -> None:
    """Takeovers, releases and changes that were outrun happen in them."""
    seen: set[str] = set()
    for seed in range(400):
        scene = Scene(seed)
        scene.play()
        seen.update(record.type for record in scene.log.records)
    assert {"handle.released", "user.email_abandoned", "user.registration_abandoned", "user.email_changed"} <= seen
