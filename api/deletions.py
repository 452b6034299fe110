"""What has been deleted: what push must know to leave it out of older deltas."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import NamedTuple

from api.core.calls import Services
from api.support.problems import Problem
from events.core.positions import Vector
from infra.base.postgres import queries
from push.delivery.withheld import Deleted

#: Seconds that older deltas wait for the read models.
_SECONDS = 30.0
#: Ids of one query, if several ask for them. Who comes back after a pause asks for some hundreds.
_TOGETHER = 5000


class _DeletionQuery(NamedTuple):
    messages: Collection[str]
    rooms: Collection[str]
    answer: asyncio.Future[Deleted]


class Deletions:
    """Implements push.delivery.hub.DeletionsSource. When all clients come back at once, one query answers for many."""

    def __init__(self, services: Services) -> None:
        self._services = services
        #: Who waits for the next query.
        self._waiting: list[_DeletionQuery] = []
        self._asking: asyncio.Task[None] | None = None

    async def __call__(self, messages: Collection[str], rooms: Collection[str], vector: Vector) -> Deleted:
        """See push.delivery.hub.DeletionsSource. Raises Problem ``lagging``, and what Postgres raises."""
        if not await self._services.progress.wait(vector, _SECONDS):
            raise Problem("lagging", f"the read models have not reached the feed within {_SECONDS} s", retry_after=2)
        question = _DeletionQuery(messages, rooms, asyncio.get_running_loop().create_future())
        self._waiting.append(question)
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._answer())
        return await question.answer

    async def _answer(self) -> None:
        """Asks for all who wait. Who comes while a query is under way is asked for by the next one, which sees more."""
        while self._waiting:
            asked, messages, rooms = list[_DeletionQuery](), set[str](), set[str]()
            while self._waiting and (not asked or len(messages) + len(rooms) < _TOGETHER):
                asked.append(self._waiting.pop(0))
                messages.update(asked[-1].messages)
                rooms.update(asked[-1].rooms)
            try:
                found = await self._ask(messages, rooms)
            except Exception as error:
                for question in asked:
                    if not question.answer.done():
                        question.answer.set_exception(error)
                continue
            for question in asked:
                if not question.answer.done():
                    question.answer.set_result(found)

    async def _ask(self, messages: Collection[str], rooms: Collection[str]) -> Deleted:
        bounds = (min(messages, default=""), max(messages, default=""))
        async with self._services.pool.acquire(timeout=5) as connection:
            rows = await connection.fetch(queries("deletions")["deleted"], list(messages), list(rooms), *bounds)
        return Deleted(
            {row["id"]: row["deleted"] for row in rows if row["kind"] == "message"},
            {row["id"] for row in rows if row["kind"] == "room"},
        )
