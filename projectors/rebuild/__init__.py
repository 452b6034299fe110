"""The read models folded again from the log beside those that serve, and put in their place."""
