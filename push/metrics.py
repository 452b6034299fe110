"""What a push node counts, for Prometheus."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

CONNECTIONS = Gauge("klatsch_push_connections", "Open connections.", ["transport"])
DELIVERIES = Counter("klatsch_push_deliveries", "Deltas handed to connections.")
CATCH_UPS = Counter(
    "klatsch_push_catch_ups", "Clients that resumed, by what had everything after their place.", ["source"]
)
CLOSES = Counter("klatsch_push_closes", "Connections that this side closed.", ["code"])
REFUSED = Counter("klatsch_refused", "What was refused before the application saw it, by reason.", ["reason"])
UNREADABLE = Counter("klatsch_push_unreadable", "Feed records and deltas that could not be read, and were skipped.")
RESTARTS = Counter("klatsch_push_tail_restarts", "Times the reader of the feed's end was started again.")
DELAY = Histogram(
    "klatsch_push_delay_seconds",
    "From the time stamp of a feed record to the moment its deltas were sent.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
SEND = Histogram(
    "klatsch_push_send_seconds",
    "How long a connection's socket accepted no data, each time it was full.",
    buckets=(0.001, 0.005, 0.025, 0.1, 0.5, 1, 2.5, 5, 10),
)
SIGNALS = Counter("klatsch_push_signals", "Signals by outcome: sent, or dropped for lack of room.", ["outcome"])
NOTES = Counter("klatsch_push_notes", "Records of presence and typing that this process wrote, read or lost.", ["what"])
PRESENT = Gauge("klatsch_push_present", "Users who are present on any node, as this one knows.")
TURN = Histogram(
    "klatsch_push_turn_seconds",
    "Time of one turn of presence and typing, the writes to sockets included.",
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1),
)
SEEN = Counter("klatsch_push_seen", "Departures by outcome of recording when the user was last seen.", ["outcome"])
