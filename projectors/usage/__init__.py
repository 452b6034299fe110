"""What applications use, counted from the log in windows of time: exactly once, and anew at any time."""
