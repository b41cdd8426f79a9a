"""A revision file as it was written: its Python statements, and the comments that speak to ``ec lint``."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

from expandcontract.lint.accepts import MARKER, QUESTION, Accept, Notice, read_accept, read_question


class RevisionSource:
    """A revision file: which Python statement a line belongs to, and the accepts written above statements."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lines = path.read_text(encoding="utf-8").splitlines()
        nodes = ast.walk(ast.parse("\n".join(self._lines)))
        compound = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.With, ast.If, ast.For, ast.Try)
        self._statements = sorted(
            (node.lineno, node.end_lineno or node.lineno)
            for node in nodes
            if isinstance(node, ast.stmt) and not isinstance(node, compound)
        )

    def statement_at(self, line: int) -> int:
        """Give the first line of the statement that a line belongs to; the line itself without one."""
        return next((first for first, last in self._statements if first <= line <= last), line)

    def accepts(self) -> list[tuple[Accept, int]]:
        """Give the accepts, each with the first line of the statement that it stands above or in."""
        found = []
        for number, line in enumerate(self._lines, start=1):
            _, marker, comment = line.partition("#")
            if marker and MARKER in comment:
                accept = read_accept(comment, number)
                target = next((first for first, last in self._statements if last >= number), number)
                if accept:
                    found.append((accept, target))
        return found

    def questions(self) -> Iterator[Notice]:
        """Give what a generated revision leaves to a person; the comment may go on over several lines."""
        for number, line in enumerate(self._lines, start=1):
            if QUESTION in line:
                following = (each.strip() for each in self._lines[number:])
                more = takewhile(lambda each: each.startswith("#"), following)
                question = read_question(" ".join([line, *(each.lstrip("# ") for each in more)]), number)
                if question:
                    yield question
