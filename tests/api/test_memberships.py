"""What push asks of the read models when clients come: many at once, each answered with their own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest

from api.memberships import Memberships
from api.support.feed import FeedEnds
from events.members import MemberJoined
from events.relationships import RelationshipSet
from infra.base import postgres
from infra.base.progress import Progress
from infra.base.settings import Settings
from projectors.read_models.projector import ReadModels
from push.presence.presence_hub import Surroundings
from tests.given import Fact, given
from tests.projectors.scenes import created, joined, left, registered
from tests.running import running

PEOPLE = ["ada", "bob", "eve", "dan"]
SCENE = [
    *map(registered, PEOPLE),
    created("r", "ada"), joined("r", "ada"), joined("r", "bob"), joined("r", "eve"), left("r", "eve"),
    created("s", "bob"), joined("s", "bob"),
    # Put there, not by his own will.
    created("t", "dan"), joined("t", "dan"), Fact("t", MemberJoined(user="bob", role="member", willing=False), "dan"),
    Fact("ada", RelationshipSet(other="bob", type="block", was=None), "ada"),
]  # fmt: skip


@asynccontextmanager
async def asking(settings: Settings) -> AsyncIterator[tuple[Memberships, list[list[str]]]]:
    """Memberships over level read models, and the users of each query that it makes for stays."""
    progress, feed = Progress(settings), FeedEnds(settings)
    pool = await postgres.pool(settings)
    asked: list[list[str]] = []

    def note(query: Any) -> None:
        if "stays" in query.query:
            asked.append(sorted(query.args[0]))

    async with given(settings, *SCENE) as writer, running(ReadModels(settings)):
        await writer.level()
        await progress.start()
        await feed.start()
        services: Any = SimpleNamespace(pool=_Noted(pool, note), progress=progress, feed=feed)
        try:
            yield Memberships(services), asked
        finally:
            await feed.stop()
            await progress.stop()
            await pool.close()


class _Noted:
    """A pool whose connections tell what is asked of them."""

    def __init__(self, pool: postgres.Pool, note: Any) -> None:
        self._pool = pool
        self._note = note

    @asynccontextmanager
    async def acquire(self, timeout: float) -> AsyncIterator[postgres.Connection]:
        async with self._pool.acquire(timeout=timeout) as connection:
            with connection.query_logger(self._note):
                yield connection


async def test_all_who_come_at_once_are_asked_for_together(settings: Settings) -> None:
    async with asking(settings) as (memberships, asked):
        await memberships("ada", {})
        asked.clear()
        answers = await asyncio.gather(*(memberships(user, {}) for user in [*PEOPLE, "nobody", "ada"]))
        rooms = [{room: len(times) for room, times in stays.items()} for stays, _ in answers]
        assert rooms == [{"r": 1}, {"r": 1, "s": 1, "t": 1}, {"r": 1}, {"t": 1}, {}, {"r": 1}]
        eves = answers[2][0]["r"]
        assert eves[0][1] is not None and answers[0][0]["r"][0][1] is None
        assert [around for _, around in answers] == [
            Surroundings({"r": 2}, ["bob"], []), Surroundings({"r": 2, "s": 1, "t": 2}, [], ["ada"], {"t"}),
            Surroundings({}, [], []), Surroundings({"t": 2}, [], []), Surroundings({}, [], []),
            Surroundings({"r": 2}, ["bob"], []),
        ]  # fmt: skip
        # Each has an answer of their own, which push changes as it goes on.
        assert answers[0][0] is not answers[-1][0]
        assert len(asked) == 1 and asked[0] == sorted([*PEOPLE, "nobody"])


async def test_a_failure_reaches_all_who_asked_and_not_those_who_ask_later(settings: Settings) -> None:
    async with asking(settings) as (memberships, _):
        connection = await postgres.connect(settings)
        await connection.execute("alter table stays rename to elsewhere")
        failed = await asyncio.gather(*(memberships(user, {}) for user in PEOPLE), return_exceptions=True)
        assert {type(one) for one in failed} == {asyncpg.UndefinedTableError}
        await connection.execute("alter table elsewhere rename to stays")
        await connection.close()
        assert (await memberships("bob", {}))[0].keys() == {"r", "s", "t"}


async def test_who_does_not_wait_any_longer_holds_up_nobody(settings: Settings) -> None:
    async with asking(settings) as (memberships, _):
        gone = asyncio.create_task(memberships("ada", {}))
        await asyncio.sleep(0)
        stays = asyncio.create_task(memberships("bob", {}))
        gone.cancel()
        assert (await stays)[0].keys() == {"r", "s", "t"}
        with pytest.raises(asyncio.CancelledError):
            await gone
