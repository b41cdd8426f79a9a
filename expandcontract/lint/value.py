"""Records that cost little to define: a short run of ``ec lint`` is mostly start-up."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, ClassVar, Self, dataclass_transform


class _Fields:
    """
    What both kinds of record share: the constructor, made from the class's annotations.

    `dataclasses` compiles several methods when a class is defined; with some hundred classes, of which a run uses
    a dozen, that takes longer than reading a thousand statements. Here a class's constructor is compiled when its
    first record is made. A default that is a dict, a list or a set is copied for each record.
    """

    _fields: ClassVar[tuple[str, ...]] = ()
    _defaults: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls) -> None:
        own = tuple(inspect.get_annotations(cls))
        cls._fields = cls._fields + own
        cls._defaults = cls._defaults | {name: cls.__dict__[name] for name in own if name in cls.__dict__}
        cls.__init__ = _Fields.__init__  # type: ignore[method-assign]  # not the one compiled for a class above

    def __init__(self, *positional: Any, **named: Any) -> None:
        cls = type(self)
        cls.__init__ = _constructor(cls._fields, cls._defaults)  # type: ignore[method-assign]
        cls.__init__(self, *positional, **named)

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in self.__dict__.items())
        return f"{type(self).__name__}({values})"


@dataclass_transform(eq_default=False)
class Record(_Fields):
    """Like a dataclass, compared by identity, for type checkers as well."""


@dataclass_transform(frozen_default=True, eq_default=False)
class Value(_Fields):
    """Like a frozen dataclass, compared by identity, for type checkers as well."""

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def with_(self, **changes: Any) -> Self:
        """Give a copy with some fields changed."""
        return type(self)(**{**self.__dict__, **changes})


def _constructor(fields: tuple[str, ...], defaults: dict[str, Any]) -> Callable[..., None]:
    """Compile an ``__init__``; the names come from our own class definitions."""
    parameters = [f"{name}=_defaults[{name!r}]" if name in defaults else name for name in fields]
    lines = [f"def __init__({', '.join(['self', *parameters])}):", " _own = self.__dict__"]
    for name in fields:
        lines.append(f" _own[{name!r}] = {name}")
        if isinstance(defaults.get(name), dict | list | set):
            lines.append(f" if {name} is _defaults[{name!r}]: _own[{name!r}] = {name}.copy()")
    namespace: dict[str, Any] = {"_defaults": defaults}
    exec("\n".join(lines), namespace)  # noqa: S102
    constructor: Callable[..., None] = namespace["__init__"]
    return constructor
