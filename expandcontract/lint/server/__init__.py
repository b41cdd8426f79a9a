"""What PostgreSQL does, by version: locks, rewrites, scans, errors. Measured on PostgreSQL 10 to 18."""
