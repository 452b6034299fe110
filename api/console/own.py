"""What one process tells the console of itself: health, load and counts; to others over an internal route."""

from __future__ import annotations

import hmac
import os
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
import psutil
from prometheus_client import Histogram
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.samples import Sample
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api import health, problems
from api.health import Check
from api.metrics import REQUESTS
from api.problems import Problem
from events.clock import now
from infra.settings import Settings
from producers import metrics as producing
from producers.router import PROOF_HEADER, proof
from projectors import metrics as projecting
from push import metrics as pushing
from push.http import welcome

#: Path of the route through which processes tell one another of themselves; not for clients.
FIGURES_PATH = "/internal/figures"
#: Seconds that a part gets to answer; for another process less than it waits for all of this.
_PART_SECONDS, _PART_SECONDS_ELSEWHERE = 2.0, 0.4
#: Operations that are the console's own: they would show the one who looks.
_OURS = "console."

#: Which samples make which count.
_COUNTS: dict[str, tuple[MetricWrapperBase, str]] = {
    "commands": (producing.TURN_COMMANDS, "_sum"),
    "refused": (producing.REFUSED, "_total"),
    "repeated": (producing.REPEATED, "_total"),
    "deliveries": (pushing.DELIVERIES, "_total"),
    "applied": (projecting.EVENTS, "_total"),
    "restarts": (projecting.RESTARTS, "_total"),
}


class Own:
    """This process: its roles, its parts and its metrics."""

    def __init__(self, settings: Settings, roles: Iterable[str], checks: Mapping[str, Check]) -> None:
        self.address = settings.address
        self._settings = settings
        self._roles = sorted(roles)
        self._checks = checks
        self._started = now()
        self._process = psutil.Process(os.getpid())

    async def figures(self, seconds: float = _PART_SECONDS) -> dict[str, Any]:
        """What it knows now. Counts only grow, from its start on; ``cpu`` in seconds, ``memory`` in bytes."""
        return {
            "address": self.address,
            "roles": self._roles,
            "pid": self._process.pid,
            "started": self._started,
            "cpu": time.process_time(),
            "memory": self._process.memory_info().rss,
            "parts": await health.ask(self._checks, seconds),
            "counts": {name: _sum(metric, suffix) for name, (metric, suffix) in _COUNTS.items()},
            "requests": buckets(REQUESTS, lambda labels: not labels["operation"].startswith(_OURS)),
            "connections": {
                sample.labels["transport"]: int(sample.value) for sample in _samples(pushing.CONNECTIONS)
            },
            "lag": _lags(),
        }  # fmt: skip

    def route(self) -> Route:
        """The internal route; whoever asks proves that they know the installation's secret."""
        expected = proof(self._settings).encode()

        async def figures(request: Request) -> Response:
            if not hmac.compare_digest(request.headers.get(PROOF_HEADER, "").encode(), expected):
                return problems.response(Problem("forbidden", "expected a process of this installation"))
            welcome(request.scope)
            return Response(
                msgspec.json.encode(await self.figures(_PART_SECONDS_ELSEWHERE)), media_type="application/json"
            )

        return Route(FIGURES_PATH, figures, methods=["GET"], name="figures")


def _samples(metric: MetricWrapperBase) -> Iterable[Sample]:
    for family in metric.collect():
        yield from family.samples


def _sum(metric: MetricWrapperBase, suffix: str) -> float:
    return sum(sample.value for sample in _samples(metric) if sample.name.endswith(suffix))


def buckets(metric: Histogram, wanted: Callable[[dict[str, str]], bool]) -> dict[str, list[float]]:
    """A histogram's samples with wanted labels together: upper ``bounds`` in seconds (the last one, without bound, is
    left out), and how many were at or below each; the last of ``counts`` is all of them."""
    found: dict[float, float] = {}
    for sample in _samples(metric):
        if sample.name.endswith("_bucket") and wanted(sample.labels):
            bound = float(sample.labels["le"])
            found[bound] = found.get(bound, 0.0) + sample.value
    bounds = sorted(found)
    return {"bounds": bounds[:-1], "counts": [found[bound] for bound in bounds]}


def _lags() -> dict[str, dict[str, int]]:
    """Records to go by projector and shard, as far as this process works on them."""
    found: dict[str, dict[str, int]] = {}
    for sample in _samples(projecting.LAG):
        labels = sample.labels
        shards = found.setdefault(labels["projector"], {})
        shards[f"{labels['topic']}/{labels['partition']}"] = int(sample.value)
    return found
