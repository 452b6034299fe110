"""``klatsch bench``: scenarios that measure an installation beside the floor of the machine and plain baselines."""
