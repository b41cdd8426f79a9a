"""Fitting a Draft's text into what the user's ``script.py.mako`` made, whatever that template knows of phases."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator

from expandcontract.alembic_bridge.authoring.layout import laid_out
from expandcontract.alembic_bridge.authoring.text import Text

_OURS = ("Backfill", "Sync", "refuse_if_contracted")
_IDENTIFIERS = ("revision", "down_revision", "branch_labels", "depends_on")


def fitted(module: str, text: Text) -> str:
    """
    The module with the phases in it, and with the imports that it uses.

    Args:
        module: what the template made, with empty ``upgrade()`` and ``downgrade()``.
        text: the phases.

    Raises:
        ValueError: the module has no ``upgrade()`` and ``downgrade()`` without parameters, so the template is for
            several databases, or for something else that isn't one change.
    """
    tree = ast.parse(module)
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    lines = module.splitlines()
    try:
        upgrade, downgrade = functions["upgrade"], functions["downgrade"]
    except KeyError as missing:
        raise ValueError(f"it makes no {missing.args[0]}()") from None
    if upgrade.args.args or downgrade.args.args:
        raise ValueError("its upgrade() takes arguments, as a template for several databases does")
    # from the bottom up, so that the line numbers above stay true
    lines[downgrade.end_lineno or 0 : downgrade.end_lineno] = _blocks(text.after, above=True)
    _give_body(lines, downgrade, text.downgrade)
    _give_body(lines, upgrade, text.upgrade)
    above = min([upgrade.lineno, *(decorator.lineno for decorator in upgrade.decorator_list)]) - 1
    lines[above:above] = _blocks(text.before, above=False)
    last = _lay_out_identifiers(lines, tree)
    if text.window:
        lines[last:last] = [text.window]
    return _tidied(_with_imports("\n".join(lines), text.imports))


def _blocks(blocks: Iterable[str], *, above: bool) -> list[str]:
    """The blocks as lines, two empty ones between them and above or below them all."""
    found: list[str] = []
    for block in blocks:
        space = ["", ""]
        found += [*space, *block.splitlines()] if above else [*block.splitlines(), *space]
    return found


def _give_body(lines: list[str], function: ast.FunctionDef, body: str) -> None:
    arguments = [*function.args.args, *function.args.kwonlyargs]
    signature = [function.lineno, *(node.end_lineno or 0 for node in (*arguments, function.returns) if node)]
    lines[max(signature) : function.end_lineno] = body.rstrip().splitlines()


def _lay_out_identifiers(lines: list[str], tree: ast.Module) -> int:
    """Write Alembic's identifiers, which templates give as ``repr``, like the rest; give the last one's line number."""
    last = 0
    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if not (isinstance(target, ast.Name) and target.id in _IDENTIFIERS):
            continue
        value = node.value  # type: ignore[attr-defined]
        last = node.lineno
        if node.end_lineno == node.lineno and "#" not in lines[last - 1]:
            lines[last - 1] = laid_out(ast.unparse(value), prefix=lines[last - 1][: value.col_offset])
    return last


def _with_imports(module: str, further: Iterable[str]) -> str:
    """The module with the imports that it needs, and without those of the template that it doesn't use."""
    tree = ast.parse(module)
    lines = module.splitlines()
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    ours = sorted(used.intersection(_OURS))
    wanted = [*further, *([f"from expandcontract import {', '.join(ours)}"] if ours else [])]
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    kept: list[str] = []
    for node in reversed(imports):
        source = "\n".join(lines[node.lineno - 1 : node.end_lineno])
        del lines[node.lineno - 1 : node.end_lineno]
        if "noqa" in source or _is_future(node) or set(_bound(node)) & used:
            kept.append(_only_used(node, used) if "#" not in source else source)
    place = imports[0].lineno - 1 if imports else _last_line_of_docstring(tree)
    statements = dict.fromkeys([*reversed(kept), *wanted])
    apart = [""] if place and lines[place - 1].strip() else []
    lines[place:place] = [*apart, *_sorted(statements)]
    return "\n".join(lines)


def _bound(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    for alias in node.names:
        yield alias.asname or alias.name.partition(".")[0]


def _only_used(node: ast.Import | ast.ImportFrom, used: set[str]) -> str:
    if isinstance(node, ast.ImportFrom) and not _is_future(node):
        names = [alias for alias in node.names if (alias.asname or alias.name) in used]
        node = ast.ImportFrom(module=node.module, names=names, level=node.level)
    return ast.unparse(node)


def _is_future(node: ast.Import | ast.ImportFrom) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"


def _sorted(statements: Iterable[str]) -> list[str]:
    """Import statements in groups, as isort orders them: future, standard library, the others."""
    groups: dict[int, list[str]] = {0: [], 1: [], 2: []}
    for statement in statements:
        top = re.split(r"[\s.]", statement.removeprefix("from ").removeprefix("import "), maxsplit=1)[0]
        groups[0 if top == "__future__" else 1 if top in sys.stdlib_module_names else 2].append(statement)
    found: list[str] = []
    for group in filter(None, groups.values()):
        # isort: plain imports first
        found += [*([""] if found else []), *sorted(group, key=lambda line: (line.startswith("from "), line.lower()))]
    return found


def _last_line_of_docstring(tree: ast.Module) -> int:
    first = tree.body[0] if tree.body else None
    is_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return (first.end_lineno or 0) if first and is_docstring else 0


def _tidied(module: str) -> str:
    """Without trailing blanks, and with no more than two empty lines anywhere; one after the imports."""
    text = "\n".join(line.rstrip() for line in module.splitlines())
    text = re.sub(r"\n{4,}", "\n\n\n", text)
    text = re.sub(r"((?:^|\n)(?:import|from) [^\n]*)\n{3,}(?!(?:def|class|@|import|from))", r"\1\n\n", text)
    return text.strip("\n") + "\n"
