"""What may go wrong with a database, a role, a connection or a project: a function for each risk."""
