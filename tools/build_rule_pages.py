"""
Writes what follows from the rule files: docs/reference/rules/ and lint/rule_index.py.

``--check`` writes nothing and tells whether they are fresh. A new rule is a new file in lint/rules/ and a run of this.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from expandcontract.lint import rules
from expandcontract.lint.explain import CLASSES, explain
from expandcontract.lint.rule import Rule

ROOT = Path(__file__).parent.parent
PAGES = ROOT / "docs" / "reference" / "rules"
RULE_INDEX = ROOT / "expandcontract" / "lint" / "rule_index.py"
HEAD = "<!-- Written by tools/build_rule_pages.py from the rule's own file. -->\n\n"


def rules_on_disk() -> dict[str, Rule]:
    """Give every rule by its name, as the files in lint/rules/ have them."""
    names = sorted(module.name for module in iter_modules(rules.__path__))
    return {name.replace("_", "-"): import_module(f"{rules.__name__}.{name}").RULE for name in names}


def rule_index() -> str:
    """Give the module that tells which actions each rule judges."""
    lines = [
        '"""Which actions each rule judges; written by tools/build_rule_pages.py from the rule files."""',
        "",
        "JUDGES: dict[str, tuple[str, ...]] = {",
    ]
    for name, rule in rules_on_disk().items():
        judged = [f'"{action.__name__}"' for action in rule.on]
        row = f'    "{name}": ({", ".join(judged)}{"," if len(judged) == 1 else ""}),'
        lines += [row] if len(row) <= 120 else [f'    "{name}": (', *(f"        {each}," for each in judged), "    ),"]
    return "\n".join([*lines, "}", ""])


def pages() -> dict[str, str]:
    """Give the text of every page by its file name."""
    found = {f"{name}.md": HEAD + explain(name, rule) for name, rule in rules_on_disk().items()}
    found["index.md"] = HEAD + index()
    return found


def index() -> str:
    """Give the page that lists all rules by class."""
    lines = ["# The rules of `ec lint`", ""]
    for hazard, meaning in CLASSES.items():
        lines += [f"## Class {hazard}: {meaning}", "", "| rule | found when |", "|---|---|"]
        lines += [
            f"| [{name}]({name}.md) | {rule.title} |" for name, rule in rules_on_disk().items() if rule.hazard is hazard
        ]
        lines.append("")
    return "\n".join(lines)


def stale() -> list[str]:
    """Give the files that are missing, differ, or belong to no rule."""
    expected = pages()
    written = {path.name: path.read_text() for path in PAGES.glob("*.md")}
    names = sorted(name for name in expected.keys() | written.keys() if expected.get(name) != written.get(name))
    found = [f"docs/reference/rules/{name}" for name in names]
    return found if RULE_INDEX.read_text() == rule_index() else ["expandcontract/lint/rule_index.py", *found]


def main(arguments: list[str]) -> int:
    """Write index and pages, or with --check return 1 when they are stale."""
    if "--check" in arguments:
        found = stale()
        for name in found:
            sys.stderr.write(f"stale: {name}\n")
        return 1 if found else 0
    RULE_INDEX.write_text(rule_index())
    PAGES.mkdir(parents=True, exist_ok=True)
    for path in PAGES.glob("*.md"):
        path.unlink()
    for name, text in pages().items():
        (PAGES / name).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
