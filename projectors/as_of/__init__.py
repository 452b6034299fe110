"""The read models as of a past moment: folded from ``changes`` by the one fold, at the cost of what is looked at."""
