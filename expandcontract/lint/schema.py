"""The schema that SQL leads to: what it has made, and which of it the text under judgement made itself."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable

from expandcontract.lint.known import KnownColumn, KnownSchema
from expandcontract.lint.learning import objects, tables
from expandcontract.lint.reading.text import read
from expandcontract.lint.size import read_sizes
from expandcontract.lint.statement import Action, CreateTable, Statement

_HANDLERS: dict[type[Action], Callable[..., None]] = {**tables.HANDLERS, **objects.HANDLERS}


class Schema(KnownSchema):
    """Everything known, and how it is learnt."""

    def fork(self, touched: Iterable[str]) -> Schema:
        """Give a copy that may change without changing this one, while only these tables are touched."""
        other = Schema()
        for name, value in vars(self).items():
            setattr(other, name, copy.copy(value))
        names = set(touched)
        for name in names & self.tables.keys():
            other.tables[name] = copy.deepcopy(self.tables[name])
        for name, index in self.indexes.items():
            if index.table in names:
                other.indexes[name] = copy.copy(index)
        return other

    @classmethod
    def from_sql(cls, sql: str) -> Schema:
        """Give the schema that running this SQL on an empty database leaves behind."""
        schema = cls()
        schema.learn(read(sql))
        schema.sizes.update(read_sizes(sql))
        return schema

    def learn(self, statements: Iterable[Statement]) -> None:
        """Take in statements that have been deployed; nothing they made counts as fresh."""
        for statement in statements:
            for action in statement.actions:
                self.apply(action)
        self.fresh.clear()

    def assume_column(self, table: str, column: str, type_text: str) -> None:
        """Take in the type that somebody says a column has, unless the history knows better."""
        ((created,),) = [statement.actions for statement in read(f"CREATE TABLE assumed (it {type_text})")]
        if isinstance(created, CreateTable) and self.column(table, column) is None:
            self.known(table).columns[column] = KnownColumn(created.columns[0].type)

    def apply(self, action: Action) -> None:
        """Take in one action."""
        handler = _HANDLERS.get(type(action))
        if handler:
            handler(self, action)
