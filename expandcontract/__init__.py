"""Expand, backfill and contract for PostgreSQL, in step with the live colour."""
