"""Lists of what stands in one stream: in the order of the log, although the clock was set back in between.
Tests ``api/members.py`` and ``api/rooms.py``."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from api.core import calls
from events.core.clock import after, now
from tests.client import Person, World

PASSWORD = "correct horse battery"


@pytest.fixture
def backwards(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's clock, which goes two seconds back with each event that is asked for."""
    begin, steps = now(), itertools.count(1)
    monkeypatch.setattr(calls, "now", lambda: after(begin, -2 * next(steps)))


async def listed(person: Person, name: str, limit: int) -> list[dict[str, Any]]:
    """All items of a list, over pages of a size."""
    page = await person.do(f"{name}.list", limit=limit)
    found: list[dict[str, Any]] = page[name]
    while page["next"] is not None:
        page = await person.do(f"{name}.list", limit=limit, cursor=page["next"])
        found += page[name]
    return found


@pytest.mark.usefixtures("backwards")
async def test_friends_and_blocks(world: World, ada: Person) -> None:
    others = [await world.person(f"other{n}") for n in range(5)]
    for other in others:
        await ada.do("relationships.set", user=other.id, type="friend")
    await ada.do("relationships.set", user=others[1].id, type="block")
    wanted = [others[n].id for n in (1, 4, 3, 2, 0)]
    for limit in (1, 2, 5):
        found = await listed(ada, "relationships", limit)
        assert [one["other"] for one in found] == wanted
    assert await ada.refused("relationships.list", cursor="W10") == "invalid"


@pytest.mark.usefixtures("backwards")
async def test_sessions(world: World) -> None:
    ada = await world.person("ada", password=PASSWORD)
    opened = [await world.log_in(ada, PASSWORD) for _ in range(3)]
    # A renewal is no opening: its session keeps its place.
    await opened[0].do("sessions.renew")
    for limit in (1, 3, 50):
        found = await listed(ada, "sessions", limit)
        times = [one["opened"] for one in found]
        assert len(found) == 4 and found[-1]["current"] and times == sorted(times)
