"""What operators and developers run: command line, supervisor, generators, importers. Nothing below imports it."""
