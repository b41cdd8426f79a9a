"""Whom we are compatible with; each neighbour's tests are there where it is installed, and `tox` installs it."""

import os
from importlib.util import find_spec
from shutil import which

from tests.compat.faketime import LIBRARY

_NEEDS = {
    "test_flask.py": "flask_migrate",
    "test_pytest_alembic.py": "pytest_alembic",
    "test_neighbours.py": "alembic_utils",
    "test_pre_commit.py": "pre_commit",
}
_NGINX = ("nginx", "/usr/sbin/nginx", "/opt/homebrew/bin/nginx")
_PROGRAMS = {
    "test_nginx.py": _NGINX,
    "test_pipeline_nginx.py": _NGINX,
    "test_faketime.py": ("faketime",),
    "test_etcd.py": ("etcd",),
    "test_alertmanager.py": ("alertmanager", "prometheus-alertmanager"),
    "test_pgbouncer.py": ("pgbouncer", "/usr/sbin/pgbouncer", "/opt/homebrew/bin/pgbouncer"),
}

# named on the command line, an ignored file is an error: a tox environment can't pass without its neighbour
collect_ignore = [file for file, package in _NEEDS.items() if find_spec(package) is None]
collect_ignore += [file for file, programs in _PROGRAMS.items() if not any(map(which, programs))]
collect_ignore += [] if os.environ.get("EC_TEST_NODE_MODULES") else ["test_sarif.py"]
collect_ignore += [] if LIBRARY else ["test_faketime.py"]
