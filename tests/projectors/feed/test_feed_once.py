"""Each delta once to each recipient: across lost acknowledgements, kills, take-overs and two owners at once.
Tests ``projectors/feed/projector.py`` and ``projectors/feed/readback.py``."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence

import pytest

from infra.base.settings import Settings
from producers.engine.log import OutcomeUnknown
from projectors.audience import recipients
from projectors.core.locks import Locks
from projectors.feed import partition_writer
from projectors.feed import projector as feed_module
from projectors.feed.partition_writer import FeedWriter
from projectors.feed.projector import FeedProjector
from projectors.read_models.projector import ReadModels
from tests.given import Given, given
from tests.projectors.hearing import Heard, feed, producing, texts, until_heard, writers
from tests.projectors.scenes import created, joined, posted
from tests.running import running, until

#: Ten in each of four rooms, so that every feed partition and both shards take part.
ROOMS = [f"room{n}" for n in range(4)]
PEOPLE = [f"person{n}" for n in range(10)]
SCENE = [
    fact for room in ROOMS for fact in (created(room, PEOPLE[0]), *(joined(room, person) for person in PEOPLE))
]  # fmt: skip
#: Losses and kills that a test makes.
LOSSES = 6
KILLS = 6


class Unsure:
    """A real writer whose request, or whose answer, is now and then lost: every ``every``-th, up to ``LOSSES``."""

    def __init__(self, writer: FeedWriter, every: int, lost: list[str]) -> None:
        self._writer, self._every, self._lost, self._count = writer, every, lost, 0

    @property
    def term(self) -> int:
        return self._writer.term

    @property
    def next_offset(self) -> int:
        return self._writer.next_offset

    async def open(self) -> int:
        return await self._writer.open()

    async def append(self, records: Sequence[tuple[bytes, bytes]]) -> int:
        self._count += 1
        losing = self._count % self._every == 0 and len(self._lost) < LOSSES
        if losing:
            self._lost.append("request" if len(self._lost) % 2 else "answer")
            if self._lost[-1] == "request":
                raise OutcomeUnknown("the request is lost")
        offset = await self._writer.append(records)
        if losing:
            raise OutcomeUnknown("the answer is lost")
        return offset


async def _round(writer: Given, seq: int) -> None:
    await writer.events(*(posted(room, PEOPLE[0], seq, f"{room} {seq}") for room in ROOMS))


async def _all_heard(settings: Settings, rounds: int) -> list[Heard]:
    heard: list[Heard] = []
    for room in ROOMS:
        for person in PEOPLE:
            if not heard or f"{room} {rounds}" not in texts(heard, person):
                heard = await until_heard(settings, person, f"{room} {rounds}")
    return heard


def _each_once_in_order(heard: list[Heard], rounds: int) -> None:
    twice = [key for key, count in Counter((one.user, one.position) for one in heard).items() if count > 1]
    assert twice == []
    for person in PEOPLE:
        for room in ROOMS:
            mine = [text for text in texts(heard, person) if text.startswith(f"{room} ")]
            assert mine == [f"{room} {seq}" for seq in range(1, rounds + 1)]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checkpoints now and then in the middle of the test, not only at its end."""
    monkeypatch.setattr(feed_module, "CHECKPOINT_SECONDS", 0.05)


async def _with_losses(settings: Settings, every: int) -> None:
    lost, rounds = list[str](), 0
    async with producing(settings) as producer, given(settings, *SCENE) as writer:
        real = writers(settings, producer)
        projector = FeedProjector(settings, lambda partition: Unsure(real(partition), every, lost))

        async def enough() -> bool:
            nonlocal rounds
            rounds += 1
            await _round(writer, rounds)
            return len(lost) == LOSSES

        async with running(ReadModels(settings), projector):
            await until(enough, f"{LOSSES} losses")
            _each_once_in_order(await _all_heard(settings, rounds), rounds)
    assert "answer" in lost and "request" in lost


async def test_lost_answers_and_requests(settings: Settings, quick: None) -> None:
    await _with_losses(settings, every=5)


async def test_losses_in_the_middle_of_one_event(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    # Records of one item and lists of two: every event takes several records.
    monkeypatch.setattr(partition_writer, "ITEMS", 1)
    monkeypatch.setattr(recipients, "CHUNK", 2)
    await _with_losses(settings, every=31)


async def test_kills_in_the_middle(settings: Settings, quick: None) -> None:
    chance, rounds = random.Random(3), 0
    async with given(settings, *SCENE) as writer, running(ReadModels(settings)):
        for _ in range(KILLS):
            # Another process, as far as Kafka and Postgres can tell: own producer, own connections.
            async with producing(settings) as producer:
                killed = asyncio.create_task(feed(settings, producer).run())
                deadline = time.monotonic() + 0.1 + chance.random() / 2
                while time.monotonic() < deadline:
                    rounds += 1
                    await _round(writer, rounds)
                killed.cancel()
                await asyncio.wait([killed])
        async with producing(settings) as producer, running(feed(settings, producer)):
            _each_once_in_order(await _all_heard(settings, rounds), rounds)


async def test_two_owners_at_once(settings: Settings, quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    class Unlocked(Locks[int]):
        async def claim(self) -> set[int]:
            new, self._free = set(self._free.values()), {}
            self.held |= new
            return new

    monkeypatch.setattr(feed_module, "Locks", Unlocked)
    async with (
        producing(settings) as one,
        producing(settings) as other,
        given(settings, *SCENE) as writer,
        running(ReadModels(settings)),
    ):
        async with running(feed(settings, one), feed(settings, other)):
            for seq in range(1, 301):
                await _round(writer, seq)
        # While they take the partitions from each other neither need get far; alone, one does.
        async with running(feed(settings, one)):
            _each_once_in_order(await _all_heard(settings, 300), 300)


async def test_another_takes_over(settings: Settings) -> None:
    async with producing(settings) as one, producing(settings) as other, given(settings, *SCENE) as writer:
        first, second = feed(settings, one), feed(settings, other)
        async with running(ReadModels(settings), first):
            await writer.events(posted(ROOMS[0], PEOPLE[0], 1, "one"))
            await until_heard(settings, PEOPLE[1], "one")
            async with running(second):

                async def standing_by() -> bool:
                    return bool(second.health()["state"] == "standby")

                await until(standing_by, "the second stands by")
                await first.stop()
                await writer.events(posted(ROOMS[0], PEOPLE[0], 2, "two"))
                heard = await until_heard(settings, PEOPLE[1], "two")
    assert texts(heard, PEOPLE[1]) == ["one", "two"]
