"""What becomes of the rows of an erased application."""
