"""What every domain stands on: records, positions, clock, the log's own marks, and the rules of texts. Pure."""
