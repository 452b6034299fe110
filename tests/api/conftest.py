"""Fixtures of the API's tests: one server for all of them, in which each test makes people of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from argon2.profiles import CHEAPEST

from api.core import tokens
from api.support import passwords
from events.core.clock import after, now, uuid7
from infra.base.settings import Settings
from tests.client import Person, Via, World, visiting
from tests.parts import Parts
from tests.servers import installation, serving


@pytest.fixture(scope="package", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """Hundreds of log-ins would keep a busy machine for minutes; test_passwords has what a real hash is made with."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "PARAMETERS", CHEAPEST)
        yield


@pytest.fixture(scope="package")
async def installed(parts: Parts) -> AsyncIterator[Settings]:
    """The installation that the API's tests share."""
    async with installation(parts) as settings:
        yield settings


@pytest.fixture(scope="package")
async def world(installed: Settings) -> AsyncIterator[World]:
    """A client of it."""
    async with serving(installed) as url, visiting(url) as world:
        yield world


@pytest.fixture(params=["http", "rpc"])
def via(request: pytest.FixtureRequest) -> Via:
    """The way on which people call operations."""
    found: Via = request.param
    return found


@pytest.fixture
async def ada(world: World, via: Via) -> Person:
    return await world.person("ada", via=via, name="Ada Lovelace")


@pytest.fixture
async def bob(world: World, via: Via) -> Person:
    return await world.person("bob", via=via, name="Bob")


@pytest.fixture
async def eve(world: World, via: Via) -> Person:
    return await world.person("eve", via=via, name="Eve")


def minted(settings: Settings, **claims: Any) -> str:
    """A token of the installation, whoever it names."""
    given = {
        "user": "operator",
        "session": uuid7(),
        "role": "operator",
        "issued": now(),
        "expires": after(now(), 86400),
    }
    return tokens.mint(settings, **{**given, **claims})


@pytest.fixture(scope="package")
def operator(installed: Settings) -> str:
    """An operator's token."""
    return minted(installed)


@pytest.fixture
async def service(world: World, operator: str, via: Via) -> Person:
    """A service account."""
    fields = {"username": f"worker-{uuid7()[-12:]}", "scopes": ["emotions:write"]}
    welcome = await world.call("services.register", fields, token=operator)
    return Person(world, welcome, via)
