"""The examples of docs/reference/push.md, run as they stand. Tests ``docs/reference/push.md``."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.base.settings import Settings
from push.protocol import codes
from tests.push.conftest import until
from tests.push.drivers import node_modules
from tests.push.feeding import Feed
from tests.push.server import Running, serving, token

_PAGE = Path(__file__).parents[2] / "docs" / "reference" / "push.md"
_SDK = Path(__file__).parent / "sdk"


#: Kinds of examples: language, which of the page's in that language, the command that runs it.
EXAMPLES = [
    ("js", 0, ["node", "--input-type=module", "-e"]),
    ("python", 0, [sys.executable, "-c"]),
    ("python", 1, [sys.executable, "-c"]),
]


class Renewal:
    """The API's renewal of a token: what it takes, and whether it was asked."""

    def __init__(self, old: str) -> None:
        self.old = old
        self.asked = 0

    async def answer(self, request: Request) -> Response:
        self.asked += 1
        if request.headers.get("authorization") != f"Bearer {self.old}" or await request.body():
            return JSONResponse({"type": "urn:klatsch:problem:unauthenticated", "status": 401}, 401)
        return JSONResponse({"token": token("ann"), "expires": "2026-11-21T09:15:30.123Z"})

    @property
    def route(self) -> Route:
        return Route("/v1/sessions/current/renewal", self.answer, methods=["POST"])


@asynccontextmanager
async def example(language: str, which: int, command: list[str], **values: str) -> AsyncIterator[Process]:
    """An example of the page, running."""
    if language == "js":
        node_modules()
    text = re.findall(rf"```{language}\n(.*?)```", _PAGE.read_text(), re.DOTALL)[which]
    assert ("use_protobuf" in text) == (which == 1)
    process = await asyncio.create_subprocess_exec(
        *command, text, cwd=_SDK, env={**os.environ, **values},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        await process.wait()


@pytest.mark.parametrize(("language", "which", "command"), EXAMPLES)
async def test_an_example_prints_what_arrives(
    settings: Settings, feed: Feed, language: str, which: int, command: list[str]
) -> None:
    async with (
        serving(settings) as server,
        example(language, which, command, KLATSCH=server.http, KLATSCH_TOKEN=token("ann")) as process,
    ):
        await _prints(process, server, feed)


@pytest.mark.parametrize(("language", "which", "command"), EXAMPLES[:2])
async def test_an_example_gets_another_token_when_its_own_has_ended(
    settings: Settings, feed: Feed, language: str, which: int, command: list[str]
) -> None:
    renewal = Renewal(token("ann", seconds=-1))
    async with (
        serving(settings, routes=[renewal.route]) as server,
        example(language, which, command, KLATSCH=server.http, KLATSCH_TOKEN=renewal.old) as process,
    ):
        await _prints(process, server, feed)
    assert renewal.asked == 1


@pytest.mark.parametrize(("language", "which", "command"), EXAMPLES[:2])
async def test_an_example_says_why_it_has_ended(
    settings: Settings, language: str, which: int, command: list[str]
) -> None:
    renewal = Renewal("another")
    async with (
        serving(settings, routes=[renewal.route]) as server,
        example(language, which, command, KLATSCH=server.http, KLATSCH_TOKEN=token("ann", seconds=-1)) as process,
    ):
        assert process.stderr is not None
        line = await asyncio.wait_for(process.stderr.readline(), 20)
        assert re.fullmatch(r"\d+ unauthorized\n", line.decode()), line


async def _prints(process: Process, server: Running, feed: Feed) -> None:
    await until(lambda: server.subscriptions("ann"))
    await feed.send("ann", "1")
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), 20)
    assert re.fullmatch(r"message\.posted \d+\n", line.decode()), line


def test_every_code_that_the_server_uses_is_in_the_tables() -> None:
    page = _PAGE.read_text()
    for found in vars(codes).values():
        if isinstance(found, codes.Disconnect | codes.Error):
            assert str(found.code) in page, f"expected {found} in {_PAGE.name}"
