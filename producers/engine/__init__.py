"""What runs decisions: owners of shards, the loop of a shard, the writer of the log, the way to another process."""
