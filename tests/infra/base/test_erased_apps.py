"""What a process knows of erased applications: read after each change, and kept while Postgres is away."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from infra.base.erased_apps import ErasedApps
from infra.base.progress import Invalidation, Progress
from infra.base.settings import Settings
from tests.running import until

ONE = frozenset({"a1"})


class Rows:
    """Postgres, as it is asked."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.asked = 0
        self.away = False
        self.touch: Invalidation | None = None
        self.progress = Progress(Settings())

    async def fetch(self, query: str) -> list[Any]:
        self.asked += 1
        if self.away:
            raise ConnectionRefusedError("away")
        found = [{"id": id} for id in self.ids]
        await asyncio.sleep(0)
        if self.touch is not None:
            touch, self.touch = self.touch, None
            self.progress._touch(touch)
        return found


async def test_they_are_read_after_a_change_and_not_otherwise() -> None:
    rows = Rows()
    erased = ErasedApps(rows.fetch, rows.progress)
    await erased.read()
    rows.ids = ["a1"]
    rows.progress._touch(Invalidation(users=["u"], appended=["r"]))
    await erased.read()
    assert (erased.known, rows.asked) == (frozenset(), 1)
    for touch in (Invalidation(apps=["a1"]), Invalidation(all=True)):
        rows.progress._touch(touch)
        await erased.read()
    assert (erased.known, rows.asked) == (ONE, 3)


async def test_a_change_while_they_are_read_is_read_too() -> None:
    rows = Rows()
    erased = ErasedApps(rows.fetch, rows.progress)
    rows.touch = Invalidation(apps=["a1"])
    reading = asyncio.create_task(erased.read())
    await asyncio.sleep(0)
    rows.ids = ["a1"]
    await reading
    assert (erased.known, rows.asked) == (ONE, 2)


async def test_nobody_waits_while_postgres_is_away_and_it_is_tried_again() -> None:
    rows = Rows()
    erased = ErasedApps(rows.fetch, rows.progress)
    rows.ids, rows.away = ["a1"], True
    for _ in range(2):
        erased.refresh()
        await asyncio.sleep(0.01)
    assert (erased.known, rows.asked) == (frozenset(), 2)
    with pytest.raises(ConnectionRefusedError):
        await erased.read()
    rows.away = False

    async def known() -> bool:
        return bool(erased.known)

    erased.refresh()
    erased.refresh()
    await until(known, "it was read", 5)
    assert (erased.known, rows.asked) == (ONE, 4)
