"""The emotion worker as a Faust app: one agent over the rooms' topic."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from itertools import chain, islice
from typing import Any

from infra.base.settings import Settings
from projectors.workers.emotion_worker import GivenUp, KafkaRecord, Worker
from projectors.workers.faust_batches import BATCHES, faust_app, raw_topic
from projectors.workers.health import EMOTIONS_LAG, Health
from projectors.workers.part import WorkerPart

log = logging.getLogger(__name__)

#: Seconds for which batches may wait for each other, as often as a worker looks that has nothing to do.
WITHIN_SECONDS = 0.1
#: Records that are dealt with at once, others are served in between: as many as emotions that one request sets.
TOGETHER = 100
_PAUSE_SECONDS = 1.0


def part(settings: Settings, api: str, operator_token: Callable[[], str]) -> WorkerPart:
    """The emotion worker, not started. ``api``: base URL."""
    worker = Worker(api, operator_token)
    app = _app(settings, worker)
    health = Health(app, worker, {settings.topic("rooms")}, settings.partitions, gauge=EMOTIONS_LAG)

    async def start() -> None:
        await worker.start()
        # The account first: without it nothing can be set, and no record is read in vain.
        while not worker.prepared:
            try:
                await worker.account()
            except GivenUp as error:
                log.warning("%s; trying again", error)
                await asyncio.sleep(_PAUSE_SECONDS)
        await app.start()

    return WorkerPart("analytics", app, health, start, worker.stop)


def _app(settings: Settings, worker: Worker) -> Any:
    app = faust_app(settings, "emotions")

    async def detect(stream: Any) -> None:
        async for events in stream.take_events(BATCHES, within=WITHIN_SECONDS):
            found = chain.from_iterable(event.message.value for event in events)
            records = (KafkaRecord(r.partition, r.offset, r.headers or (), r.value or b"") for r in found)
            while some := list(islice(records, TOGETHER)):
                await worker.together(some)

    app.agent(raw_topic(app, settings.topic("rooms")), name="emotions")(detect)

    async def revoked(sender: Any, partitions: Any, **rest: Any) -> None:
        worker.forget([tp.partition for tp in partitions])

    signal_: Any = app.on_partitions_revoked
    signal_.connect(revoked)
    return app
