"""How Alembic, and so ec, reaches the database. It is yours: change it as you need."""

import os
from logging.config import fileConfig

import sqlalchemy as sa
from alembic import context

from expandcontract import guard_downgrades

config = context.config
if config.config_file_name is not None:
    fileConfig(config.config_file_name, disable_existing_loggers=False)

# For autogenerate: target_metadata = your_application.models.Base.metadata
target_metadata = None

# In a database of your own, where nobody has traffic: on_version_apply=collapse, and every phase runs at once.
url = os.environ.get("EC_DATABASE_URL") or config.get_main_option("sqlalchemy.url", "")
if url.startswith("postgresql://"):
    url = url.replace("postgresql://", "postgresql+psycopg://", 1)

if context.is_offline_mode():
    # named: with the driver's own style of parameters each percent sign would be written twice
    style = {"paramstyle": "named"}
    context.configure(
        url=url,
        target_metadata=target_metadata,
        literal_binds=True,
        dialect_opts=style,
        on_version_apply=guard_downgrades,
    )
    with context.begin_transaction():
        context.run_migrations()
else:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=target_metadata, on_version_apply=guard_downgrades)
        with context.begin_transaction():
            context.run_migrations()
