"""The commands that are killed: lives of changes, each command with the state it begins in and how it ends."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Literal

from expandcontract.errors import ExitCode
from tests.fixtures.lifecycle import ChangeInLife, author_file, create_tables, tree
from tests.fixtures.project import AlembicProject, empty_project
from tests.fixtures.servers import Database
from tests.lifecycles.recipes import CHANGES

WEEKS = timedelta(days=14)
NOTHING = "nothing"  # the state before the first command


@dataclass(frozen=True)
class Stage:
    """
    A command of a life.

    Args:
        name: what it brings about; the state afterwards has this name.
        after: the stage in whose state it begins.
        arguments: after ``ec``.
        tree: whose release's.
        code: how it ends, undisturbed and in the end also after whatever happened.
        before: what somebody does to the database first.
        window: how long rollback windows are.
        repeats: whether it leaves the same when it is run again; if not, it is only there for what begins after it.
    """

    name: str
    after: str
    arguments: tuple[str, ...]
    tree: Literal["old", "new", "watched", "edited"] = "new"
    code: ExitCode = ExitCode.DONE
    before: tuple[str, ...] = ()
    window: timedelta = timedelta(0)
    repeats: bool = True


TO_LIVE = (
    Stage("installed", NOTHING, ("init",), "old"),
    Stage("begun", "installed", ("migrate", "expand"), "old"),
    Stage("blue", "begun", ("colour", "deploy", "blue", "1"), "old"),
    Stage("blue is live", "blue", ("colour", "traffic", "blue=100"), "old"),
    Stage("expanded", "blue is live", ("migrate", "expand")),
)
FILLING = (
    Stage("a little filled", "expanded", ("backfill", "--max-rows", "500"), code=ExitCode.WORK_REMAINS, repeats=False),
    Stage("rate set", "a little filled", ("backfill", "set", "0002", "--rate", "5000")),
    Stage("paused", "a little filled", ("backfill", "pause", "0002")),
    Stage("resumed", "paused", ("backfill", "resume", "0002")),
    Stage("cancelled", "a little filled", ("backfill", "cancel", "0002")),
    Stage("filled again", "cancelled", ("backfill", "--rate", "max")),
    Stage("filled by two", "expanded", ("backfill", "--rate", "max", "--workers", "2")),
    Stage("filled", "expanded", ("backfill", "--rate", "max")),
    Stage("verified", "filled", ("backfill", "verify", "0002")),
)
FILLED_BY_CODE = (
    Stage("green", "expanded", ("colour", "deploy", "green", "2")),
    Stage("undone", "green", ("undo", "0002", "--give-up", "2")),
    Stage("green is live", "green", ("colour", "traffic", "green=100")),
    Stage("filled", "green is live", ("backfill",)),
    Stage("contracted", "filled", ("migrate", "contract")),
    Stage("blue is gone", "contracted", ("colour", "retire", "blue")),
)
NEVER_FILLED = FILLED_BY_CODE[:3]
TO_THE_END = (
    Stage("green", "filled", ("colour", "deploy", "green", "2")),
    Stage("undone", "green", ("undo", "0002", "--give-up", "2")),
    Stage("green is live", "green", ("colour", "traffic", "green=100")),
    Stage("window open", "green is live", ("migrate", "contract"), code=ExitCode.WINDOW_OPEN,
          window=WEEKS),
    Stage("both live", "green is live", ("colour", "traffic", "green=90", "blue=10"), "old"),
    Stage("blue in the way", "both live", ("migrate", "contract"), code=ExitCode.REFUSED),
    Stage("contracted", "green is live", ("migrate", "contract")),
    Stage("blue is gone", "contracted", ("colour", "retire", "blue")),
)  # fmt: skip
LOOKED_AT = (
    Stage("looked at", "both live", ("observe",), "watched"),
    Stage("amended", "green", ("amend", "0002", "--reason", "it has to say something, too"), "edited"),
    Stage("set aside", "expanded", ("backfill", "--rate", "max"), code=ExitCode.STEP_FAILED, before=(
        "ALTER TABLE users ADD CONSTRAINT unlucky CHECK (id <> 13 OR display_name IS NULL) NOT VALID",
    ), repeats=False),
    Stage("retried", "set aside", ("backfill", "retry", "0002"), before=(
        "ALTER TABLE users DROP CONSTRAINT unlucky",
    )),
    Stage("out of reach", "green is live", ("tombstone", "0002"), before=("GRANT SELECT, UPDATE ON users TO PUBLIC",)),
    Stage("given back", "out of reach", ("tombstone", "0002", "--undo")),
    Stage("contracted out of reach", "out of reach", ("migrate", "contract")),
    Stage("window closed", "green is live", ("window", "0002", "--close", "--reason", "it is good"), window=WEEKS),
    Stage("contracted early", "window closed", ("migrate", "contract"), window=WEEKS),
    Stage("adopted", "both live", ("adopt", "--reason", "moved"), before=("UPDATE ec.database SET oid = oid + 1",)),
)  # fmt: skip
COLLAPSED = (Stage("all at once", NOTHING, ("migrate", "all")),)


@dataclass(frozen=True)
class Life:
    """A change, and the commands of its life in an order in which each begins where an earlier one has ended."""

    change: ChangeInLife
    stages: tuple[Stage, ...]

    def until(self, *names: str) -> Life:
        """No more of it than leads to the stages of these names."""
        needed = set(names)
        for stage in reversed(self.stages):
            needed |= {stage.after} if stage.name in needed else set()
        return Life(self.change, tuple(stage for stage in self.stages if stage.name in needed))

    def prepare(self, folder: Path, database: Database) -> dict[str, AlembicProject]:
        """The trees of both releases, and the tables with their rows in the database."""
        trees = {}
        for release, models in (("old", self.change.before), ("new", self.change.after)):
            trees[release] = tree(empty_project(folder / release, database.dsn), models)
        create_tables(trees["old"], self.change, database)
        file = author_file(self.change, trees["new"])
        watched, edited = (_copy(trees["new"], folder / name) for name in ("watched", "edited"))
        watched.write("pyproject.toml", _ROUTER)
        _append(edited.versions / file.name, _SAYS_SOMETHING)
        return {**trees, "watched": watched, "edited": edited}


# a router that says what the ledger has yet to learn
_ROUTER = """
[tool.expandcontract.colours.router]
source = "static"
live = "green"
"""
_SAYS_SOMETHING = """

def say_something():
    op.execute("SELECT 1")


contract = (*(contract if isinstance(contract, tuple) else (contract,)), say_something)
"""


def _copy(project: AlembicProject, folder: Path) -> AlembicProject:
    shutil.copytree(project.folder, folder)
    return replace(project, folder=folder)


def _append(file: Path, text: str) -> None:
    file.write_text(file.read_text() + text)


_WHOLE = TO_LIVE + FILLING + TO_THE_END + COLLAPSED

LIVES = {
    "rename-column": Life(CHANGES["rename-column"], _WHOLE + LOOKED_AT),
    "change-type": Life(CHANGES["change-type"], _WHOLE),
    "extract-table": Life(CHANGES["extract-table"], _WHOLE),
    "make-not-null": Life(CHANGES["make-not-null"], TO_LIVE + FILLED_BY_CODE + COLLAPSED),
    "add-partitioned-index": Life(CHANGES["add-partitioned-index"], TO_LIVE + NEVER_FILLED + COLLAPSED),
}
SHORT = {"rename-column": LIVES["rename-column"].until("undone", "contracted")}
