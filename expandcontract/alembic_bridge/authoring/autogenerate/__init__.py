"""From a difference of models to the phases of a change: each kind of difference has its place."""
