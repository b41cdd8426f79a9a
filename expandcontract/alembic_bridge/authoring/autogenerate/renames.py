"""What looks like a rename: a comparison can only see that one goes and another comes, without its data."""

from __future__ import annotations

from alembic.operations import ops

from expandcontract.alembic_bridge.authoring.autogenerate.surroundings import Surroundings, key_of, shown


def possible_renames(around: Surroundings) -> list[str]:
    """A sentence for each column or table that goes while another of its kind comes."""
    coming = [each for each in around.differences if isinstance(each, ops.AddColumnOp)]
    going = [each for each in around.differences if isinstance(each, ops.DropColumnOp)]
    columns = []
    for old in going:
        table, kind = key_of(old), old.to_column().type._type_affinity
        alike = [new.column.name for new in coming if key_of(new) == table and new.column.type._type_affinity is kind]
        if alike:
            columns.append(
                f"{shown(table, old.column_name)} goes, with its data; if its new name is {' or '.join(alike)}:"
                f" ec new rename-column {shown(table)} {old.column_name} {alike[0]}"
            )
    tables = [
        f"the table {shown(key_of(old))} goes, with its data; if its new name is {new.table_name}:"
        f" ec new rename-table {shown(key_of(old))} {new.table_name}"
        for old in around.differences
        for new in around.differences
        if isinstance(old, ops.DropTableOp)
        and isinstance(new, ops.CreateTableOp)
        and {column.name for column in old.to_table().columns} == {column.name for column in new.to_table().columns}
    ]
    return columns + tables
