"""When a session ends that its use moves on: as the log says, and not as somebody hoped. Tests
``api/support/sessions_in_use.py``."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from api.support import sessions_in_use
from api.support.sessions_in_use import SessionsInUse, whole_seconds
from events.sessions import SessionUsed
from producers.commands import Refused


class Scene:
    """A session, its row, and the shard that decides about its use."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.time = 0.0
        #: When its row says that it ends; None: it is closed.
        self.row: float | None = 100.0
        self.records: list[Any] = []
        self.refusal: Exception | None = None
        self.asked = 0
        producers: Any = self
        self.sessions = SessionsInUse(producers, producers, clock=lambda: self.time)

        async def read(user: str, session: str) -> float | None:
            return self.row

        monkeypatch.setattr(self.sessions, "_read", read)

    async def submit(self, envelope: Any) -> Any:
        self.asked += 1
        await asyncio.sleep(0)
        if self.refusal is not None:
            raise self.refusal
        return SimpleNamespace(records=self.records)

    async def used(self, time: float) -> bool:
        """Whether it may go on; what is to be noted is, before this returns."""
        self.time = time
        found = await self.sessions.use("u", "s", 1, issued=-1000.0)
        while self.sessions._notes:
            await asyncio.gather(*self.sessions._notes.values())
        return found


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    return Scene(monkeypatch)


async def test_a_use_that_is_noted_moves_the_end_on(scene: Scene) -> None:
    scene.records = [SimpleNamespace(data=SessionUsed(session="s", expires="2026-11-30T18:00:00.000Z"))]
    assert await scene.used(50.0) and scene.asked == 1
    scene.row = None
    assert await scene.used(50.0 + whole_seconds(1) - 1.0)


@pytest.mark.parametrize("refusal", [None, Refused("not_found", "none")])
async def test_one_that_is_closed_meanwhile_ends_with_its_row(scene: Scene, refusal: Exception | None) -> None:
    """The use was noted after the closing, so nothing came of it."""
    scene.refusal = refusal
    assert await scene.used(50.0) and scene.asked == 1
    scene.row = None
    assert not await scene.used(101.0)


async def test_many_uses_at_once_are_one_note(scene: Scene) -> None:
    scene.time = 50.0
    assert all(await asyncio.gather(*(scene.sessions.use("u", "s", 1, issued=-1000.0) for _ in range(20))))
    await asyncio.gather(*scene.sessions._notes.values())
    assert scene.asked == 1 and sessions_in_use.NOTES == 24
