"""What a relay decides, without I/O and without a clock of its own: who is in which channel, and who receives what."""
