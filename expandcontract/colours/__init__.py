"""Where the truth about traffic is read, one source a file."""
