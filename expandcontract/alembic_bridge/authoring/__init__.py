"""Writing revision files: what a change is to do, as a `Draft`, and the writer that makes a file of it."""
