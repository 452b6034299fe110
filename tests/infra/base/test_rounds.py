"""Questions that are asked together."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from infra.base.rounds import Rounds


class Asked:
    """What was asked, a list for each round; a round is answered when it is let go."""

    def __init__(self) -> None:
        self.rounds: list[list[str]] = []
        self.go = asyncio.Semaphore(0)
        self.error: Exception | None = None

    async def __call__(self, questions: Sequence[str]) -> list[str]:
        self.rounds.append(list(questions))
        number = len(self.rounds)
        await self.go.acquire()
        if self.error is not None:
            raise self.error
        return [f"{question}{number}" for question in questions]


async def turns(number: int = 5) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def test_what_comes_during_a_round_goes_into_the_next() -> None:
    asked = Asked()
    rounds: Rounds[str, str] = Rounds(asked)
    tasks = [asyncio.create_task(rounds("a"))]
    await turns()
    tasks += [asyncio.create_task(rounds(question)) for question in ("a", "b", "a")]
    await turns()
    assert asked.rounds == [["a"]]
    asked.go.release()
    await turns()
    # The second "a" is not answered by the round that began before it.
    assert asked.rounds == [["a"], ["a", "b"]]
    asked.go.release()
    assert await asyncio.gather(*tasks) == ["a1", "a2", "b2", "a2"]
    await rounds.stop()


async def test_a_round_has_a_bound() -> None:
    asked = Asked()
    rounds: Rounds[str, str] = Rounds(asked, 2)
    tasks = [asyncio.create_task(rounds(question)) for question in "abc"]
    await turns()
    asked.go.release()
    asked.go.release()
    assert await asyncio.gather(*tasks) == ["a1", "b1", "c2"] and asked.rounds == [["a", "b"], ["c"]]


async def test_an_error_is_everybodys_and_the_next_round_goes_on() -> None:
    asked = Asked()
    asked.error = OSError("away")
    rounds: Rounds[str, str] = Rounds(asked)
    tasks = [asyncio.create_task(rounds(question)) for question in "ab"]
    await turns()
    asked.go.release()
    assert [str(error) for error in await asyncio.gather(*tasks, return_exceptions=True)] == ["away", "away"]
    asked.error = None
    asked.go.release()
    assert await rounds("c") == "c2"


async def test_who_goes_away_takes_nobody_along() -> None:
    asked = Asked()
    rounds: Rounds[str, str] = Rounds(asked)
    first, second = (asyncio.create_task(rounds("a")) for _ in range(2))
    await turns()
    first.cancel()
    await turns()
    asked.go.release()
    assert await second == "a1" and first.cancelled()


async def test_the_end_is_everybodys() -> None:
    asked = Asked()
    rounds: Rounds[str, str] = Rounds(asked)
    under_way = asyncio.create_task(rounds("a"))
    await turns()
    waiting = asyncio.create_task(rounds("b"))
    await turns()
    await rounds.stop()
    for task in (under_way, waiting):
        with pytest.raises(asyncio.CancelledError):
            await task
