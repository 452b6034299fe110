"""A server, and the steps of registrations one by one: what is left of one whose process died in between."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from events.core.clock import after, now, uuid7
from events.core.log import TermFilter
from events.core.records import Record
from events.handles import username_handle
from events.registry import REGISTRY
from events.users import UserRegistered
from infra.base import kafka
from infra.base.settings import Settings
from producers.commands import Command, CommandEnvelope, Outcome
from producers.engine.log import read_tail
from producers.engine.router import ORDERS_PATH, PROOF_HEADER, decode_outcome, proof
from producers.handles import ClaimHandle
from producers.registry import encode_envelope
from producers.users import RegisterUser
from tests.client import Refusal, World, visiting
from tests.parts import Parts
from tests.running import until
from tests.servers import installation, serving

#: Seconds after which an unfinished registration loses its name in these tests.
CLAIM_SECONDS = 1.0


class Stage:
    """A server, its clients, and the route by which another process would hand it the steps of a registration."""

    def __init__(self, settings: Settings, world: World) -> None:
        self.settings = settings
        self.world = world

    async def submit(self, command: Command, actor: str, key: str) -> Outcome | str:
        """What the command came to, or the code of its refusal."""
        envelope = CommandEnvelope(command=command, id=uuid7(), actor=actor, key=key, time=now())
        answer = await self.world.request(
            "POST", ORDERS_PATH, body=encode_envelope(envelope), headers={PROOF_HEADER: proof(self.settings)}
        )
        return decode_outcome(answer.body) if answer.status == 200 else str(answer.json()["code"])

    async def claim(self, name: str) -> str:
        """What is left of a registration whose process died after the claim: the user's id."""
        user = uuid7()
        assert isinstance(await self.submit(claim_of(name, user), user, f"{user}:claim"), Outcome)
        return user

    async def finish(self, name: str, user: str, **more: Any) -> Outcome | str:
        """The next step of that registration."""
        command = RegisterUser(user=user, username=name, name=name, expires=after(now(), 600), **more)
        return await self.submit(command, user, user)

    async def outcome(self, name: str, key: str | None = None, **more: Any) -> str:
        """A client registers: the user's id, or the code of the refusal."""
        try:
            answer = await self.world.call("users.register", {"username": name, **more}, key=key)
            return str(answer["user"]["id"])
        except Refusal as refusal:
            return refusal.code

    async def taken_over(self, name: str) -> str:
        """The id under which the name is registered, once its claim is old enough."""

        async def tried() -> str:
            found = await self.outcome(name)
            return "" if found == "taken" else found

        return str(await until(tried, f"{name} is free again"))

    async def records(self) -> list[Record]:
        """All valid events of the users' topic."""
        found: list[Record] = []
        topic = self.settings.topic("users")
        for partition, end in (await kafka.end_offsets(self.settings, topic, self.settings.partitions)).items():
            rule = TermFilter()
            async for raw in read_tail(self.settings, topic, partition, 0, end - 1):
                found += [
                    REGISTRY.decode(one.value, "users", partition, one.offset)
                    for one in raw
                    if rule.admits(one.offset, one.headers)
                ]
        return found

    async def registered(self, name: str) -> list[str]:
        """Users who were ever registered under the name, in any case."""
        return [
            record.stream
            for record in await self.records()
            if isinstance(record.data, UserRegistered) and record.data.username.lower() == name.lower()
        ]


def claim_of(name: str, user: str) -> ClaimHandle:
    return ClaimHandle(handle=username_handle(name), user=user)


@asynccontextmanager
async def staging(parts: Parts) -> AsyncIterator[Stage]:
    """A stage of its own for the length of the block."""
    async with installation(parts) as made:
        settings = msgspec.structs.replace(made, claim_seconds=CLAIM_SECONDS)
        async with serving(settings) as url, visiting(url) as world:
            yield Stage(settings, world)
