"""From the feed's partitions to sessions: the hub, what was missed, and signals."""
