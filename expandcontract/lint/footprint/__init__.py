"""What SQL touches: the footprint of a step, read from its statements."""
