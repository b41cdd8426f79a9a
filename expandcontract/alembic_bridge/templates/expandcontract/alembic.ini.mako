# Alembic's configuration. ec's own is [tool.expandcontract] in pyproject.toml.

[alembic]
script_location = ${script_location}
prepend_sys_path = .
path_separator = os

# env.py prefers the variable EC_DATABASE_URL, so that no password has to stand here.
sqlalchemy.url = postgresql+psycopg://localhost/postgres

[loggers]
keys = root

[handlers]
keys = console

[formatters]
keys = plain

[logger_root]
level = WARNING
handlers = console

[handler_console]
class = StreamHandler
args = (sys.stderr,)
formatter = plain

[formatter_plain]
format = %(levelname)s [%(name)s] %(message)s
