"""Fixtures of the clients' tests: a server without push in this process, push in one that can be killed, and apps."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from msgspec.structs import replace

from infra.base.settings import Settings
from infra.embedded.ports import free_port
from tests.api.conftest import cheap_passwords, minted
from tests.client import World, visiting
from tests.clients.apps import App, PythonApp, TypeScriptApp
from tests.parts import Parts
from tests.servers import Process, installation, process, serving

__all__ = ["cheap_passwords"]

Start = Callable[..., Awaitable[App]]


@pytest.fixture(scope="package")
async def installed(parts: Parts) -> AsyncIterator[Settings]:
    """The installation that the clients' tests share."""
    async with installation(parts) as settings:
        # Pages of a few entries, so that most snapshots have several.
        yield replace(settings, snapshot_bytes=5000)


@pytest.fixture(scope="package")
async def world(installed: Settings) -> AsyncIterator[World]:
    """A client of it over HTTP."""
    async with serving(installed, frozenset({"api", "feed", "project"})) as url, visiting(url) as world:
        yield world


@pytest.fixture(scope="package")
async def push(world: World, installed: Settings, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Process]:
    """The process to which apps connect."""
    settings = replace(installed, port=free_port())
    async with process(settings, frozenset({"push"}), tmp_path_factory.mktemp("push") / "log") as server:
        await server.ready()
        yield server


@pytest.fixture
def operator(installed: Settings) -> str:
    """An operator's token."""
    return minted(installed)


@pytest.fixture(params=[PythonApp, TypeScriptApp], ids=["python", "typescript"])
async def start(request: pytest.FixtureRequest, push: Process) -> AsyncIterator[Start]:
    """Starts an app of one of the clients with these tokens, and stops it after the test."""
    running: list[App] = []

    async def start(*tokens: str | None, state: Any = None) -> App:
        url = f"{push.url.replace('http', 'ws')}/v1/connection"
        app: App = await request.param.start(url, tokens, state)
        running.append(app)
        return app

    yield start
    for app in running:
        await app.stop()
