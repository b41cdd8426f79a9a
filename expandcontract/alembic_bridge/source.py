"""A revision file's code without its form: what is left to compare where no SQL tells what it does."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

_PLACES_IN_HISTORY = frozenset(("revision", "down_revision", "branch_labels", "depends_on", "contract_after"))


def essence(file: Path) -> str:
    """The syntax tree of the file: comments, docstrings and layout don't count, nor does its place in the history."""
    return _essence(file.read_text(encoding="utf-8"))


def essence_of(function: Callable[..., Any]) -> str:
    """The syntax tree of a function; of one without a source its name."""
    try:
        return _essence(textwrap.dedent(inspect.getsource(function)))
    except (OSError, SyntaxError, TypeError):  # built in, or a part of a longer expression
        return getattr(function, "__qualname__", repr(function))


def _essence(source: str) -> str:
    tree = ast.parse(source)
    tree.body = [statement for statement in tree.body if not _names_its_place(statement)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    return ast.dump(tree)


def _names_its_place(statement: ast.stmt) -> bool:
    match statement:
        case ast.Assign(targets=targets):
            names = {found.id for target in targets for found in ast.walk(target) if isinstance(found, ast.Name)}
        case ast.AnnAssign(target=ast.Name(id=name)):
            names = {name}
        case _:
            return False
    return names <= _PLACES_IN_HISTORY
