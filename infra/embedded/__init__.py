"""A real Kafka and a real Postgres as child processes, from packages, on a machine that has neither."""
