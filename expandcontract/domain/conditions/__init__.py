"""The conditions of the gate: each is a function of facts that answers None, or a refusal."""
