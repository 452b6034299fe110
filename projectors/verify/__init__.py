"""The proof that the rows equal the fold of the log, and the repair of those that do not."""
