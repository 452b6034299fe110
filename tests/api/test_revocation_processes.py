"""Two processes of one installation: what is suspended or revoked at one ends live connections at the other, and stays
so when both have been killed and started again. Tests ``api/core/cutting.py`` and ``api/core/auth.py``."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import msgspec
import pytest

from infra.base.settings import Settings
from infra.embedded.ports import free_port
from tests.api.applications import App, aged, made, person
from tests.api.conftest import minted
from tests.client import Person, Refusal, World, visiting
from tests.parts import Parts
from tests.running import until
from tests.servers import ALL, Process, installation, process

#: Seconds within which a connection has to end: a second is what is promised, the rest is for a busy machine.
BOUND = 10.0


class Pair(NamedTuple):
    settings: Settings
    servers: list[Process]
    one: World
    two: World


class Live:
    """Somebody's connections to a process: a WebSocket and a stream."""

    def __init__(self, world: World, token: str) -> None:
        self._world, self._token = world, token
        self._ended: list[asyncio.Task[int]] = []

    async def open(self) -> None:
        socket = await self._world.socket(self._token)
        headers, forever = {"Authorization": f"Bearer {self._token}"}, aiohttp.ClientTimeout(total=None)
        stream = await self._world.http.get(f"{self._world.url}/v1/stream", headers=headers, timeout=forever)
        assert stream.status == 200
        first = b"".join([await stream.content.readline() for _ in range(2)])
        assert b"event: position" in first, first
        self._ended = [asyncio.create_task(socket.ended()), asyncio.create_task(_last_code(stream))]

    async def codes(self) -> list[int]:
        """Waits until both have ended; with what codes."""
        async with asyncio.timeout(BOUND):
            return await asyncio.gather(*self._ended)

    @property
    def stay(self) -> bool:
        return not any(one.done() for one in self._ended)

    async def close(self) -> None:
        for one in self._ended:
            one.cancel()
        await asyncio.gather(*self._ended, return_exceptions=True)


async def _last_code(stream: aiohttp.ClientResponse) -> int:
    """Reads a stream to its end; the code that the server gives for it."""
    async with stream:
        lines = [line async for line in stream.content]
    (said,) = [lines[n + 1] for n, line in enumerate(lines) if line == b"event: disconnect\n"]
    code: int = msgspec.json.decode(said.removeprefix(b"data: "))["code"]
    return code


@pytest.fixture
async def pair(parts: Parts, tmp_path: Path) -> AsyncIterator[Pair]:
    async with AsyncExitStack() as stack:
        settings = await stack.enter_async_context(installation(parts))
        servers, worlds = list[Process](), list[World]()
        for name, roles in (("one", ALL), ("two", frozenset({"api", "push"}))):
            own = msgspec.structs.replace(settings, port=free_port())
            server = await stack.enter_async_context(process(own, roles, tmp_path / f"{name}.log"))
            await server.ready()
            servers.append(server)
            worlds.append(await stack.enter_async_context(visiting(server.url)))
        yield Pair(settings, servers, *worlds)


async def code(world: World, token: str) -> str:
    """What a call comes to."""
    try:
        await world.call("users.me", {}, token=token)
    except Refusal as refusal:
        return refusal.code
    return "ok"


async def refused_live(world: World, token: str) -> bool:
    """Whether neither a WebSocket nor a stream is opened."""
    async with world.http.ws_connect(f"{world.url}/v1/connection") as ws:
        await ws.send_json({"id": 1, "connect": {"token": token}})
        message = await ws.receive(timeout=20)
        refused = message.type is not aiohttp.WSMsgType.TEXT or b"error" in message.data.encode()
    headers = {"Authorization": f"Bearer {token}"}
    async with world.http.get(f"{world.url}/v1/stream", headers=headers) as stream:
        return refused and stream.status in (401, 403)


async def test_what_ends_at_one_ends_at_the_other_and_after_a_restart(pair: Pair) -> None:
    operator, one, two = minted(pair.settings), pair.one, pair.two
    bystander = await person(one, await made(one, operator), "eve", "http")
    cases: dict[str, tuple[App, Person, dict[str, Any], str]] = {}
    for operation in ("apps.suspend", "apps.revoke_tokens", "users.revoke_tokens"):
        app = await made(one, operator)
        ada = await person(one, app, "ada", "http")
        fields = {"user": ada.id} if operation == "users.revoke_tokens" else {"app": app.id}
        cases[operation] = (app, ada, fields, "suspended" if operation == "apps.suspend" else "token_revoked")
    untouched = Live(two, bystander.token)
    await untouched.open()
    await aged()
    for operation, (_, ada, fields, refusal) in cases.items():
        live = [Live(world, ada.token) for world in (one, two)]
        for connections in live:
            await connections.open()
        assert await code(two, ada.token) == "ok"
        await one.call(operation, fields, token=operator)
        answered = time.monotonic()
        assert [await connections.codes() for connections in live] == [[3500, 3500]] * 2, operation
        print(f"{operation}: all four have ended {time.monotonic() - answered:.2f} s after the answer")

        async def refused(ada: Person = ada, refusal: str = refusal) -> bool:
            return await code(two, ada.token) == refusal

        await until(refused, f"the other process refuses the token after {operation}", BOUND)
        assert await code(one, ada.token) == refusal
        assert await refused_live(two, ada.token) and await refused_live(one, ada.token)
    assert untouched.stay and await code(two, bystander.token) == "ok"
    await untouched.close()
    for server in pair.servers:
        await server.end()
    for server in pair.servers:
        await server.start()
    await asyncio.gather(*(server.ready() for server in pair.servers))
    for world in (one, two):
        assert await code(world, bystander.token) == "ok"
        for operation, (app, ada, _, refusal) in cases.items():
            assert await code(world, ada.token) == refusal, operation
            assert await refused_live(world, ada.token), operation
            # What is signed since is good, but of an application that is suspended.
            fresh = await code(world, app.signed(sub=ada.username))
            assert fresh == ("suspended" if operation == "apps.suspend" else "ok"), operation
