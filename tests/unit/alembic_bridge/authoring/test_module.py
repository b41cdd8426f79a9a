"""Phases fitted into what templates make of a revision, those that people have."""

from __future__ import annotations

import pytest

from expandcontract.alembic_bridge.authoring.module import fitted
from expandcontract.alembic_bridge.authoring.text import Text

ALEMBICS_OWN = '''\
"""add it

Revision ID: abc
Revises:
Create Date: 2026-01-01

"""
from typing import Sequence, Union

from alembic import op
import sqlalchemy as sa


# revision identifiers, used by Alembic.
revision: str = 'abc'
down_revision: Union[str, Sequence[str], None] = None
branch_labels: Union[str, Sequence[str], None] = None
depends_on: Union[str, Sequence[str], None] = None


def upgrade() -> None:
    """Upgrade schema."""
    pass


def downgrade() -> None:
    """Downgrade schema."""
    pass
'''
WITH_MORE = '''\
"""add it"""
from __future__ import annotations

import os
import sqlmodel  # noqa: F401 - its types
import shop.types
from alembic import op

revision = 'abc'
down_revision = ('a', 'b')


def schema():
    return os.environ["SCHEMA"]


def upgrade(
) -> None:
    pass


def downgrade():
    pass


def helper():
    """Theirs."""
'''
TEXT = Text(
    window='contract_after = "14d"',
    before=('sync = Sync("t", forward={"b": "a"}, reads=("a",))', "def one() -> None:\n    op.create_sync(sync)"),
    upgrade='    """Expand."""\n    one()',
    downgrade="    op.drop_sync(sync)",
    after=("backfill = Backfill(sync)", 'def contract() -> None:\n    op.drop_column("t", "a")'),
    imports=("from sqlalchemy.dialects import postgresql",),
)


def test_into_alembics_own_template() -> None:
    assert fitted(ALEMBICS_OWN, TEXT) == (
        '"""add it\n\nRevision ID: abc\nRevises:\nCreate Date: 2026-01-01\n\n"""\n\n'
        "from typing import Sequence, Union\n\n"
        "from alembic import op\n"
        "from expandcontract import Backfill, Sync\n"
        "from sqlalchemy.dialects import postgresql\n\n"
        "# revision identifiers, used by Alembic.\n"
        'revision: str = "abc"\n'
        "down_revision: Union[str, Sequence[str], None] = None\n"
        "branch_labels: Union[str, Sequence[str], None] = None\n"
        "depends_on: Union[str, Sequence[str], None] = None\n"
        'contract_after = "14d"\n\n\n'
        'sync = Sync("t", forward={"b": "a"}, reads=("a",))\n\n\n'
        "def one() -> None:\n    op.create_sync(sync)\n\n\n"
        'def upgrade() -> None:\n    """Expand."""\n    one()\n\n\n'
        "def downgrade() -> None:\n    op.drop_sync(sync)\n\n\n"
        "backfill = Backfill(sync)\n\n\n"
        'def contract() -> None:\n    op.drop_column("t", "a")\n'
    )


def test_what_else_a_template_has_stays() -> None:
    module = fitted(WITH_MORE, TEXT)
    assert "import sqlmodel  # noqa: F401 - its types\n" in module
    assert "import shop.types" not in module  # which nothing uses
    assert module.index("from __future__") < module.index("import os") < module.index("from alembic")
    assert 'def helper():\n    """Theirs."""\n' in module
    assert 'down_revision = ("a", "b")\ncontract_after = "14d"\n' in module
    compile(module, "revision.py", "exec")


@pytest.mark.parametrize(
    ("module", "why"),
    [
        ("def upgrade(engine): pass\ndef downgrade(engine): pass\n", "several databases"),
        ("def upgrade(): pass\n", r"no downgrade\(\)"),
    ],
)
def test_what_is_no_change_is_refused(module: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        fitted(module, TEXT)
