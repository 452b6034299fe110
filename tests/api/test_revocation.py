"""Tokens that are revoked, of one user or of an application: on every node, at once and after a restart. Tests
``api/core/auth.py``, ``api/core/cutting.py`` and ``api/deactivation.py``."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from msgspec.structs import replace

from events.core.clock import from_datetime
from infra.base.settings import Settings
from infra.embedded.ports import free_port
from tests.api.applications import aged, made, person
from tests.client import Person, Refusal, World, visiting
from tests.servers import serving

PASSWORD = "correct horse"


@asynccontextmanager
async def another(installed: Settings) -> AsyncIterator[World]:
    """One more node of the installation, which starts with nothing in memory."""
    settings = replace(installed, port=free_port())
    async with serving(settings, frozenset({"api", "push"})) as url, visiting(url) as world:
        yield world


async def code(world: World, token: str, operation: str = "users.me", **fields: Any) -> str:
    try:
        await world.call(operation, fields, token=token)
    except Refusal as refusal:
        return refusal.code
    return "ok"


async def test_a_users_tokens_end_on_every_node_and_after_a_restart(
    world: World, operator: str, installed: Settings
) -> None:
    app = await made(world, operator)
    ada, bob = await person(world, app, "ada", "http"), await person(world, app, "bob", "http")
    external = ada.username
    await aged()
    async with another(installed) as elsewhere:
        sockets = [await world.socket(ada.token), await elsewhere.socket(ada.token)]
        untouched = await elsewhere.socket(bob.token)
        assert await code(elsewhere, ada.token) == "ok"
        answer = await world.call("users.revoke_tokens", {"user": ada.id}, token=app.server)
        done = time.monotonic()
        assert answer["closed"] == 0 and answer["user"]["id"] == ada.id
        assert [await one.ended() for one in sockets] == [3500, 3500]
        assert time.monotonic() - done < 1.0
        assert await code(elsewhere, ada.token) == await code(world, ada.token) == "token_revoked"
        assert (await untouched.rpc("users.me", {}))["user"]["id"] == bob.id
        moment = time.time()
        fresh = app.signed(sub=external, iat=moment)
        assert await code(elsewhere, fresh) == await code(world, fresh) == "ok"
        # Another one signed ahead of its time, and one of long before, as a thief may make them with an old claim.
        assert await code(world, app.signed(sub=external, iat=int(moment) - 60)) == "token_revoked"
    async with another(installed) as restarted:
        assert await code(restarted, ada.token) == "token_revoked" and await code(restarted, fresh) == "ok"


async def test_log_ins_of_before_end_however_often_they_were_renewed(world: World, operator: str) -> None:
    grace = await world.person("grace", password=PASSWORD)
    renewed = (await grace.do("sessions.renew"))["token"]
    middle = from_datetime(datetime.now(UTC))
    later = await world.log_in(grace, PASSWORD)
    socket = await world.socket(later.token)
    answer = await world.call("users.revoke_tokens", {"user": grace.id, "before": middle}, token=operator)
    assert (answer["closed"], answer["tokens_before"]) == (1, middle)
    assert await code(world, grace.token) == await code(world, renewed) == "token_revoked"
    assert await code(world, later.token) == "ok"
    again = await world.call("users.revoke_tokens", {"user": grace.id, "before": middle}, token=operator)
    assert (again["closed"], again["tokens_before"]) == (0, middle)
    assert (await world.call("users.revoke_tokens", {"user": grace.id}, token=operator))["closed"] == 1
    assert await socket.ended() == 3500 and await code(world, later.token) == "token_revoked"
    assert await code(world, (await world.log_in(grace, PASSWORD)).token) == "ok"
    ahead = from_datetime(datetime.now(UTC) + timedelta(hours=1))
    assert await code(world, operator, "users.revoke_tokens", user=grace.id, before=ahead) == "invalid"


async def test_a_server_revokes_all_tokens_of_its_application_its_own_too(world: World, operator: str) -> None:
    app, other = await made(world, operator), await made(world, operator)
    ada, eve = await person(world, app, "ada", "http"), await person(world, other, "eve", "http")
    external, server = ada.username, app.server
    await aged()
    socket, untouched = await world.socket(ada.token), await world.socket(eve.token)
    answer = await world.call("apps.revoke_tokens", {"app": app.id}, token=server)
    assert answer["app"]["id"] == app.id and answer["app"]["tokens_before"] is not None
    assert await socket.ended() == 3500
    upsert = {"users": [{"external_id": external, "name": "Ada"}]}
    assert await code(world, server, "users.upsert", **upsert) == await code(world, ada.token) == "token_revoked"
    moment = time.time()
    assert await code(world, app.signed(server=True, iat=moment), "users.upsert", **upsert) == "ok"
    assert await code(world, app.signed(sub=external, iat=moment)) == "ok"
    assert (await untouched.rpc("users.me", {}))["user"]["id"] == eve.id


async def test_what_is_of_another_application_is_unknown(world: World, operator: str) -> None:
    app, other = await made(world, operator), await made(world, operator)
    eve = await person(world, other, "eve", "http")

    async def said(operation: str, field: str, id: str) -> str:
        with pytest.raises(Refusal) as caught:
            await world.call(operation, {field: id}, token=app.server)
        return str(caught.value.said).replace(id, "ID")

    for operation, field, ids in (
        ("apps.revoke_tokens", "app", (other.id, "default", str(uuid4()))),
        ("users.revoke_tokens", "user", (eve.id, str(uuid4()))),
    ):
        found = {await said(operation, field, id) for id in ids}
        assert len(found) == 1 and "not_found" in found.pop()
    assert await code(world, eve.token) == "ok"


async def test_people_revoke_nothing(world: World, ada: Person) -> None:
    assert await ada.refused("users.revoke_tokens", user=ada.id) == "forbidden"
    assert await ada.refused("apps.revoke_tokens", app="default") == "forbidden"
