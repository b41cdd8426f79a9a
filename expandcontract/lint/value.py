"""Immutable records that cost little to define: a short run of ``ec lint`` is mostly start-up."""

from __future__ import annotations

import inspect
from typing import Any, ClassVar, Self, dataclass_transform


@dataclass_transform(frozen_default=True, eq_default=False)
class Value:
    """
    Like a frozen dataclass, compared by identity, for type checkers as well.

    A frozen dataclass compiles several methods per class; with some fifty classes of actions that takes
    longer than reading a thousand statements does. Here all of them share these methods.
    """

    _fields: ClassVar[tuple[str, ...]] = ()
    _defaults: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls) -> None:
        own = tuple(inspect.get_annotations(cls))
        cls._fields = cls._fields + own
        cls._defaults = cls._defaults | {name: cls.__dict__[name] for name in own if name in cls.__dict__}

    def __init__(self, *positional: Any, **named: Any) -> None:
        values = self.__dict__
        values.update(self._defaults, **named)
        if positional:
            values.update(zip(self._fields, positional, strict=False))
        if len(values) != len(self._fields):
            raise TypeError(f"{type(self).__name__} takes {', '.join(self._fields)}")

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in self.__dict__.items())
        return f"{type(self).__name__}({values})"

    def with_(self, **changes: Any) -> Self:
        """Give a copy with some fields changed."""
        return type(self)(**{**self.__dict__, **changes})
