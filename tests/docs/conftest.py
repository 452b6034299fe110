"""A running server for the examples of the documentation, as ``./klatsch up`` would have it."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from infra.base.settings import Settings
from infra.embedded.ports import free_port
from tests import servers
from tests.client import visiting
from tests.docs.examples import Words
from tests.infra.ops.operating import klatsch
from tests.parts import Parts

#: Who has been there before a page is followed: its own people, and whose names a search for them finds too.
PEOPLE = ("ada", "grace", "linus", "mary", "marie", "faces")
IMPORTED = ("linocisco", "linus_", "grace_h", "hedy", "brunel", "ada-1")
ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="package")
async def installed(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Settings]:
    """An installation with a server of all roles but analytics, in a process of its own."""
    log = tmp_path_factory.mktemp("server") / "log"
    async with servers.installation(parts) as plain:
        settings = replace(plain, grpc_port=free_port())
        async with servers.process(settings, servers.ALL | {"relay"}, log) as server:
            await server.ready()
            yield settings
            await server.end(signal.SIGTERM)


@pytest.fixture(scope="package")
async def used(installed: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The same, in use: it has people, rooms and messages of names that pages use, and an import of old logs."""
    folder = tmp_path_factory.mktemp("logs") / "#lobby"
    folder.mkdir()
    said = [f"[12:{number:02}:00] <{nick}> hello" for number, nick in enumerate(IMPORTED)]
    (folder / "2016-05-01.log").write_text("\n".join(said) + "\n")
    await klatsch(installed, "import", "irc", folder)
    async with visiting(servers.url(installed)) as world:
        for name in PEOPLE:
            person = await world.person(username=name, password="difference engine")
            for room in ("Tea", "Stars"):
                await person.say(await person.group(name=room), "Tea is ready", token="m1")
    return installed


@pytest.fixture
def words(installed: Settings) -> Words:
    """What the pages' addresses and topic names are here."""
    here = {
        "127.0.0.1:8400": installed.address, "127.0.0.1:8403": installed.grpc_address, "127.0.0.1:8410": installed.kafka
    }  # fmt: skip
    return Words(here, installed.prefix)
