"""Questions that are asked together: what is asked while a round is under way goes into the next one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from infra.base import request_ids

Q = TypeVar("Q")
A = TypeVar("A")


class Rounds(Generic[Q, A]):
    """One round at a time. A question is never answered by a round that began before it."""

    def __init__(self, ask: Callable[[Sequence[Q]], Awaitable[Sequence[A]]], most: int = 1000) -> None:
        """``ask`` answers up to ``most`` different questions, in their order; what it raises, each of them raises."""
        self._ask = ask
        self._most = most
        self._waiting: dict[Q, asyncio.Future[A]] = {}
        self._task: asyncio.Task[None] | None = None

    async def __call__(self, question: Q) -> A:
        """The answer. Raises what ``ask`` does."""
        future = self._waiting.get(question)
        if future is None:
            future = self._waiting[question] = asyncio.get_running_loop().create_future()
        if self._task is None:
            self._task = asyncio.create_task(self._run(), context=request_ids.apart())
        # Others may wait for it too.
        return await asyncio.shield(future)

    async def stop(self) -> None:
        """Ends the round; who waits is cancelled."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        futures: list[asyncio.Future[A]] = []
        try:
            while self._waiting:
                questions = list(self._waiting)[: self._most]
                futures = [self._waiting.pop(question) for question in questions]
                try:
                    for future, answer in zip(futures, await self._ask(questions), strict=True):
                        future.set_result(answer)
                except Exception as error:
                    for future in futures:
                        if not future.done():
                            future.set_exception(error)
                            # Whoever asked may have gone.
                            future.exception()
        finally:
            for future in (*futures, *self._waiting.values()):
                future.cancel()
            self._waiting.clear()
            self._task = None
