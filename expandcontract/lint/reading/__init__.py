"""From the parser's tree to our statements; each module reads one family of statements."""
