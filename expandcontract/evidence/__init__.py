"""Facts that back a gate."""
