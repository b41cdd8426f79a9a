"""Writes docs/reference/rules/ from the rule files; --check only tells whether the pages are fresh."""

from __future__ import annotations

import sys
from pathlib import Path

from expandcontract.lint.catalogue import all_rules
from expandcontract.lint.explain import CLASSES, explain

PAGES = Path(__file__).parent.parent / "docs" / "reference" / "rules"
HEAD = "<!-- Written by tools/build_rule_pages.py from the rule's own file. -->\n\n"


def pages() -> dict[str, str]:
    """Give the text of every page by its file name."""
    found = {f"{name}.md": HEAD + explain(name) for name in all_rules()}
    found["index.md"] = HEAD + index()
    return found


def index() -> str:
    """Give the page that lists all rules by class."""
    lines = ["# The rules of `ec lint`", ""]
    for hazard, meaning in CLASSES.items():
        lines += [f"## Class {hazard}: {meaning}", "", "| rule | found when |", "|---|---|"]
        lines += [
            f"| [{name}]({name}.md) | {rule.title} |" for name, rule in all_rules().items() if rule.hazard is hazard
        ]
        lines.append("")
    return "\n".join(lines)


def stale() -> list[str]:
    """Give the names of pages that are missing, differ, or belong to no rule."""
    expected = pages()
    written = {path.name: path.read_text() for path in PAGES.glob("*.md")}
    return sorted(name for name in expected.keys() | written.keys() if expected.get(name) != written.get(name))


def main(arguments: list[str]) -> int:
    """Write the pages, or with --check return 1 when they are stale."""
    if "--check" in arguments:
        for name in stale():
            sys.stderr.write(f"stale: docs/reference/rules/{name}\n")
        return 1 if stale() else 0
    PAGES.mkdir(parents=True, exist_ok=True)
    for path in PAGES.glob("*.md"):
        path.unlink()
    for name, text in pages().items():
        (PAGES / name).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
