"""The queue of passwords: a few at a time, in turn by lane, and full before it is long."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest
from argon2 import extract_parameters

from api.support import passwords
from api.support.passwords import LANE, WAITING, WORKERS, Passwords
from api.support.problems import Problem
from tests.running import until

#: What servers hash with: the other tests of the API take the cheapest.
REAL = passwords.PARAMETERS


class Gate(Passwords):
    """Hashes nothing: each work waits until it is let through, and notes its turn."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Semaphore(0)
        self.turns: list[str] = []

    async def ask(self, lane: str, name: str) -> str:
        def work() -> str:
            assert self.gate.acquire(timeout=30)
            self.turns.append(name)
            return name

        found: str = await self._run(lane, work)
        return found

    def let(self, count: int) -> None:
        self.gate.release(count)


@pytest.fixture
def queue() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.let(1000)
    gate.close()


async def refusals(tasks: list[asyncio.Task[str]]) -> list[Problem]:
    """The problems of those that ended with one; all must have ended."""
    found = await asyncio.gather(*tasks, return_exceptions=True)
    return [one for one in found if isinstance(one, Problem)]


async def begun(gate: Gate, *asked: tuple[str, str]) -> list[asyncio.Task[str]]:
    """Asked in this order, each before the next."""
    tasks = []
    for lane, name in asked:
        tasks.append(asyncio.create_task(gate.ask(lane, name)))
        await asyncio.sleep(0)
    return tasks


async def test_a_flood_from_one_lane_does_not_keep_another_waiting(queue: Gate) -> None:
    flood = await begun(queue, *(("flood", f"f{n}") for n in range(WORKERS + LANE)))
    (owner,) = await begun(queue, ("owner", "owner"))
    # Those under way, then one of each lane in turn: the owner's is the second that begins.
    queue.let(WORKERS + 2)
    assert await owner == "owner" and queue.turns.index("owner") <= WORKERS + 1
    queue.let(1000)
    assert await refusals(flood) == [] and len(queue.turns) == WORKERS + LANE + 1


async def test_a_lane_has_room_for_so_many(queue: Gate) -> None:
    tasks = await begun(queue, *(("flood", str(n)) for n in range(WORKERS + LANE + 5)))
    (other,) = await begun(queue, ("other", "other"))
    queue.let(1000)
    problems = await refusals(tasks)
    assert [one.code for one in problems] == ["overloaded"] * 5 and all(one.retry_after for one in problems)
    assert await other == "other"


async def test_when_all_is_full_the_longest_lane_makes_room(queue: Gate) -> None:
    first = await begun(queue, *(("a", f"a{n}") for n in range(WORKERS + LANE)))
    second = await begun(queue, *(("b", f"b{n}") for n in range(WAITING - LANE)))
    latecomers = await begun(queue, *((f"c{n}", f"c{n}") for n in range(20)))
    queue.let(1000)
    assert await refusals(latecomers) == []
    assert len(await refusals(first)) + len(await refusals(second)) == 20
    assert len(queue.turns) == WORKERS + WAITING


async def test_many_lanes_are_bounded_too(queue: Gate) -> None:
    tasks = await begun(queue, *((f"lane {n}", str(n)) for n in range(WORKERS + WAITING + 10)))
    queue.let(1000)
    assert len(await refusals(tasks)) == 10 and len(queue.turns) == WORKERS + WAITING


async def test_who_has_gone_is_not_hashed_for(queue: Gate) -> None:
    tasks = await begun(queue, *(("flood", str(n)) for n in range(WORKERS + 10)))
    for task in tasks[WORKERS : WORKERS + 9]:
        task.cancel()
    queue.let(1000)
    found = await asyncio.gather(*tasks, return_exceptions=True)
    # The order in which two threads note their turns is theirs.
    assert [one for one in found if isinstance(one, str)] == sorted(queue.turns, key=int)
    assert len(queue.turns) == WORKERS + 1


async def test_what_fails_is_told_and_the_next_has_its_turn() -> None:
    real = Passwords()
    try:

        def broken() -> str:
            raise ValueError("broken")

        with pytest.raises(ValueError, match="broken"):
            await real._run("lane", broken)
        hash = await real.hash("correct horse", "lane")
        assert await real.verify(hash, "correct horse", "lane")
        assert not await real.verify(hash, "another", "lane") and not await real.verify(None, "correct horse", "lane")
        assert not await real.verify("no hash", "correct horse", "lane")
    finally:
        real.close()


async def test_what_a_hash_is_made_with(monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 9106: argon2id of 64 MiB in 3 passes, with a salt of 16 bytes."""
    monkeypatch.setattr(passwords, "PARAMETERS", REAL)
    real = Passwords()
    try:
        first, second = await asyncio.gather(real.hash("correct horse", "a"), real.hash("correct horse", "b"))
    finally:
        real.close()
    assert first.startswith("$argon2id$v=19$m=65536,t=3,p=4$") and first != second
    assert extract_parameters(first).salt_len == 16


async def test_no_more_than_so_many_at_once(queue: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = await begun(queue, *((f"lane {n}", str(n)) for n in range(8)))
    assert queue._running == WORKERS == passwords.WORKERS

    async def ended() -> bool:
        assert queue._running <= WORKERS
        return all(task.done() for task in tasks)

    queue.let(8)
    await until(ended, "all have had their turn")
    assert sorted(queue.turns) == sorted(str(n) for n in range(8))
