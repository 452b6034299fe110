"""The read models that clients' reads are answered from, kept by applying the log."""
