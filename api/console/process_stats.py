"""What one process tells the console of itself: health, load and counts; to others over an internal route."""

from __future__ import annotations

import hmac
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

import msgspec
from prometheus_client import Histogram
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.samples import Sample
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from api.console.history import Point, Points
from api.support import health, problems
from api.support.health import Check
from api.support.metrics import REQUESTS
from api.support.problems import Problem
from events.core.clock import now
from infra.base.reporting import REPORT_PATH, ProcessReport
from infra.base.settings import Settings
from producers import metrics as producing
from producers.engine.router import PROOF_HEADER, proof
from projectors.core import metrics as projecting
from push import metrics as pushing
from push.transports.http import welcome

#: Path of the route through which processes tell one another of themselves; not for clients.
FIGURES_PATH = "/internal/figures"
#: Path of the one where they get the points that others keep.
HISTORY_PATH = "/internal/history"
#: Seconds that a part gets to answer; for another process less than it waits for all of this.
_PART_SECONDS, _PART_SECONDS_ELSEWHERE = 2.0, 0.4
#: Processes whose reports are kept, and for how many seconds after the last one.
_REPORTED, _REPORTED_SECONDS = 100, 120.0
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

_Endpoint = Callable[[Request], Awaitable[Response]]
_decode_points = msgspec.json.Decoder(list[Point]).decode


class _Report(msgspec.Struct):
    """What a report must have; the rest is shown as it is."""

    address: str
    roles: list[str]
    parts: dict[str, dict[str, Any]]


def _decode_report(body: bytes) -> dict[str, Any]:
    """Raises msgspec.DecodeError."""
    msgspec.json.decode(body, type=_Report)
    return msgspec.json.decode(body, type=dict[str, Any])


class ProcessStats:
    """This process: its roles, its parts and its metrics."""

    def __init__(self, settings: Settings, roles: Iterable[str], checks: Mapping[str, Check]) -> None:
        self.address = settings.address
        #: What the installation did lately: kept by every process, so that one that starts has it from another.
        self.points = Points()
        self.reported = Reported()
        self._settings = settings
        self._checks = checks
        self._process = ProcessReport(settings, sorted(roles), now())

    async def figures(self, seconds: float = _PART_SECONDS) -> dict[str, Any]:
        """What it knows now. Counts only grow, from its start on; ``cpu`` in seconds, ``memory`` in bytes."""
        return {
            **self._process.figures(),
            "parts": await health.ask(self._checks, seconds),
            "counts": {name: _sum(metric, suffix) for name, (metric, suffix) in _COUNTS.items()},
            "requests": buckets(REQUESTS, lambda labels: not labels["operation"].startswith(_OURS)),
            "connections": {
                sample.labels["transport"]: int(sample.value) for sample in _samples(pushing.CONNECTIONS)
            },
            "lag": _lags(),
        }  # fmt: skip

    def routes(self) -> list[BaseRoute]:
        """The internal routes; whoever asks proves that they know the installation's secret."""

        async def figures(request: Request) -> Response:
            found = {**await self.figures(_PART_SECONDS_ELSEWHERE), "reports": self.reported.all()}
            return Response(msgspec.json.encode(found), media_type="application/json")

        async def history(request: Request) -> Response:
            if request.method == "POST":
                self.points.add(_decode_points(await request.body()))
                return Response(status_code=204)
            return Response(msgspec.json.encode(self.points.all()), media_type="application/json")

        async def report(request: Request) -> Response:
            self.reported.take(_decode_report(await request.body()), 0.0)
            return Response(status_code=204)

        return [
            Route(FIGURES_PATH, self._proven(figures), methods=["GET"], name="figures"),
            Route(HISTORY_PATH, self._proven(history), methods=["GET", "POST"], name="history"),
            Route(REPORT_PATH, self._proven(report), methods=["POST"], name="report"),
        ]

    def _proven(self, endpoint: _Endpoint) -> _Endpoint:
        expected = proof(self._settings).encode()

        async def judged(request: Request) -> Response:
            if not hmac.compare_digest(request.headers.get(PROOF_HEADER, "").encode(), expected):
                return problems.response(Problem("forbidden", "expected a process of this installation"))
            welcome(request.scope)
            try:
                return await endpoint(request)
            except msgspec.DecodeError as error:
                return problems.response(Problem("malformed", f"expected what this release says: {error}"))

        return judged


class Reported:
    """Processes that report by themselves, the latest of each; bounded, those that are silent for long are left out."""

    def __init__(self) -> None:
        self._heard: dict[str, tuple[float, dict[str, Any]]] = {}

    def take(self, figures: dict[str, Any], silent: float) -> None:
        """``silent``: for how many seconds the sender has known the report."""
        at, address = time.monotonic() - silent, figures["address"]
        if address not in self._heard or self._heard[address][0] < at:
            self._heard[address] = (at, figures)
        while len(self._heard) > _REPORTED:
            del self._heard[min(self._heard, key=lambda one: self._heard[one][0])]

    def all(self) -> list[dict[str, Any]]:
        """``[{"silent", "figures"}]``."""
        now = time.monotonic()
        return [
            {"silent": round(now - at, 1), "figures": figures}
            for at, figures in self._heard.values()
            if now - at < _REPORTED_SECONDS
        ]


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
