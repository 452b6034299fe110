"""What one application has costs another no other work than an unknown id: the same statements, so the same time
but for chance. Tests ``api/support/app_users.py``, ``api/support/pagecache.py`` and what reads rows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any

import asyncpg
import pytest

from api.core.moments import AS_OF
from events.core.positions import encode_vector
from infra.base import postgres
from infra.base.settings import Settings
from tests.api.conftest import minted
from tests.api.test_blocks_walk import NAMED, Fields, answer
from tests.api.test_isolation import KINDS, scene
from tests.api.test_isolation_servers import acting, cases, servers
from tests.client import OPERATIONS, Person, World, visiting
from tests.parts import Parts
from tests.servers import installation, serving

#: Tries, of which one must find the same: other work of the process falls into some.
_TRIES = 5


class Statements:
    """What the API's connections ask Postgres."""

    def __init__(self) -> None:
        self.found: list[str] = []

    async def prepare(self, connection: asyncpg.Connection) -> None:
        await _prepare(connection)
        connection.add_query_logger(self._note)

    def _note(self, query: Any) -> None:
        self.found.append(query.query)

    def taken(self) -> list[str]:
        """Those since the last time, in no order: some are asked at once."""
        found, self.found = sorted(self.found), []
        return found


_prepare = postgres.prepare


@pytest.fixture(scope="module")
def statements() -> Iterator[Statements]:
    found = Statements()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(postgres, "prepare", found.prepare)
        yield found


@pytest.fixture(scope="module")
async def watched(parts: Parts, statements: Statements) -> AsyncIterator[tuple[World, Settings]]:
    """A server of which it is seen what it asks."""
    async with installation(parts) as settings, serving(settings) as url, visiting(url) as world:
        yield world, settings


async def _asked(statements: Statements, caller: Person, name: str, fields: Fields, words: dict[str, str]) -> list[str]:
    """What a second call asks: the first may have filled a cache."""
    await answer(caller, name, fields, words)
    statements.taken()
    await answer(caller, name, fields, words)
    return statements.taken()


async def differing(
    statements: Statements, caller: Person, cases: Iterable[tuple[str, Fields]], *words: dict[str, str]
) -> list[Any]:
    """Cases in which something else is asked for what is there than for what is not; fails where nothing is asked."""
    wrong: list[Any] = []
    asked = found = 0
    for name, fields in cases:
        if OPERATIONS[name].only_rpc:
            continue
        found += 1
        for _ in range(_TRIES):
            one, other = [await _asked(statements, caller, name, fields, each) for each in words]
            asked += len(one)
            if one == other:
                break
        else:
            wrong.append((name, fields, [len(one), len(other)], {*one} ^ {*other}))
    assert asked > found
    return wrong


@pytest.mark.parametrize("kind", KINDS)
async def test_what_another_application_has_is_looked_for_as_what_is_not(
    watched: tuple[World, Settings], statements: Statements, kind: str
) -> None:
    world, settings = watched
    _, caller, there, unknown = await scene(world, minted(settings), "http", kind, "application")
    place = encode_vector(world.position)
    cases = [(name, fields) for name, listed in NAMED.items() for fields in listed]
    cases += [(name, {**fields, AS_OF: place}) for name, fields in cases if OPERATIONS[name].has_past]
    wrong = await differing(statements, caller, cases, there, unknown)
    assert not wrong, "\n".join(map(str, wrong))


@pytest.mark.parametrize("whose", ["application", "default"])
async def test_servers_are_told_of_another_application_after_the_same_work(
    watched: tuple[World, Settings], statements: Statements, whose: str
) -> None:
    world, settings = watched
    found = await servers(world, minted(settings), whose)
    wrong = await differing(statements, found.caller, cases(encode_vector(world.position)), found.there, found.unknown)
    assert not wrong, "\n".join(map(str, wrong))
    for word in ("USER", "IDLE", "ERASED"):
        actings = [acting(world, found.caller.token, words[word]) for words in (found.there, found.unknown)]
        for _ in range(_TRIES):
            one, other = [await _asked(statements, each, "users.me", {}, {}) for each in actings]
            if one == other:
                break
        assert one == other, (word, one, other)
