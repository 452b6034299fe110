"""The feed: what each event's recipients are told, written by user."""
