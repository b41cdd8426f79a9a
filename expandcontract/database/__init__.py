"""What we ask and tell PostgreSQL."""
