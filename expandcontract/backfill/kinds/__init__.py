"""The kinds of backfill: what each does to make the rows of a range right."""
