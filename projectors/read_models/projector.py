"""The read models: the fold of the log in Postgres, each turn with its positions in one transaction."""

from __future__ import annotations

import time
from contextlib import AsyncExitStack
from typing import Any, ClassVar

from events.core.positions import Shard
from infra.base import kafka, postgres
from infra.base.handover import Handover
from infra.base.progress import READ_MODELS
from infra.base.settings import Settings
from projectors.core import metrics, parking
from projectors.core.locks import Locks
from projectors.core.pace import Pace
from projectors.core.passing import erased_among, note, sift
from projectors.core.runner import CLAIM_SECONDS, SESSION, Projector, close
from projectors.core.source import Batch, ResumeAt, Source, places_of
from projectors.read_models import applying
from projectors.read_models.invalidations import Invalidations
from projectors.read_models.messages import Partitions

#: Seconds between small turns: each costs 2.5 ms of CPU here and in Postgres, besides its events. Nobody's delta waits
#: for it, only callers that ask for a position that was just written.
PACE_SECONDS = 0.02
#: Session settings. Every statement of a turn finds its rows by key, however long the arrays are, so a new plan each
#: time buys nothing (a fifth of the server's CPU in small turns). But a plan that is kept must not be one that was made
#: while the tables were empty, and reads them from end to end: look-ups only.
LOOKUPS = {"plan_cache_mode": "auto", "enable_seqscan": "off", "enable_hashjoin": "off", "enable_mergejoin": "off"}
#: Once a position is told, owners of shards forget what the rows have: commands' keys too. A server that loses a commit
#: it has acknowledged would make a repeated command a new one, so none may be lost, however the server is set up.
DURABLE = {"synchronous_commit": "on"}


def event_shards(settings: Settings, topics: tuple[str, ...] = kafka.EVENT_TOPICS) -> list[Shard]:
    """All shards of these event topics."""
    return [Shard(topic, partition) for topic in topics for partition in range(settings.partitions)]


class ReadModels(Projector):
    """Works on every shard whose lock it gets; another instance stands by and takes over when this one is gone.

    A turn: move the positions if they are where the batch began, load the entities that the batch names, fold, store
    them with their changes, and tell listeners. An event that cannot be applied parks its stream (``parking.py``).
    """

    name: ClassVar[str] = READ_MODELS
    effects: ClassVar[str] = ""

    def __init__(self, settings: Settings, handover: Handover | None = None) -> None:
        """``handover``: where this process tells of the events that it appends."""
        super().__init__(settings)
        self._handover = handover
        self._source: Source | None = None
        self._places: dict[Shard, ResumeAt] = {}
        self._parked: set[str] = set()
        self._pace = Pace(PACE_SECONDS)
        #: What operators have passed over. It was parked before, so nothing here comes to it but a fold from the start.
        self._skipped: set[tuple[Shard, int]] = set()

    def lag(self) -> dict[Shard, int]:
        return {} if self._source is None else self._source.lag()

    def health(self) -> dict[str, Any]:
        """As of every projector; not healthy while commands are refused because the rows are too far behind."""
        found, most = super().health(), self.settings.shard_lag
        behind = [f"{shard} by {lag}" for shard, lag in found["lag"].items() if lag > most]
        if found["healthy"] and behind:
            found.update(
                healthy=False, state="behind", error=f"expected at most {most} events to go, got {', '.join(behind)}"
            )
        return found

    async def session(self) -> None:
        async with AsyncExitStack() as stack:
            # The locks live and die with this connection.
            connection = await postgres.connect(self.settings, **{**SESSION, **LOOKUPS, **DURABLE})
            stack.push_async_callback(close, connection)
            await postgres.share(connection, self.settings)
            source = self._source = Source(self.settings, self.name, self._handover)
            stack.push_async_callback(source.stop)
            shards = event_shards(self.settings)
            await connection.execute(
                postgres.queries("projectors")["init_positions"],
                self.name, [s.topic for s in shards], [s.partition for s in shards],
            )  # fmt: skip
            # At the start, so that the month's end finds the next one there.
            partitions = Partitions(connection, self.settings)
            await partitions.ensure(())
            locks = Locks(connection, f"{self.settings.schema}/{self.name}", shards)
            await self._work(connection, source, locks, partitions)

    async def _work(
        self, connection: postgres.Connection, source: Source, locks: Locks[Shard], partitions: Partitions
    ) -> None:
        claim_at = 0.0
        while not self.stopping:
            if not locks.complete and time.monotonic() >= claim_at:
                if await locks.claim():
                    await self._resume(connection, source, locks)
                claim_at = time.monotonic() + CLAIM_SECONDS
            if not locks.held:
                self.working("standby")
                await self.pause(CLAIM_SECONDS)
                continue
            self.working()
            rested = await self.rest(self._pace)
            batch = await source.take()
            if rested and batch.entries:
                batch = await source.top_up(batch)
            if connection.is_closed():
                raise ConnectionError("the connection to Postgres is closed, and the locks with it")
            await partitions.ensure([entry.record for entry in batch.entries if entry.record is not None])
            if batch.places:
                try:
                    await self._turn(connection, batch)
                except applying.PositionConflict:
                    await self._resume(connection, source, locks)

    async def _resume(self, connection: postgres.Connection, source: Source, locks: Locks[Shard]) -> None:
        """Go on from where the rows are, on the shards whose locks are held."""
        rows = await connection.fetch(postgres.queries("projectors")["read_positions"], self.name)
        stored = places_of(rows)
        self._places = {shard: stored[shard] for shard in sorted(locks.held)}
        self._parked = await parking.parked_streams(connection, self.name)
        self._skipped = await parking.skipped_events(connection, self.name)
        await source.start(self._places)

    async def _turn(self, connection: postgres.Connection, batch: Batch) -> None:
        started = time.perf_counter()
        self._pace.turn(time.monotonic(), len(batch.entries))
        # Nothing to park, most likely: then the turn as a whole takes the place of savepoints within it.
        whole = not self._parked and all(entry.error is None or entry.unknown for entry in batch.entries)
        try:
            await self._apply(connection, batch, whole)
        except applying.DATA_ERRORS:
            if not whole:
                raise
            await self._apply(connection, batch, False)
        self._places.update(batch.places)
        metrics.APPLY.labels(self.name).observe(time.perf_counter() - started)
        metrics.BATCH.labels(self.name).observe(len(batch.entries))
        metrics.EVENTS.labels(self.name).inc(len(batch.entries))

    async def _apply(self, connection: postgres.Connection, batch: Batch, whole: bool) -> None:
        async with connection.transaction():
            await applying.move(connection, self._places, batch.places)
            if self._parked:
                # A redrive may have cleared some; it waits for the positions' locks, as this turn has.
                self._parked = await parking.parked_streams(connection, self.name)
            before = set(self._parked)
            invalidations = Invalidations()
            entries = [entry for entry in batch.entries if (entry.shard, entry.offset) not in self._skipped]
            # After the move: what removes an erased application's rows has waited for this turn, or this one sees it.
            if erased := await erased_among(connection, entries):
                entries, passed = sift(entries, erased)
                await note(connection, passed)
            applied = await applying.apply(connection, entries, self._parked, invalidations, whole=whole)
            vector = {shard: place.offset for shard, place in batch.places.items()}
            await applying.announce(connection, self.settings, vector, applied, self._parked - before, invalidations)
