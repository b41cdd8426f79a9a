"""Decisions: standard library only, no I/O; the time is a parameter."""
