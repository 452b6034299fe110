"""Fixtures of the demo's tests: a real Chromium, a server process, and windows that must not complain."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from playwright.async_api import Browser, async_playwright, expect

from api.core import tokens
from events.core.clock import after, now, uuid7
from infra.base.settings import Settings
from infra.embedded.ports import free_port
from tests.client import World, visiting
from tests.parts import Parts
from tests.servers import ALL, Process, installation, process
from tests.web.windows import Window

#: Names under which systems install the browser.
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]

Open = Callable[..., Awaitable[Window]]


@pytest.fixture(scope="package")
async def chromium() -> AsyncIterator[Browser]:
    """The system's Chromium. Missing: skipped on a user's machine, a failure in CI."""
    async with launched() as browser:
        yield browser


@asynccontextmanager
async def launched(*arguments: str) -> AsyncIterator[Browser]:
    """The same with further arguments."""
    path = os.environ.get("KLATSCH_CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        problem = f"the demo's tests need a browser: install one of {', '.join(_NAMES)}, or set KLATSCH_CHROMIUM"
        if os.environ.get("CI") == "true":
            pytest.fail(problem)
        pytest.skip(problem)
    expect.set_options(timeout=20_000)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=[*_ARGUMENTS, *arguments])
        yield browser
        await browser.close()


@pytest.fixture(scope="package")
async def installed(parts: Parts) -> AsyncIterator[Settings]:
    """The installation that these tests share."""
    async with installation(parts) as settings:
        yield settings


@pytest.fixture(scope="package")
async def world(installed: Settings, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A client of its server."""
    log = tmp_path_factory.mktemp("web") / "server.log"
    async with process(installed, ALL, log) as server:
        await server.ready()
        async with visiting(server.url) as world:
            yield world


@pytest.fixture
async def server(settings: Settings, tmp_path: Path) -> AsyncIterator[Process]:
    """A server of the test's own that it may kill; it comes back on the same port."""
    async with process(replace(settings, port=free_port()), ALL, tmp_path / "log") as server:
        await server.ready()
        yield server


@pytest.fixture
async def windows(chromium: Browser) -> AsyncIterator[Open]:
    """Opens windows: ``await windows(url, **context)``. In the end none may have complained or asked another host."""
    async with opening(chromium) as open_:
        yield open_


@asynccontextmanager
async def opening(browser: Browser) -> AsyncIterator[Open]:
    """The same for a browser of the test's own."""
    opened: list[Window] = []

    async def open_(url: str, **context: Any) -> Window:
        opened.append(await Window.open(browser, url, **context))
        return opened[-1]

    yield open_
    for window in opened:
        await window.close()
    assert [window.unexpected() for window in opened] == [[] for _ in opened]
    assert [window.foreign() for window in opened] == [[] for _ in opened]


def operator(settings: Settings) -> str:
    """An operator's token."""
    return tokens.mint(
        settings, user="operator", session=uuid7(), role="operator", issued=now(), expires=after(now(), 600)
    )


async def service(settings: Settings, world: World) -> str:
    """The token of a new service account."""
    fields = {"username": f"emotions-{uuid7()[-12:]}", "scopes": ["emotions:write"]}
    made = await world.call("services.register", fields, token=operator(settings))
    return str(made["token"])
