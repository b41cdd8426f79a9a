"""Moving rows, a range at a time."""
