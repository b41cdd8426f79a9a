"""What a backfill must show, a module for each point; `benchmarks/backfill.py` runs them."""
