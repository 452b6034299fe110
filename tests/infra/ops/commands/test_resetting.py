"""``klatsch users reset``: a password that is made, one that is given, and what it says when it cannot."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from infra.base.settings import Settings
from infra.ops.commands import resetting
from infra.ops.commands.errors import CannotDo
from tests.client import World, visiting
from tests.infra.ops.operating import Heard, klatsch
from tests.parts import Parts
from tests.running import variables
from tests.servers import installation, serving


@pytest.fixture(scope="module")
async def installed(parts: Parts) -> AsyncIterator[Settings]:
    async with installation(parts) as settings:
        yield settings


@pytest.fixture(scope="module")
async def world(installed: Settings) -> AsyncIterator[World]:
    async with serving(installed) as url, visiting(url) as world:
        yield world


async def test_it_prints_a_password_that_works(installed: Settings, world: World) -> None:
    ada = await world.person("ada", password="correct horse battery")
    said = (await klatsch(installed, "users", "reset", ada.username)).splitlines()
    assert len(said) == 2 and said[1] == "1 sessions ended."
    start, made = said[0].rsplit(" ", 1)
    assert start == f"New password of {ada.username}:" and len(made) == 20
    assert await world.enters(ada, made) and not await world.enters(ada, "correct horse battery")


async def test_it_takes_one_from_the_input_and_does_not_repeat_it(installed: Settings, world: World) -> None:
    ada = await world.person("ada")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "infra.ops.cli", "users", "reset", ada.username, "--stdin",
        env=variables(installed), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    async with asyncio.timeout(60):
        output, _ = await process.communicate(b"another horse battery\nrest\n")
    assert process.returncode == 0 and output == b"1 sessions ended.\n", output
    assert await world.enters(ada, "another horse battery")


async def test_it_takes_an_id_and_a_name_alike(installed: Settings, world: World) -> None:
    ada = await world.person("ada")
    # An id is looked up in the tables; a read of hers includes her registration.
    await ada.do("users.me")
    for who in (ada.id, ada.username.upper()):
        said = Heard()
        await resetting.reset(installed, who, None, say=said.append)
        assert said[0].startswith(f"New password of {ada.username}: ")
        assert await world.enters(ada, said[0].rsplit(" ", 1)[1])
    # Without Postgres only names are known.
    away = replace(installed, postgres="postgresql://127.0.0.1:1/none")
    await resetting.reset(away, ada.username, "correct horse battery", say=Heard().append)
    with pytest.raises(CannotDo, match="404"):
        await resetting.reset(away, ada.id, None, say=Heard().append)


async def test_what_it_cannot_do(installed: Settings, world: World) -> None:
    heard = Heard()
    with pytest.raises(CannotDo, match="404 expected the name of a user, found no user nobody-here"):
        await resetting.reset(installed, "nobody-here", None, say=heard.append)
    with pytest.raises(CannotDo, match="422"):
        await resetting.reset(installed, "nobody-here", "short", say=heard.append)
    with pytest.raises(CannotDo, match="installation's secret"):
        await resetting.reset(Settings(), "nobody-here", None, say=heard.append)
    with pytest.raises(CannotDo, match=r"expected the API at .* to answer"):
        await resetting.reset(installed, "nobody-here", None, url="http://127.0.0.1:1", say=heard.append)
    assert heard == []
    said = await klatsch(installed, "users", "reset", "nobody-here", "--stdin", "--prompt", expected=1)
    assert "expected one of --stdin and --prompt" in said
