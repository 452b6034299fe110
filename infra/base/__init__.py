"""What processes of every role stand on: settings, Kafka, Postgres, and what they share."""
