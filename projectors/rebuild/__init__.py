"""The read models folded anew from the log beside those that serve, and put in their place."""
