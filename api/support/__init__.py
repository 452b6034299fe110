"""What operations are helped by, and what knows no call: problems, limits, pages, searches, passwords."""
