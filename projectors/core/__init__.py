"""What every projector stands on: its loop, its source, locks, pace, and what it parks."""
