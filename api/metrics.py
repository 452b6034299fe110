"""What the surface tells Prometheus."""

from __future__ import annotations

from prometheus_client import Histogram

REQUESTS = Histogram(
    "klatsch_request_seconds",
    "Time to answer an operation; outcome is ok or the problem's code",
    ["operation", "transport", "outcome"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
