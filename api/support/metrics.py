"""What the operations tells Prometheus."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Histogram(
    "klatsch_request_seconds",
    "Time to answer an operation; outcome is ok or the problem's code",
    ["operation", "transport", "outcome"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
OWN_WRITES = Histogram(
    "klatsch_own_writes_seconds",
    "Time until a read may show what its user was told to have happened: asking the owners of shards, and waiting",
    buckets=(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
)
PAGES = Counter("klatsch_pages", "Pages of history that were asked for; hit: answered without a query", ["outcome"])
PAGES_BYTES = Gauge("klatsch_page_cache_bytes", "Bytes of the pages of history that this process keeps")
