"""rename users.name to display_name

Old code goes on writing ``name``, new code writes ``display_name``; the Sync keeps each current for the other.
"""

import sqlalchemy as sa
from alembic import op

from expandcontract import Backfill, Sync

revision = "0002"
down_revision = "0001"
contract_after = "14d"

sync = Sync("users", forward={"display_name": "name"}, backward={"name": "display_name"}, not_null=True)


def upgrade() -> None:
    """Expand: the new column, kept current, and required of every row that is written from now on."""
    op.add_column("users", sa.Column("display_name", sa.Text))
    op.create_sync(sync)
    op.create_check_constraint(
        "users_display_name_present", "users", "display_name IS NOT NULL", postgresql_not_valid=True
    )


def downgrade() -> None:
    op.drop_sync(sync)
    op.drop_column("users", "display_name")


backfill = Backfill(sync)


def validate() -> None:
    """Reads every row, under a lock that nobody feels."""
    op.execute("ALTER TABLE users VALIDATE CONSTRAINT users_display_name_present")


def remove_name() -> None:
    """NOT NULL costs no scan now: the valid check proves it. Then the old column goes, after its triggers."""
    op.alter_column("users", "display_name", nullable=False)
    op.drop_constraint("users_display_name_present", "users")
    op.drop_sync(sync)
    op.drop_column("users", "name")


contract = (validate, remove_name)
