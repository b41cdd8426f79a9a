"""pre-commit installs our hooks from this repository, as users have it do, and they stop a commit."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SAFE = """
def upgrade():
    op.add_column("users", sa.Column("nick", sa.Text))


def downgrade():
    op.drop_column("users", "nick")
"""
DANGEROUS = SAFE.replace('op.add_column("users", sa.Column("nick", sa.Text))', 'op.drop_column("users", "name")')


@dataclass
class Repository:
    """Somebody's repository with an Alembic tree."""

    folder: Path
    cache: Path

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "EC_"))}
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        environment = {**clean, "PRE_COMMIT_HOME": str(self.cache), "PATH": path}
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=600, check=False
        )

    def ok(self, *command: str) -> str:
        done = self.run(*command)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def revision(self, number: int, body: str) -> None:
        after = repr(f"{number - 1:04}") if number > 1 else None
        head = f'"""change"""\nimport sqlalchemy as sa\nfrom alembic import op\n\nrevision = "{number:04}"\n'
        self.write(f"migrations/versions/{number:04}.py", f"{head}down_revision = {after}\n\n{body}")

    def commit(self) -> subprocess.CompletedProcess[str]:
        self.ok("git", "add", ".")
        return self.run("git", "-c", "user.name=ada", "-c", "user.email=ada@example.com", "commit", "-m", "a change")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "shop", tmp_path / "cache")
    ours = tmp_path / "expandcontract"  # what is committed of us, as from a server
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(ours)], check=True, timeout=120)
    made.folder.mkdir()
    made.ok("git", "init", "--quiet")
    made.write("alembic.ini", "[alembic]\nscript_location = migrations\n")
    made.write("migrations/env.py", "")
    made.write(".gitignore", "__pycache__/\n")  # or pre-commit finds that a hook changes files
    revision = subprocess.run(["git", "-C", ours, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    made.write(
        ".pre-commit-config.yaml",
        f"repos:\n  - repo: {ours}\n    rev: {revision.stdout.strip()}\n    hooks:\n"
        "      - id: ec-lint\n      - id: ec-lint-sql\n",
    )
    made.ok("pre-commit", "install")
    return made


def test_the_hooks_stop_what_is_dangerous_and_nothing_else(repository: Repository) -> None:
    repository.revision(1, SAFE)
    first = repository.commit()
    assert first.returncode == 0, first.stdout + first.stderr
    assert "ec lint" in first.stdout + first.stderr

    repository.revision(2, DANGEROUS)
    stopped = repository.commit()
    said = stopped.stdout + stopped.stderr
    assert stopped.returncode == 1, said
    assert re.search(r"^migrations/versions/0002\.py:\d+:\d+: error drop-column", said, re.MULTILINE), said
    assert "0001.py" not in said, "that was committed before"

    repository.revision(2, SAFE.replace("nick", "mail"))
    second = repository.commit()
    assert second.returncode == 0, second.stdout + second.stderr
    repository.write("seed.sql", "DROP TABLE users;\n")
    stopped = repository.commit()
    assert (stopped.returncode, "seed.sql:1:1: error drop-table" in stopped.stdout + stopped.stderr) == (1, True)
    repository.write("seed.sql", "SELECT 1;\n")
    assert repository.commit().returncode == 0
    assert repository.ok("git", "rev-list", "--count", "HEAD").strip() == "3"
