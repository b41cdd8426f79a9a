"""How each action changes what is known of a schema."""
