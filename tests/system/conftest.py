"""Fixtures of the system tests: an installation with a server of all roles in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from infra.base.settings import Settings
from tests.api.conftest import minted
from tests.client import World, visiting
from tests.parts import Parts
from tests.servers import installation, serving


@pytest.fixture(scope="module")
async def installed(parts: Parts) -> AsyncIterator[Settings]:
    """The installation that the tests of a module share."""
    async with installation(parts) as settings:
        # Pages of a few entries, so that most snapshots have several. On a fast machine there are many of them.
        yield replace(settings, snapshot_bytes=5000, limit_heavy="100000/30")


@pytest.fixture(scope="module")
async def world(installed: Settings) -> AsyncIterator[World]:
    """A client of it."""
    async with serving(installed) as url, visiting(url) as world:
        yield world


@pytest.fixture(scope="module")
def operator(installed: Settings) -> str:
    """An operator's token."""
    return minted(installed)
