"""The command line: options, the error boundary, exit codes, rendering."""
