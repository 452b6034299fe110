"""Whether a Faust worker gets on, and when it has to be started again."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection
from math import nan
from typing import Any, ClassVar, Protocol

from prometheus_client import Gauge

from events.core.errors import KlatschError

log = logging.getLogger(__name__)

EMOTIONS_LAG = Gauge("klatsch_emotions_lag_records", "Records between the committed offset and the partition's end.")
USAGE_LAG = Gauge("klatsch_usage_lag_records", "Records between what has been counted and committed, and the ends.")
# A process has both, also where it runs one of the workers: what it knows nothing of is no number, and not 0.
EMOTIONS_LAG.set(nan)
USAGE_LAG.set(nan)
#: Seconds for which the committed offsets may stand still while there is something to read; Faust commits every 2.8 s,
#: and one request may wait for the API for 300 s. After that the consumer counts as stuck: it is started again, and
#: reads again what was not committed.
STUCK_SECONDS = 400.0
#: Seconds for which Faust may be on its way to its partitions, from the start or in a rebalance, until each has
#: answered a fetch: a group waits 60 s for its members, a look for the committed offsets 30 s. Faust leaves partitions
#: paused where two rebalances meet (its ``tables/recovery.py``: "rebalance again"), and then nothing ever moves.
SETTLE_SECONDS = 120.0
#: The same before it is called stalled: a wait for the API that is longer than a restart of it.
STALLED_SECONDS = 60.0
_LOOK_SECONDS = 1.0


class Stuck(KlatschError):
    """The worker does not get on; whoever runs it starts it again, as consumers recover by nothing else."""


class Work(Protocol):
    """What a worker does with what Faust brings, as far as its health goes."""

    #: What it needs before Faust starts, as ``/readyz`` calls it.
    needs: ClassVar[str]
    #: What it waits for, and goes on by itself when that is there; empty: nothing.
    waits: str
    #: What ended it; the process ends for that.
    failure: Exception | None

    @property
    def prepared(self) -> bool:
        """Whether what it needs is there."""
        ...


class Health:
    """Whether the worker gets on: the only sign of it is that committed offsets move while there is something to read.

    An agent that has died leaves a process that looks alive, and so does a consumer that never got its partitions.
    """

    def __init__(
        self,
        app: Any,
        worker: Work,
        topics: Collection[str],
        partitions: int,
        clock: Callable[[], float] = time.monotonic,
        *,
        gauge: Gauge,
        prefix: str = "",
    ) -> None:
        """``partitions`` of all ``topics`` together; ``prefix``: before the names of its parts in ``/readyz``."""
        self._app = app
        self._worker = worker
        self._topics = topics
        self._partitions = partitions
        self._gauge = gauge
        self._prefix = prefix
        self._committed: dict[Any, int] = {}
        self._clock = clock
        self._moved = self._settled = clock()
        #: Records between the committed offsets and the ends; None while no fetch has told where a partition ends.
        self.lag: int | None = None
        self.assigned = 0

    async def watch(self) -> None:
        """Looks every second; raises Stuck, or the reason for which Faust has crashed."""
        while True:
            self.check()
            await asyncio.sleep(_LOOK_SECONDS)

    def check(self) -> None:
        """One look. Raises as ``watch``."""
        if self._app.crashed:
            raise self._app.crash_reason or Stuck("Faust has crashed and does not say why")
        if self._worker.failure is not None:
            raise self._worker.failure
        if not (self._app.started or self._worker.prepared):
            # What it needs is waited for, and Faust starts after that.
            self._moved = self._settled = self._clock()
            return
        if self._worker.waits:
            # To start it again makes no room.
            self._moved = self._clock()
        if self._app.started and self._app.consumer is not None:
            self._look()
        if self.settled:
            self._settled = self._clock()
        elif self._clock() - self._settled > SETTLE_SECONDS:
            raise Stuck(
                f"expected Faust to have its partitions, and an answer from each, within {SETTLE_SECONDS:.0f} s; it "
                f"has {self.assigned} of {self._partitions} partitions after {self._app.rebalancing_count} rebalances"
                f"{', one of which goes on' if self._app.rebalancing else ''}"
            )
        if self._clock() - self._moved > STUCK_SECONDS:
            raise Stuck(
                f"expected the committed offsets to move, they have stood for {STUCK_SECONDS:.0f} s "
                f"with {'an unknown number of' if self.lag is None else self.lag} records to read"
            )

    @property
    def settled(self) -> bool:
        """Whether the group has given out its partitions, and all that are read here have told where they end."""
        app = self._app
        return bool(app.started and app.rebalancing_count and not app.rebalancing) and self.lag is not None

    def _look(self) -> None:
        consumer = self._app.consumer
        try:
            mine = [tp for tp in consumer.assignment() if tp.topic in self._topics]
        except Exception as error:
            # Between two assignments Faust has no consumer to ask.
            log.debug("no assignment: %r", error)
            mine = []
        committed = {tp: consumer._committed_offset[tp] or 0 for tp in mine}
        ends = {tp: consumer.highwater(tp) for tp in mine}
        self.assigned = len(mine)
        self.lag = None
        if None not in ends.values():
            self.lag = sum(max(0, ends[tp] - offset) for tp, offset in committed.items())
        self._gauge.set(nan if self.lag is None else self.lag)
        if committed != self._committed or self.lag == 0:
            self._committed, self._moved = committed, self._clock()

    @property
    def waits(self) -> str:
        """What is lacking before anything gets on; empty: nothing."""
        return self._worker.waits

    def report(self) -> tuple[bool, dict[str, Any]]:
        """Readiness, and what it rests on. Several workers share the partitions, so one may have none."""
        parts: dict[str, dict[str, Any]] = {
            "faust": {"ok": bool(self._app.started and not self._app.crashed), "assigned": self.assigned},
            self._worker.needs: {"ok": self._worker.prepared},
            "progress": self._progress(),
        }
        if self._worker.waits:
            waiting = "progress" if self._worker.prepared else self._worker.needs
            parts[waiting] = {**parts[waiting], "ok": False, "state": f"waits for {self._worker.waits}"}
        shown = {f"{self._prefix}{name}": part for name, part in parts.items()}
        return all(part["ok"] for part in parts.values()), {"parts": shown}

    def _progress(self) -> dict[str, Any]:
        still = self._clock() - self._moved
        found: dict[str, Any] = {"ok": still < STALLED_SECONDS, "lag": self.lag, "seconds_since_moved": round(still, 1)}
        if not found["ok"]:
            left = "an unknown number of" if self.lag is None else self.lag
            found["state"] = f"no progress for {still:.0f} s with {left} records to read; see its log"
        return found
