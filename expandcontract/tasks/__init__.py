"""Commands as tasks of a queue, for those whose workers are started by one; a module for each queue."""
