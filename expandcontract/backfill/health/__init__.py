"""Health signals: what else goes on in the database and around it, while a backfill runs. One file per signal."""
