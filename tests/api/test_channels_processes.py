"""Two API processes, one of whom decides for both: of two listens at once one is refused, whoever is asked.
Tests ``api/channels.py`` and ``producers/channels.py``."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec
import pytest

from infra.base.settings import Settings
from infra.embedded.ports import free_port
from tests.api.conftest import minted
from tests.client import Person, Refusal, World, visiting
from tests.parts import Parts
from tests.servers import ALL, installation, process

#: How often it is tried: each with another user, of whose shard sometimes the one process is the owner and sometimes
#: the other.
TIMES = 6


@pytest.fixture
async def pair(parts: Parts, tmp_path: Path) -> AsyncIterator[tuple[Settings, World, World]]:
    async with AsyncExitStack() as stack:
        settings = await stack.enter_async_context(installation(parts))
        worlds = []
        for name, roles in (("one", ALL), ("two", frozenset({"api", "push"}))):
            own = msgspec.structs.replace(settings, port=free_port())
            server = await stack.enter_async_context(process(own, roles, tmp_path / f"{name}.log"))
            await server.ready()
            worlds.append(await stack.enter_async_context(visiting(server.url)))
        yield settings, worlds[0], worlds[1]


async def test_of_two_listens_at_once_one_is_refused(pair: tuple[Settings, World, World]) -> None:
    settings, one, two = pair
    fields = {"username": f"relay-{secrets.token_hex(5)}", "scopes": ["channels:serve"]}
    relay = Person(one, await one.call("services.register", fields, token=minted(settings)), "http")
    ada = await one.person("ada")
    channel = (await ada.do("channels.create", name="Raid", limit=25))["channel"]["id"]
    numbers = set()
    for _ in range(TIMES):
        await relay.do("channels.report", metric={"addr": "127.0.0.1:8420", "name": "Chat"}, channels=[{"id": channel}])
        person = await one.person("bob")
        asked = [world.call("channels.listen", {"channel": channel}, token=person.token) for world in (one, two)]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        (refusal,) = [answer for answer in answers if isinstance(answer, Refusal)]
        (told,) = [answer for answer in answers if isinstance(answer, dict)]
        assert refusal.code == "rate_limited" and 0 < refusal.problem["retry_after"] <= 2
        numbers.add(told["number"])
    assert numbers == set(range(1, TIMES + 1))
