"""What the command side tells Prometheus."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

_FINE = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)

TURN_COMMANDS = Histogram(
    "klatsch_turn_commands", "Commands decided in one turn of a shard", ["topic"], buckets=(1, 2, 5, 10, 50, 200, 500)
)
APPEND_SECONDS = Histogram("klatsch_append_seconds", "From append to acknowledgement", ["topic"], buckets=_FINE)
OPENED = Counter("klatsch_shard_opened_total", "Times that a shard was opened", ["topic"])
REFUSED = Counter("klatsch_commands_refused_total", "Commands that were refused", ["command", "code"])
REPEATED = Counter("klatsch_commands_repeated_total", "Commands answered with an earlier result", ["command"])
SHARDS = Gauge("klatsch_shards_owned", "Shards that this process owns")
