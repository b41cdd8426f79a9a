"""Whom we are compatible with; each neighbour's tests are there where it is installed, and `tox` installs it."""

from importlib.util import find_spec

_NEEDS = {
    "test_flask.py": "flask_migrate",
    "test_pytest_alembic.py": "pytest_alembic",
    "test_neighbours.py": "alembic_utils",
}

# named on the command line, an ignored file is an error: a tox environment can't pass without its neighbour
collect_ignore = [file for file, package in _NEEDS.items() if find_spec(package) is None]
