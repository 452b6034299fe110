"""What operators do to a running installation from the command line, each command in a module of its own."""
