"""Alembic's words in, our words out."""
