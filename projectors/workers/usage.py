"""The usage worker as a Faust app: one agent over the topics that are counted, from where Postgres says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from events.core.positions import Shard
from infra.base import installation
from infra.base.settings import Settings
from projectors.usage.counting import TOPICS
from projectors.usage.storing import UsageRecord
from projectors.workers.faust_batches import BATCHES, faust_app, raw_topic
from projectors.workers.health import USAGE_LAG, Health
from projectors.workers.part import WorkerPart
from projectors.workers.usage_worker import UsageWorker

#: Seconds for which batches may wait for each other: what comes within is one transaction, and one upsert a window.
WITHIN_SECONDS = 0.5
#: Records that are counted in one transaction; others are served in between, as counting 1,000 takes some 5 ms.
TOGETHER = 2000


def part(settings: Settings) -> WorkerPart:
    """The usage worker, not started."""
    worker = UsageWorker(settings)
    app = _app(settings, worker)
    topics = {settings.topic(topic) for topic in TOPICS}
    health = Health(app, worker, topics, len(topics) * settings.partitions, gauge=USAGE_LAG, prefix="usage_")

    async def start() -> None:
        # It may be the first of the installation: topics and tables are made by whoever comes first.
        await installation.prepare(settings)
        await worker.start()
        await app.start()

    return WorkerPart("usage", app, health, start, worker.stop)


def _app(settings: Settings, worker: UsageWorker) -> Any:
    logical = {settings.topic(topic): topic for topic in TOPICS}

    async def seek_to_committed(self: Any) -> Mapping[Any, int]:
        """Where Faust goes on with new partitions: what is counted is the truth, not what it has committed."""
        places = await worker.places()
        found = {tp: places[logical[tp.topic], tp.partition] for tp in self.assignment() if tp.topic in logical}
        if found:
            await self.seek_wait(found)
        return found

    app = faust_app(settings, "usage", seek_to_committed=seek_to_committed)

    async def count(stream: Any) -> None:
        async for events in stream.take_events(BATCHES, within=WITHIN_SECONDS):
            records = [_record(logical, raw) for event in events for raw in event.message.value]
            for start in range(0, len(records), TOGETHER):
                await worker.count(records[start : start + TOGETHER])

    app.agent(raw_topic(app, *logical), name="usage")(count)
    return app


def _record(logical: Mapping[str, str], raw: Any) -> UsageRecord:
    shard = Shard(logical[raw.topic], raw.partition)
    return UsageRecord(shard, raw.offset, raw.headers or (), raw.value or b"")
