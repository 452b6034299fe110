"""Usage is replaced while a worker waits. Tests ``projectors/usage/recount.py`` and ``projectors/usage/storing.py``."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from infra.base import postgres
from infra.base.settings import Settings
from projectors.usage import recount, storing
from tests.given import given
from tests.projectors.usage.stories import expected, logged, stored, story, tell
from tests.running import until


@pytest.mark.parametrize("again", [False, True], ids=["goes on", "reads all again"])
async def test_who_waits_for_a_rebuild_goes_on_from_the_places_that_it_leaves(settings: Settings, again: bool) -> None:
    async with (
        given(settings) as writer,
        postgres.connected(settings) as holder,
        postgres.connected(settings) as worker,
    ):

        async def waiting(number: int) -> None:
            count = "select count(*) = $1 from pg_locks where not granted"
            await until(lambda: writer.connection.fetchval(count, number), f"{number} wait for a lock")

        await tell(writer, told := story(Random(1), 60))
        before = await logged(settings)
        await storing.init(worker, storing.shards(settings))
        await storing.count(worker, [one for piece in before.values() for one in piece])
        await tell(writer, more := story(Random(2), 40))
        async with holder.transaction():
            # All wait at the first place of the worker's, so the rebuild, which comes first, goes first.
            await storing.lock(holder, [min(shard for shard, piece in before.items() if piece)])
            rebuild = asyncio.create_task(recount.rebuild(settings))
            await waiting(1)
            # The rebuild does not know of these.
            await tell(writer, last := story(Random(3), 40))
            records = [
                one for shard, piece in (await logged(settings)).items()
                for one in piece[0 if again else len(before[shard]):]
            ]  # fmt: skip
            count = asyncio.create_task(storing.count(worker, records))
            await waiting(2)
        assert await rebuild == len(told + more)
        await count
        assert await stored(writer.connection) == expected(told + more + last)
        assert (await recount.verify(settings)).equal
