"""Facts, and what they make true: pure. One file a domain; what all stand on is in ``core``."""
