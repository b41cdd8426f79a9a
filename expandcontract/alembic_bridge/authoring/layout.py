"""
Python expressions laid out the way Black lays them out: on one line where that fits, else an argument a line.

Only what a revision file holds: calls, literals, names. A formatter is a dependency that a production server would
carry for it; whoever has one runs it as Alembic's ``post_write_hooks``.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

WIDTH = 88  # Black's and Ruff's default
_INDENT = 4
_LONGEST_NAME = 63  # bytes, of PostgreSQL's identifiers
_BRACKETS: dict[type[ast.expr], tuple[str, str]] = {ast.List: ("[", "]"), ast.Tuple: ("(", ")"), ast.Set: ("{", "}")}


def laid_out(code: str, indent: int = 0, prefix: str = "") -> str:
    """
    The expression `code`, begun at the column `indent` after `prefix`, in lines of at most `WIDTH` where possible.

    Raises:
        SyntaxError: `code` is no expression.
    """
    node = ast.parse(code.strip(), mode="eval").body
    return " " * indent + prefix + _laid_out(node, indent, len(prefix))


def quoted(text: str) -> str:
    """The string literal, in double quotes unless that would need more backslashes."""
    literal = repr(text)
    if literal.startswith('"') or text.count('"') > text.count("'"):
        return literal
    inside = literal[1:-1].replace("\\'", "'").replace('"', '\\"')
    return f'"{inside}"'


def _laid_out(node: ast.expr, indent: int, before: int, after: int = 0) -> str:
    """The node, when `before` characters stand before it on its line, and `after` must follow it."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and _is_block(node.value):
        return _block(node.value, indent)
    flat = _flat(node)
    if indent + before + len(flat) + after <= WIDTH and not _holds_block(node):
        return flat
    match node:
        case ast.Call() if node.args or node.keywords:
            return _call(node, indent)
        case ast.List() | ast.Set() | ast.Tuple() if node.elts:
            opens, closes = _BRACKETS[type(node)]
            return _lines(opens, node.elts, closes, indent, always_comma=isinstance(node, ast.Tuple))
        case ast.Dict(keys=keys, values=values) if keys:
            return _lines("{", list(zip(keys, values, strict=True)), "}", indent)
        case _:
            return flat


def _is_block(text: str) -> bool:
    """Whether it is a text of lines of its own, for whose meaning their indentation is nothing; no name is so long."""
    return text.startswith("\n") and text.endswith("\n") and '"""' not in text and len(text.encode()) > _LONGEST_NAME


def _holds_block(node: ast.AST) -> bool:
    constants = (each.value for each in ast.walk(node) if isinstance(each, ast.Constant))
    return any(isinstance(value, str) and _is_block(value) for value in constants)


def _block(text: str, indent: int) -> str:
    """The lines between triple quotes, indented as they stand in the file."""
    lines = text.replace("\\", "\\\\").strip("\n").splitlines()
    return "\n".join(['"""', *(f"{' ' * indent}{line}".rstrip() for line in lines), f'{" " * indent}"""'])


_Item = ast.expr | ast.keyword | tuple[ast.expr | None, ast.expr]


def _call(node: ast.Call, indent: int) -> str:
    opens, items = f"{_flat(node.func)}(", _arguments(node)
    together = " " * (indent + _INDENT) + ", ".join(_flat_item(item) for item in items)
    if len(together) <= WIDTH and not _holds_block(node):
        return "\n".join([opens, together, " " * indent + ")"])
    return _lines(opens, items, ")", indent)


def _arguments(node: ast.Call) -> list[_Item]:
    return [*node.args, *node.keywords]


def _lines(opens: str, items: Sequence[_Item], closes: str, indent: int, *, always_comma: bool = False) -> str:
    """An item a line; one that is alone needs no comma."""
    inner = indent + _INDENT
    comma = "," if len(items) > 1 or always_comma else ""
    lines = [" " * inner + _item(item, inner, len(comma)) + comma for item in items]
    return "\n".join([opens, *lines, " " * indent + closes])


def _item(item: _Item, indent: int, after: int) -> str:
    key, value = _parts(item)
    return key + _laid_out(value, indent, len(key), after)


def _flat_item(item: _Item) -> str:
    key, value = _parts(item)
    return key + _flat(value)


def _parts(item: _Item) -> tuple[str, ast.expr]:
    """What stands before the value of an argument or an entry, and the value."""
    match item:
        case ast.keyword(arg=name, value=value):
            return f"{name}=" if name else "**", value
        case (key, value):
            return f"{_flat(key)}: " if key else "**", value
        case _:
            return "", item


def _flat(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=str() as text):
            return quoted(text)
        case ast.Call():
            return f"{_flat(node.func)}({', '.join(map(_flat_item, _arguments(node)))})"
        case ast.Attribute():
            return f"{_flat(node.value)}.{node.attr}"
        case ast.Starred():
            return f"*{_flat(node.value)}"
        case ast.List() | ast.Set() | ast.Tuple() if node.elts:
            opens, closes = _BRACKETS[type(node)]
            last = "," if isinstance(node, ast.Tuple) and len(node.elts) == 1 else ""
            return opens + ", ".join(map(_flat, node.elts)) + last + closes
        case ast.Dict(keys=keys, values=values):
            return "{" + ", ".join(_flat_item(entry) for entry in zip(keys, values, strict=True)) + "}"
        case _:
            return ast.unparse(node)
