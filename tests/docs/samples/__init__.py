"""What runs the code samples of the operations: a process for each language, and the people they tell of."""
