"""The usage worker in processes of its own, which are killed. Tests ``projectors/workers/usage.py``,
``projectors/workers/usage_worker.py`` and ``projectors/workers/process.py``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from signal import SIGKILL, SIGTERM
from typing import Any

import aiohttp
import msgspec
import pytest

from infra.base.settings import Settings
from infra.embedded.ports import free_port
from infra.ops import operator_token
from projectors.usage import recount, storing
from projectors.usage.counting import TOPICS
from projectors.usage.storing import LogGap, UsageRecord
from projectors.workers.usage_worker import UsageWorker
from tests.client import visiting
from tests.given import Given, given
from tests.projectors.usage.stories import expected, stored, story, tell
from tests.running import until
from tests.servers import Process, process, serving

pytest.importorskip("faust", reason="Faust has no build for this platform")


@asynccontextmanager
async def worker(settings: Settings, folder: Path) -> AsyncIterator[Process]:
    """The worker's process, started."""
    own = msgspec.structs.replace(settings, port=free_port(), api=f"http://{settings.address}")
    async with process(own, frozenset({"usage"}), folder / f"usage-{own.port}.log") as running:
        yield running


async def _level(writer: Given, seconds: float = 60) -> None:
    """Until all that was appended has been counted."""
    ends = {shard: end for shard, end in writer.ends.items() if shard.topic in TOPICS}

    async def level() -> bool:
        places = await storing.places(writer.connection)
        return all(shard in places and places[shard].offset >= end for shard, end in ends.items())

    await until(level, "all is counted", seconds)


async def _parts(running: Process) -> dict[str, Any]:
    async with aiohttp.ClientSession() as http, http.get(f"{running.url}/readyz") as answer:
        found: dict[str, Any] = (await answer.json())["parts"]
        return found


async def test_each_event_counts_once_when_workers_are_killed_and_come_again(
    settings: Settings, tmp_path: Path
) -> None:
    random = Random(11)
    told = story(random, 400)
    async with given(settings) as writer:
        # Some of it is there before there was a worker: it is counted from the log's beginning.
        await tell(writer, told[:150])
        async with worker(settings, tmp_path) as first:
            await _level(writer)
            assert await stored(writer.connection) == expected(told[:150])
            async with worker(settings, tmp_path) as second:
                # The second takes some of the partitions, while records come in.
                await tell(writer, told[150:250])
                await second.ready()
                await first.end(SIGKILL)
                await tell(writer, told[250:350])
                # What the dead one had is the other's after its session has run out, 10 s.
                await _level(writer)
                assert (await recount.verify(settings)).equal
        await tell(writer, told[350:])
        async with worker(settings, tmp_path) as third:
            await _level(writer)
            assert await stored(writer.connection) == expected(told)
            await third.ready()

            async def committed() -> bool:
                parts = await _parts(third)
                mine, lag = parts["usage_faust"]["assigned"], parts["usage_progress"]["lag"]
                return bool(mine == 3 * settings.partitions and lag == 0)

            # Until the sessions of those that were killed have run out, a rebalance may leave it without partitions.
            await until(committed, "it has all partitions, and Faust has committed", 60)
            await third.end(SIGTERM)
        assert (await recount.verify(settings)).equal
        assert await recount.rebuild(settings) == len(told)
        assert await stored(writer.connection) == expected(told)


async def test_what_is_counted_is_the_truth_and_not_what_faust_has_committed(
    settings: Settings, tmp_path: Path
) -> None:
    told = story(Random(5), 80)
    async with given(settings) as writer:
        await tell(writer, told)
        async with worker(settings, tmp_path) as first:
            await _level(writer)

            async def committed() -> bool:
                return bool((await _parts(first))["usage_progress"]["lag"] == 0)

            await first.ready()
            await until(committed, "Faust has committed", 60)
            await first.end(SIGTERM)
        # As a backup of Postgres from before there was usage.
        await writer.connection.execute("truncate usage_metrics, usage_actors, usage_positions")
        async with worker(settings, tmp_path):
            await _level(writer)
        assert await stored(writer.connection) == expected(told)


async def test_both_workers_share_a_process(settings: Settings, tmp_path: Path) -> None:
    own = msgspec.structs.replace(settings, port=free_port())
    async with serving(own) as url, visiting(url) as world:
        ada = await world.person("ada")
        await ada.say(await ada.group(), "What a wonderful, happy day! I love it")
        both = msgspec.structs.replace(settings, port=free_port(), api=url)
        async with process(both, frozenset({"analytics", "usage"}), tmp_path / "both.log") as running:
            await running.ready()
            parts = await _parts(running)
            assert {"faust", "account", "progress", "usage_faust", "usage_tables", "usage_progress"} == parts.keys()

            async def done() -> bool:
                async with aiohttp.ClientSession() as http, http.get(f"{running.url}/metrics") as answer:
                    told = await answer.text()
                found = await world.call("usage.query", {"app": "default"}, token=operator_token.token(own))
                emotion = 'klatsch_emotions_records_total{outcome="set"} 1.0' in told
                return emotion and found["totals"]["messages"] == 1

            await until(done, "an emotion is set, and the message counted", 60)
            await running.end(SIGTERM)
        assert "Traceback" not in (tmp_path / "both.log").read_text()


async def test_a_postgres_that_is_away_is_waited_for(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    async with given(settings) as writer:
        found = UsageWorker(settings)
        await found.start()
        waited, real = list[str](), storing.count

        async def broken(connection: Any, records: Any) -> None:
            waited.append(found.waits)
            if len(waited) < 3:
                raise ConnectionResetError("away")
            await real(connection, records)

        monkeypatch.setattr(storing, "count", broken)
        shard = writer.shard("rooms", "r")
        await found.count([UsageRecord(shard, 0, [("opened", b"log.opened")], b"")])
        assert [*waited, found.waits] == ["", "Postgres", "Postgres", ""]
        with pytest.raises(LogGap):
            await found.count([UsageRecord(shard, 9, [], b"")])
        assert isinstance(found.failure, LogGap), "the process ends for it"
        await found.stop()
