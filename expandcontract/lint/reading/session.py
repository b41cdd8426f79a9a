"""Transactions, settings, privileges and what concerns the whole server."""

from __future__ import annotations

from typing import Any

from expandcontract.lint.expression import Expression, relations
from expandcontract.lint.identifier import qualified, quoted
from expandcontract.lint.reading.objects import name_parts, option
from expandcontract.lint.statement import (
    Action,
    Authorise,
    ChangePublication,
    ClusterWide,
    SetVariable,
    Transaction,
)

_VERBS = {
    "TRANS_STMT_BEGIN": "begin",
    "TRANS_STMT_START": "begin",
    "TRANS_STMT_COMMIT": "commit",
    "TRANS_STMT_ROLLBACK": "rollback",
    "TRANS_STMT_PREPARE": "prepare",
    "TRANS_STMT_COMMIT_PREPARED": "commit prepared",
    "TRANS_STMT_ROLLBACK_PREPARED": "rollback prepared",
}


def transaction(body: dict[str, Any], at: int) -> tuple[Action, ...]:
    """Read BEGIN, COMMIT and the like; everything about savepoints is the verb savepoint."""
    verb = Transaction(at, _VERBS.get(body["kind"], "savepoint"))
    return (verb, Transaction(at, "begin")) if body.get("chain") else (verb,)


def set_variable(body: dict[str, Any], at: int) -> tuple[Action, ...]:
    """Read SET and RESET."""
    name = body.get("name", "all" if body["kind"] == "VAR_RESET_ALL" else "").lower()
    values = [Expression(each).constant for each in body.get("args", ())]
    if body["kind"] != "VAR_SET_VALUE":
        return (SetVariable(at, name, None, body.get("is_local", False), reset=True),)
    value = ", ".join("" if each is None else str(each) for each in values)
    return (SetVariable(at, name, value, body.get("is_local", False)),)


def grant(body: dict[str, Any], at: int) -> tuple[Action, ...]:
    """Read GRANT and REVOKE on objects."""
    kind = body.get("objtype", "OBJECT_TABLE").removeprefix("OBJECT_").lower()
    named = relations(body.get("objects", ())) or [qualified(name_parts(each)) for each in body.get("objects", ())]
    return (Authorise(at, "grant" if body.get("is_grant") else "revoke", kind, tuple(named)),)


def grant_role(body: dict[str, Any], at: int) -> tuple[Action, ...]:
    """Read GRANT and REVOKE of role membership."""
    roles = tuple(quoted(each["AccessPriv"].get("priv_name", "")) for each in body.get("granted_roles", ()))
    return (Authorise(at, "grant" if body.get("is_grant") else "revoke", "role", roles),)


def default_privileges(body: dict[str, Any], at: int) -> tuple[Action, ...]:
    """Read ALTER DEFAULT PRIVILEGES."""
    return (Authorise(at, "grant" if body["action"].get("is_grant") else "revoke", "default privileges", ()),)


def change_owner(body: dict[str, Any], at: int) -> tuple[Action, ...]:
    """Read ALTER … OWNER TO for what isn't a relation."""
    kind = body["objectType"].removeprefix("OBJECT_").lower()
    return (Authorise(at, "own", kind, (qualified(name_parts(body.get("object", {}))),)),)


def reassign_owned(body: dict[str, Any], at: int) -> tuple[Action, ...]:
    """Read REASSIGN OWNED."""
    roles = tuple(quoted(each["RoleSpec"].get("rolename", "current_user")) for each in body.get("roles", ()))
    return (Authorise(at, "own", "everything of", roles),)


def change_role(body: dict[str, Any], at: int) -> tuple[Action, ...]:
    """Read ALTER ROLE and DROP ROLE; CREATE ROLE takes nothing from anybody."""
    roles = [each["RoleSpec"].get("rolename", "") for each in body.get("roles", ()) if "RoleSpec" in each]
    roles = roles or [body.get("role", {}).get("rolename", "")]
    return (Authorise(at, "role", "role", tuple(quoted(role) for role in roles if role)),)


def alter_database(body: dict[str, Any], at: int) -> tuple[Action, ...]:
    """Read ALTER DATABASE … SET TABLESPACE; its other forms change nothing for those connected."""
    options = {each["DefElem"]["defname"] for each in body.get("options", ())}
    verb = "ALTER DATABASE SET TABLESPACE" if "tablespace" in options else "ALTER DATABASE"
    return (ClusterWide(at, verb, quoted(body.get("dbname", ""))),)


def create_subscription(body: dict[str, Any], at: int) -> tuple[Action, ...]:
    """Read CREATE SUBSCRIPTION; only one that makes a replication slot concerns more than this database."""
    name = quoted(body["subname"])
    for each in body.get("options", ()):
        element = each["DefElem"]
        if element["defname"] in ("connect", "create_slot") and not option([each], element["defname"]):
            return (ChangePublication(at, name, (), created=True),)
    return (ClusterWide(at, "CREATE SUBSCRIPTION", name),)


def cluster_wide(verb: str, key: str) -> Any:
    """Give a reader for a statement that is known by its verb and one name."""

    def read(body: dict[str, Any], at: int) -> tuple[Action, ...]:
        return (ClusterWide(at, verb, quoted(body.get(key, ""))),)

    return read
