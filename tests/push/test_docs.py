"""The examples of docs/reference/push.md, run as they stand."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path

import pytest

from infra.settings import Settings
from push import codes
from tests.push.conftest import until
from tests.push.drivers import node_modules
from tests.push.feeding import Feed
from tests.push.server import serving, token

_PAGE = Path(__file__).parents[2] / "docs" / "reference" / "push.md"
_SDK = Path(__file__).parent / "sdk"


@pytest.mark.parametrize(
    ("language", "which", "command"),
    [("js", 0, ["node", "--input-type=module"]), ("python", 0, [sys.executable]), ("python", 1, [sys.executable])],
)
async def test_an_example_prints_what_arrives(
    settings: Settings, feed: Feed, language: str, which: int, command: list[str]
) -> None:
    if language == "js":
        node_modules()
    example = re.findall(rf"```{language}\n(.*?)```", _PAGE.read_text(), re.DOTALL)[which]
    assert ("use_protobuf" in example) == (which == 1)
    async with serving(settings) as server:
        process = await asyncio.create_subprocess_exec(
            *command,
            *(["-e", example] if language == "js" else ["-c", example]),
            cwd=_SDK,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "KLATSCH_WS": server.url, "KLATSCH_TOKEN": token("ann")},
        )
        try:
            await until(lambda: server.subscriptions("ann"))
            await feed.send("ann", "1")
            assert process.stdout is not None
            line = await asyncio.wait_for(process.stdout.readline(), 20)
            assert re.fullmatch(r"message\.posted \d+\n", line.decode())
        finally:
            process.kill()
            await process.wait()


def test_every_code_that_the_server_uses_is_in_the_tables() -> None:
    page = _PAGE.read_text()
    for found in vars(codes).values():
        if isinstance(found, codes.Disconnect | codes.Error):
            assert str(found.code) in page, f"expected {found} in {_PAGE.name}"
