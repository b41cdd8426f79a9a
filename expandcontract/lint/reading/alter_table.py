"""ALTER TABLE and its subcommands, also for indexes, views, sequences and composite types."""

from __future__ import annotations

from typing import Any

from expandcontract.lint.expression import Expression
from expandcontract.lint.identifier import of_relation, quoted
from expandcontract.lint.reading.tables import collation, read_bound, read_column, read_constraint
from expandcontract.lint.sqltype import read_type
from expandcontract.lint.statement import (
    Action,
    AddColumn,
    AddConstraint,
    AlterColumn,
    AlterComposite,
    AlterConstraint,
    AlterRelation,
    AttachPartition,
    ChangeType,
    ColumnChange,
    DetachPartition,
    DropColumn,
    DropConstraint,
    TableChange,
    ValidateConstraint,
)

_COLUMN_CHANGES = {
    "AT_SetNotNull": ColumnChange.SET_NOT_NULL,
    "AT_DropNotNull": ColumnChange.DROP_NOT_NULL,
    "AT_SetExpression": ColumnChange.SET_EXPRESSION,
    "AT_DropExpression": ColumnChange.DROP_EXPRESSION,
    "AT_AddIdentity": ColumnChange.ADD_IDENTITY,
    "AT_SetIdentity": ColumnChange.SET_IDENTITY,
    "AT_DropIdentity": ColumnChange.DROP_IDENTITY,
    "AT_SetStatistics": ColumnChange.SET_STATISTICS,
    "AT_SetOptions": ColumnChange.SET_OPTIONS,
    "AT_ResetOptions": ColumnChange.SET_OPTIONS,
    "AT_SetStorage": ColumnChange.SET_STORAGE,
    "AT_SetCompression": ColumnChange.SET_COMPRESSION,
}
_TABLE_CHANGES = {
    "AT_SetLogged": TableChange.SET_LOGGED,
    "AT_SetUnLogged": TableChange.SET_UNLOGGED,
    "AT_SetTableSpace": TableChange.SET_TABLESPACE,
    "AT_SetAccessMethod": TableChange.SET_ACCESS_METHOD,
    "AT_SetRelOptions": TableChange.SET_OPTIONS,
    "AT_ResetRelOptions": TableChange.SET_OPTIONS,
    "AT_ReplaceRelOptions": TableChange.SET_OPTIONS,
    "AT_EnableTrig": TableChange.ENABLE_TRIGGER,
    "AT_EnableAlwaysTrig": TableChange.ENABLE_TRIGGER,
    "AT_EnableTrigAll": TableChange.ENABLE_TRIGGER,
    "AT_EnableTrigUser": TableChange.ENABLE_TRIGGER,
    "AT_EnableReplicaTrig": TableChange.DISABLE_TRIGGER,  # then it fires for replicas only
    "AT_DisableTrig": TableChange.DISABLE_TRIGGER,
    "AT_DisableTrigAll": TableChange.DISABLE_TRIGGER,
    "AT_DisableTrigUser": TableChange.DISABLE_TRIGGER,
    "AT_DisableRule": TableChange.DISABLE_RULE,
    "AT_EnableRowSecurity": TableChange.ROW_SECURITY,
    "AT_DisableRowSecurity": TableChange.ROW_SECURITY,
    "AT_ForceRowSecurity": TableChange.ROW_SECURITY,
    "AT_NoForceRowSecurity": TableChange.ROW_SECURITY,
    "AT_ReplicaIdentity": TableChange.REPLICA_IDENTITY,
    "AT_AddInherit": TableChange.INHERIT,
    "AT_DropInherit": TableChange.NO_INHERIT,
    "AT_ChangeOwner": TableChange.OWNER,
    "AT_ClusterOn": TableChange.CLUSTER_ON,
    "AT_DropCluster": TableChange.CLUSTER_ON,
}
_ATTRIBUTE_CHANGES = {"AT_AddColumn": "ADD", "AT_DropColumn": "DROP", "AT_AlterColumnType": "ALTER"}


def alter_table(body: dict[str, Any], at: int) -> tuple[Action, ...]:
    """Read every subcommand of an ALTER TABLE as an action of its own."""
    name = of_relation(body["relation"])
    kind = body.get("objtype", "OBJECT_TABLE").removeprefix("OBJECT_").lower()
    commands = [each["AlterTableCmd"] for each in body.get("cmds", ())]
    if kind == "type":
        return tuple(_attribute(name, command, at) for command in commands)
    return tuple(_subcommand(name, kind, command, at) for command in commands)


def alter_tables_in_tablespace(body: dict[str, Any], at: int) -> tuple[Action, ...]:
    """Read ALTER TABLE ALL IN TABLESPACE … SET TABLESPACE."""
    name = "all in tablespace " + quoted(body["orig_tablespacename"])
    kind = body.get("objtype", "OBJECT_TABLE").removeprefix("OBJECT_").lower()
    return (AlterRelation(at, name, kind, TableChange.SET_TABLESPACE, quoted(body["new_tablespacename"])),)


def _attribute(name: str, command: dict[str, Any], at: int) -> Action:
    attribute = command.get("name") or command.get("def", {}).get("ColumnDef", {}).get("colname", "")
    change = _ATTRIBUTE_CHANGES.get(command["subtype"], "ALTER")
    return AlterComposite(at, name, change, quoted(attribute), _cascades(command))


def _subcommand(table: str, kind: str, command: dict[str, Any], at: int) -> Action:
    subtype = command["subtype"]
    if subtype in _COLUMN_CHANGES or subtype == "AT_ColumnDefault":
        return _column_change(table, command, at)
    if subtype in _TABLE_CHANGES:
        return AlterRelation(at, table, kind, _TABLE_CHANGES[subtype], _argument(command))
    if kind == "index" and subtype == "AT_AttachPartition":
        return AlterRelation(at, table, kind, TableChange.ATTACH_INDEX, _argument(command))
    reader = _SUBCOMMANDS.get(subtype)
    return reader(table, command, at) if reader else AlterRelation(at, table, kind, TableChange.OTHER, subtype)


def _column_change(table: str, command: dict[str, Any], at: int) -> Action:
    expression = command.get("def")
    if command["subtype"] == "AT_ColumnDefault":
        change = ColumnChange.SET_DEFAULT if expression else ColumnChange.DROP_DEFAULT
    else:
        change = _COLUMN_CHANGES[command["subtype"]]
    value = Expression(expression) if isinstance(expression, dict) else None
    return AlterColumn(at, table, quoted(command.get("name", str(command.get("num", "")))), change, value)


def _argument(command: dict[str, Any]) -> str | None:
    definition = command.get("def", {})
    if "RangeVar" in definition:
        return of_relation(definition["RangeVar"])
    if "PartitionCmd" in definition:
        return of_relation(definition["PartitionCmd"]["name"])
    if "List" in definition:
        options = [each["DefElem"]["defname"] for each in definition["List"]["items"]]
        return ", ".join(options)
    owner = command.get("newowner", {}).get("rolename")
    name = owner or command.get("name")
    return quoted(name) if name else None


def _add_column(table: str, command: dict[str, Any], at: int) -> Action:
    column = read_column(command["def"]["ColumnDef"])
    return AddColumn(column.at or at, table, column, command.get("missing_ok", False))


def _drop_column(table: str, command: dict[str, Any], at: int) -> Action:
    return DropColumn(at, table, quoted(command["name"]), _cascades(command), command.get("missing_ok", False))


def _change_type(table: str, command: dict[str, Any], at: int) -> Action:
    definition = command["def"]["ColumnDef"]
    using = Expression(definition["raw_default"]) if "raw_default" in definition else None
    return ChangeType(
        definition.get("location") or at,
        table,
        quoted(command["name"]),
        read_type(definition["typeName"]),
        using,
        collation(definition),
    )


def _add_constraint(table: str, command: dict[str, Any], at: int) -> Action:
    constraint = read_constraint(command["def"]["Constraint"])
    return AddConstraint(constraint.at or at, table, constraint)


def _drop_constraint(table: str, command: dict[str, Any], at: int) -> Action:
    return DropConstraint(at, table, quoted(command["name"]), _cascades(command), command.get("missing_ok", False))


def _validate_constraint(table: str, command: dict[str, Any], at: int) -> Action:
    return ValidateConstraint(at, table, quoted(command["name"]))


def _alter_constraint(table: str, command: dict[str, Any], at: int) -> Action:
    definition = command["def"].get("ATAlterConstraint", command["def"].get("Constraint", {}))
    enforced = definition.get("is_enforced", False) if definition.get("alterEnforceability") else None
    return AlterConstraint(at, table, quoted(definition.get("conname", "")), enforced)


def _attach_partition(table: str, command: dict[str, Any], at: int) -> Action:
    partition = command["def"]["PartitionCmd"]
    return AttachPartition(at, table, of_relation(partition["name"]), read_bound(partition.get("bound", {})))


def _detach_partition(table: str, command: dict[str, Any], at: int) -> Action:
    partition = command["def"]["PartitionCmd"]
    finalize = command["subtype"] == "AT_DetachPartitionFinalize"
    return DetachPartition(at, table, of_relation(partition["name"]), partition.get("concurrent", False), finalize)


def _cascades(command: dict[str, Any]) -> bool:
    return command.get("behavior") == "DROP_CASCADE"


_SUBCOMMANDS = {
    "AT_AddColumn": _add_column,
    "AT_DropColumn": _drop_column,
    "AT_AlterColumnType": _change_type,
    "AT_AddConstraint": _add_constraint,
    "AT_DropConstraint": _drop_constraint,
    "AT_ValidateConstraint": _validate_constraint,
    "AT_AlterConstraint": _alter_constraint,
    "AT_AttachPartition": _attach_partition,
    "AT_DetachPartition": _detach_partition,
    "AT_DetachPartitionFinalize": _detach_partition,
}
