"""Fixtures of the tests of gRPC: one installation with a server of all roles, the relay's too."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from infra.base.settings import Settings
from infra.embedded.ports import free_port
from tests.api.grpc.clients import Client, client
from tests.client import World, visiting
from tests.parts import Parts
from tests.servers import ALL, installation, serving


@pytest.fixture(scope="package")
async def installed(parts: Parts) -> AsyncIterator[Settings]:
    async with installation(parts) as settings:
        yield replace(settings, grpc_port=free_port())


@pytest.fixture(scope="package")
async def world(installed: Settings) -> AsyncIterator[World]:
    async with serving(installed, ALL | {"relay"}) as url, visiting(url) as world:
        yield world


@pytest.fixture
async def rpc(world: World, installed: Settings) -> AsyncIterator[Client]:
    """A gRPC client of the server."""
    async with client(f"{installed.host}:{installed.grpc_listen}") as found:
        yield found
