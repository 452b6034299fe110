"""A running server for the examples of the documentation, as ``./klatsch up`` would have it."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from infra.settings import Settings
from tests import servers
from tests.docs.examples import Words
from tests.parts import Parts

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="session")
async def installed(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Settings]:
    """An installation with a server of all roles but analytics, in a process of its own."""
    log = tmp_path_factory.mktemp("server") / "log"
    async with servers.installation(parts) as settings, servers.process(settings, servers.ALL, log) as server:
        await server.ready()
        yield settings
        await server.end(signal.SIGTERM)


@pytest.fixture
def words(installed: Settings) -> Words:
    """What the pages' addresses and topic names are here."""
    return Words({"127.0.0.1:8400": installed.address, "127.0.0.1:8410": installed.kafka}, installed.prefix)
