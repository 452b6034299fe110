"""Two processes of one installation: a limit is nearly one for both, and a plan that changes is known to both at once.
Tests ``api/core/sharing.py``, ``api/support/plans.py``, ``push/delivery/signals.py`` and ``infra/ops/roles.py``."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec
import pytest

from api.support.limiter import TOLD_SHARE
from infra.base.settings import Settings
from infra.embedded.ports import free_port
from tests.api.applications import made, person
from tests.api.conftest import minted
from tests.client import Refusal, World, visiting
from tests.parts import Parts
from tests.running import until
from tests.servers import ALL, installation, process

#: So many reads at once, and as many again in so many seconds.
MOST, SECONDS = 100, 1000
#: Calls that are under way at the same time, and for how long, in seconds, those of one process may be unknown to the
#: other: a turn, a note of Kafka's, and what a busy machine adds.
TOGETHER, LATE = 4, 2.0


@pytest.fixture
async def pair(parts: Parts, tmp_path: Path) -> AsyncIterator[tuple[Settings, World, World]]:
    async with AsyncExitStack() as stack:
        settings = await stack.enter_async_context(installation(parts))
        worlds = []
        for name, roles in (("one", ALL), ("two", frozenset({"api", "push"}))):
            own = msgspec.structs.replace(settings, port=free_port(), limit_read=f"{MOST}/{SECONDS}")
            server = await stack.enter_async_context(process(own, roles, tmp_path / f"{name}.log"))
            await server.ready()
            worlds.append(await stack.enter_async_context(visiting(server.url)))
        yield settings, worlds[0], worlds[1]


async def left(world: World, token: str) -> int:
    """What is left of reads, after one more."""
    answer = await world.request("GET", "/v1/users/me", token=token)
    return int(answer.headers["RateLimit"].split(";r=")[1].split(";")[0])


async def test_what_one_lets_through_the_other_knows(pair: tuple[Settings, World, World]) -> None:
    _, one, two = pair
    ada = await one.person("ada")
    await left(one, ada.token)
    await until(lambda: _told(one, two, ada.token), "the processes know of each other", 30)
    bob = await one.person("bob")
    granted, began, rate = 0, time.monotonic(), list[float]()
    while granted < 2 * MOST:
        asked = [world.request("GET", "/v1/users/me", token=bob.token) for world in (one, two) for _ in range(TOGETHER)]
        answers = await asyncio.gather(*asked)
        granted += sum(answer.status == 200 for answer in answers)
        rate.append(time.monotonic())
        if all(answer.status == 429 for answer in answers):
            break
        # Four hundred a second would be over before anybody is told: the bound is for those who go on.
        await asyncio.sleep(0.1)
    calls = 2 * TOGETHER * len(rate) / (rate[-1] - began)
    refilled = MOST * (rate[-1] - began) / SECONDS
    bound = MOST + MOST * TOLD_SHARE + calls * LATE / 2 + refilled + 1
    assert MOST * 0.9 <= granted <= bound, (granted, bound)
    print(f"granted {granted} of {MOST} at {calls:.0f} calls/s over two processes")
    # Afterwards both refuse, whoever let it through.
    for world in (one, two):
        assert (await world.request("GET", "/v1/users/me", token=bob.token)).status == 429


async def _told(one: World, two: World, token: str) -> bool:
    """Whether a process hears of what another one lets through."""
    before = await left(two, token)
    for _ in range(int(MOST * TOLD_SHARE) + 1):
        await left(one, token)
    await asyncio.sleep(0.6)
    return await left(two, token) < before - 1


async def test_a_plan_that_changes_is_known_to_both(pair: tuple[Settings, World, World]) -> None:
    settings, one, two = pair
    operator = minted(settings)
    app = await made(one, operator)
    ada = await person(one, app, "ada", "http")
    room = (await ada.do("rooms.create", type="private", name="Den"))["room"]["id"]
    two.position = dict(one.position)
    # The other one knows that it has no plan.
    fields = {"room": room, "content": {"text": "said"}}
    await two.call("messages.send", {**fields, "client_id": "before"}, token=ada.token)
    limits = {"name": "Pro", "tier": "pro", "limits": {"messages_day": 0}}
    plan = (await one.call("plans.define", limits, token=operator))["plan"]["id"]
    await one.call("apps.choose_plan", {"app": app.id, "plan": plan}, token=operator)

    async def refused(n: list[int] = [0]) -> bool:  # noqa: B006 - counts the calls
        n[0] += 1
        try:
            await two.call("messages.send", {**fields, "client_id": f"after-{n[0]}"}, token=ada.token)
        except Refusal as refusal:
            return refusal.code == "quota_used"
        return False

    # Within a second; a busy machine is given more.
    await until(refused, "the other process knows the plan", 5)
