"""Which of the server's errors are about a row, so that others may do, and which about the statement itself."""

from __future__ import annotations

import psycopg

# https://www.postgresql.org/docs/current/errcodes-appendix.html: cardinality, data, integrity, a function's own errors
_CLASSES = ("21", "22", "23", "38", "39", "P0")


def is_about_a_row(error: psycopg.Error) -> bool:
    """Whether the statement might have worked without some of its rows."""
    # a value that never reached the server has no SQLSTATE: a text with a NUL
    return isinstance(error, psycopg.DataError) or (error.sqlstate or "").startswith(_CLASSES)


def is_about_the_statement(error: psycopg.Error) -> bool:
    """Whether the statement can't work: syntax, names, types, rights, or something that isn't supported."""
    return (error.sqlstate or "").startswith(("42", "0A"))
