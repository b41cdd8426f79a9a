"""What the catalogue knows to stand on a table or a column, and the functions whose bodies it doesn't look into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from expandcontract.database.catalog import regclass
from expandcontract.database.executor import Executor
from expandcontract.database.queries import queries
from expandcontract.domain.footprint import Touched
from expandcontract.domain.removal import Removed


@dataclass(frozen=True)
class Relation:
    """A table or view that is there, or one that inherits from it, with its columns."""

    schema: str
    name: str
    columns: tuple[str, ...]

    def holding(self, one: Removed) -> Removed:
        """The same as it is called here."""
        return Removed(self.name, one.column, self.schema)


Target = tuple[Removed, Relation]  # what a contract removes, and where that stands


@dataclass(frozen=True)
class Dependant:
    """An object that stands on another: in the server's words, and by its name."""

    description: str
    named: Touched


@dataclass(frozen=True)
class Function:
    """
    A function whose body is text.

    Attributes:
        name: with its arguments.
        named: without.
        language: of the body.
        source: the body.
        definition: the whole statement, for SQL and PL/pgSQL.
        triggers_of: ``schema.table`` of each table whose triggers call it.
    """

    name: str
    named: Touched
    language: str
    source: str
    definition: str | None
    triggers_of: frozenset[str]


def relations(executor: Executor, removed: Removed) -> tuple[Relation, ...]:
    """The relations that a name may mean, and all that inherit from them; none where it is gone."""
    names = {"table": removed.table, "schema": removed.schema}
    found = executor.rows(queries("dependants")["relations"], names)
    return tuple(Relation(schema, name, tuple(columns)) for schema, name, columns in found)


def dependants(executor: Executor, relation: Relation, columns: Sequence[str]) -> tuple[Dependant, ...]:
    """What stands on these columns of a relation, or on the whole of it where none is named."""
    names = {"relation": regclass(relation.name, relation.schema), "columns": list(columns)}
    return tuple(
        Dependant(description, Touched(name, member, schema))
        for description, schema, name, member in executor.rows(queries("dependants")["dependants"], names)
    )


def functions(executor: Executor) -> tuple[Function, ...]:
    """The functions of the user's that the server keeps as text."""
    return tuple(
        Function(identity, Touched(name, None, schema), language, source, definition, frozenset(tables))
        for identity, schema, name, language, source, definition, tables in executor.rows(
            queries("dependants")["functions"]
        )
    )


def publications(executor: Executor, relation: Relation) -> tuple[str, ...]:
    """The publications that send the relation's rows to somebody."""
    names = {"schema": relation.schema, "table": relation.name}
    return tuple(name for (name,) in executor.rows(queries("dependants")["publications"], names))
