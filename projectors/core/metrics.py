"""What the projectors tell Prometheus. Only names and labels; the values are set where they arise."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

LAG = Gauge(
    "klatsch_projector_lag_events",
    "Records between a projector's position and the end of the shard.",
    ["projector", "topic", "partition"],
)
BATCH = Histogram(
    "klatsch_projector_batch_events",
    "Events in one turn.",
    ["projector"],
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000),
)
APPLY = Histogram(
    "klatsch_projector_apply_seconds",
    "Time of one turn, from the batch in memory to its commit or acknowledgement.",
    ["projector"],
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)
EVENTS = Counter("klatsch_projector_events", "Events that a projector has dealt with.", ["projector"])
SKIPPED = Counter(
    "klatsch_projector_skipped", "Records passed over: of a type that this code does not know.", ["projector"]
)
PARKED = Counter("klatsch_projector_parked", "Events put aside, the bad ones and those behind them.", ["projector"])
PARKED_STREAMS = Gauge("klatsch_parked_streams", "Streams that wait for a fix.", ["projector"])
RESTARTS = Counter("klatsch_projector_restarts", "Sessions of a projector that ended by an error.", ["projector"])
FEED_ITEMS = Counter("klatsch_feed_items", "Deltas written to the feed, one a feed partition and list of recipients.")
FEED_RECIPIENTS = Counter("klatsch_feed_recipients", "Recipients of the deltas written to the feed.")
