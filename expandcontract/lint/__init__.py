"""Reading SQL and judging it, never connecting."""
