"""A table of the configuration becomes the fields of a dataclass."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from datetime import timedelta
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_type_hints

from expandcontract.domain.duration import parse_duration

Made = TypeVar("Made")


def made_from(kind: type[Made], table: Mapping[str, object]) -> Made:
    """
    One of that dataclass, with the table's entries as its fields.

    Raises:
        ValueError: every entry that is missing, unknown or of the wrong type, in one sentence.
    """
    declared = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    hints = get_type_hints(kind)
    mistakes = [f"has no {name}" for name, field in declared.items() if _is_needed(field) and name not in table]
    mistakes += [f"has an unknown key {name}" for name in table if name not in declared]
    values = {}
    for name in declared.keys() & table.keys():
        try:
            values[name] = _reader(hints[name])(table[name])
        except ValueError as error:
            mistakes.append(f"{name}: {error}")
    if mistakes:
        raise ValueError("; ".join(sorted(mistakes)))
    return kind(**values)


def _is_needed(field: Any) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _reader(hint: Any) -> Callable[[object], object]:
    if isinstance(hint, UnionType):
        (hint,) = (part for part in get_args(hint) if part is not NoneType)
    return _READERS[hint]


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"{value!r} must be a text in quotation marks")
    return value


def _whole(value: object) -> int:
    if type(value) is not int or value < 1:
        raise ValueError(f"{value!r} must be a whole number above 0")
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{value!r} must be a number")
    return float(value)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} must be true or false")
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise ValueError(f"{value!r} must be a list of texts")
    return tuple(map(_text, value))


def _names(value: object) -> Mapping[str, str]:
    if not isinstance(value, dict):
        raise ValueError(f"{value!r} must be a table")
    return {name: _text(colour) for name, colour in value.items()}


_READERS: Mapping[Any, Callable[[object], object]] = {
    str: _text,
    int: _whole,
    float: _number,
    bool: _flag,
    timedelta: lambda value: parse_duration(str(value)),
    tuple[str, ...]: _texts,
    Mapping[str, str]: _names,
}
