"""What a relay counts, for Prometheus: without names of people or channels, and nothing of what is said."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

FRAMES = Counter("klatsch_relay_frames", "Frames that members sent and the relay took.")
DELIVERIES = Counter("klatsch_relay_deliveries", "Frames put into the queues of receivers.")
BYTES = Counter("klatsch_relay_bytes", "Bytes of the frames put into the queues of receivers.")
DROPPED = Counter("klatsch_relay_dropped", "Frames dropped from the queue of a receiver who did not keep up.")
MEMBERS = Gauge("klatsch_relay_members", "Members of live channels who are connected to this process.")
CHANNELS = Gauge("klatsch_relay_channels", "Live channels that this process serves.")
ENDS = Counter("klatsch_relay_ends", "Calls that ended or were refused, by what it is called.", ["type"])
