"""What ``op.get_bind()`` gives where there is no database: it writes what it is told, and answers nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn


class NoAnswer(Exception):
    """A revision reads what only a database can tell."""


class Unconnected:
    """
    A connection to nowhere.

    Args:
        imagined: SQLAlchemy's own, which writes every statement.
        write: takes the text of what it doesn't know.
        asked: told when somebody looks at an answer, who may go on without one.
    """

    def __init__(self, imagined: Any, write: Callable[[str], object], asked: Callable[[], None]) -> None:
        self._imagined = imagined
        self._write = write
        self._answer = _Answer(asked)

    def __getattr__(self, name: str) -> Any:
        """What `Enum.create(op.get_bind())` and the like need."""
        return getattr(self._imagined, name)

    def execution_options(self, **_: object) -> Unconnected:
        """They change nothing about a text."""
        return self

    def execute(self, statement: Any, *arguments: Any, **options: Any) -> _Answer:
        """Write it."""
        self._imagined.execute(statement, *arguments, **options)
        return self._answer

    scalar = scalars = execute

    def exec_driver_sql(self, statement: str, *_: Any, **__: Any) -> _Answer:
        """Write it."""
        self._write(f"{statement.strip().removesuffix(';')};")
        return self._answer

    def commit(self) -> None:
        """Write what it would run."""
        self._write("COMMIT;")

    def rollback(self) -> None:
        """Write what it would run."""
        self._write("ROLLBACK;")


class _Answer:
    """What a statement answers: whoever looks at it gets to know that nobody has answered."""

    def __init__(self, asked: Callable[[], None]) -> None:
        self._asked = asked

    def _look(self, *_: object) -> NoReturn:
        self._asked()
        raise NoAnswer

    __getattr__ = __iter__ = __bool__ = __len__ = __getitem__ = __contains__ = __int__ = __str__ = _look
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __add__ = _look
    __hash__ = object.__hash__
