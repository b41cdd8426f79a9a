"""What everything that isn't a table touches when it is made, changed, renamed and dropped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from expandcontract.domain.footprint import EVERYTHING, Touched
from expandcontract.lint.expression import relations
from expandcontract.lint.footprint.bodies import body_of_function
from expandcontract.lint.footprint.mentions import calls_in, columns_of, names_in, object_named, reads_in
from expandcontract.lint.footprint.trace import ROWS, Trace, changing, defining
from expandcontract.lint.identifier import quoted
from expandcontract.lint.reading.objects import name_parts
from expandcontract.lint.statement import (
    AddEnumValue,
    AlterComposite,
    AlterDomain,
    Authorise,
    ChangePublication,
    Comment,
    CreateDomain,
    CreateFunction,
    CreateRule,
    CreateSchema,
    CreateStatistics,
    CreateTableAs,
    CreateTrigger,
    CreateType,
    CreateView,
    Drop,
    Rename,
    SetExtension,
    SetPolicy,
    SetSchema,
    SetSequence,
    Statement,
)

_HAVE_A_NAME = frozenset(
    (
        *("table", "view", "matview", "index", "sequence", "foreign_table", "statistic_ext", "collation"),
        *("type", "domain", "function", "procedure", "routine", "aggregate", "publication", "column"),
        *("tabconstraint", "trigger", "policy", "rule", "attribute", "enum value"),
    )
)


def create_view(action: CreateView, statement: Statement) -> Iterator[Trace]:
    """CREATE VIEW; the query runs when somebody reads the view."""
    query = action.query.node
    uses = reads_in(query) | names_in(query)
    yield Trace(frozenset([object_named(action.name)]), frozenset(uses), stays=True, passes_on=True)


def create_table_as(action: CreateTableAs, statement: Statement) -> Iterator[Trace]:
    """CREATE TABLE … AS and CREATE MATERIALIZED VIEW, whose queries run."""
    query = action.query.node
    yield defining([object_named(action.table)], reads_in(query) | names_in(query), calls_in(query))


def create_trigger(action: CreateTrigger, statement: Statement) -> Iterator[Trace]:
    """CREATE TRIGGER; its function runs when rows are written."""
    table = object_named(action.table)
    uses = {Touched(table.name, ROWS, table.schema), object_named(action.function)}
    uses |= columns_of(action.table, action.columns) | names_in(statement.tree)
    yield defining([object_named(action.table, action.name)], uses)


def create_rule(action: CreateRule, statement: Statement) -> Iterator[Trace]:
    """CREATE RULE may make anything of a write."""
    uses = {object_named(each) for each in relations(statement.tree)} | names_in(statement.tree)
    table = object_named(action.table)
    yield defining([table, object_named(action.table, action.name)], uses | {Touched(table.name, ROWS, table.schema)})


def set_policy(action: SetPolicy, statement: Statement) -> Iterator[Trace]:
    """CREATE and ALTER POLICY."""
    table = object_named(action.table)
    others = {object_named(each) for each in relations(statement.tree)} - {table}
    uses = columns_of(action.table, action.columns) | names_in(statement.tree) | others
    made = object_named(action.table, action.name)
    yield defining([made], uses | {Touched(table.name, ROWS, table.schema)})


def create_function(action: CreateFunction, statement: Statement) -> Iterator[Trace]:
    """CREATE FUNCTION; what it runs counts when it is called."""
    yield Trace(
        frozenset([object_named(action.name)]),
        frozenset(names_in(statement.tree)),
        stays=True,
        body=body_of_function(action, statement),
    )


def create_type(action: CreateType | CreateDomain | CreateSchema, statement: Statement) -> Iterator[Trace]:
    """CREATE TYPE, DOMAIN and SCHEMA."""
    if isinstance(action, CreateSchema):
        yield changing(_schema(action.name))
    else:
        yield defining([object_named(action.name)], names_in(statement.tree))


def alter_type(action: AddEnumValue | AlterComposite | AlterDomain, statement: Statement) -> Iterator[Trace]:
    """ALTER TYPE and ALTER DOMAIN."""
    name = action.name if isinstance(action, AlterDomain) else action.type
    changed = frozenset([object_named(name)])
    cascades = isinstance(action, AlterComposite) and action.cascade
    yield Trace(changed, frozenset(names_in(statement.tree)) - changed, takes_along=cascades)


def set_sequence(action: SetSequence, _: Statement) -> Iterator[Trace]:
    """CREATE and ALTER SEQUENCE."""
    yield defining([object_named(action.name)], [object_named(action.owned_by)] if action.owned_by else ())


def create_statistics(action: CreateStatistics, _: Statement) -> Iterator[Trace]:
    """CREATE STATISTICS changes nothing that anybody names."""
    yield Trace(uses=frozenset([object_named(action.table)]))


def set_extension(action: SetExtension, _: Statement) -> Iterator[Trace]:
    """CREATE EXTENSION; its update runs scripts of its own."""
    if action.created:
        yield changing(object_named(action.name))
    else:
        yield Trace(unknown=f"ALTER EXTENSION {action.name} runs scripts of its own")


def drop(action: Drop, _: Statement) -> Iterator[Trace]:
    """DROP of anything."""
    if action.kind == "schema":
        yield changing(_schema(action.name), takes_along=action.cascade)
    elif action.kind not in _HAVE_A_NAME:
        yield Trace(unknown=f"DROP {action.kind.upper().replace('_', ' ')} {action.name} isn't looked into")
    elif action.table:
        yield changing(object_named(action.table, action.name), takes_along=action.cascade)
    else:
        dropped = frozenset([object_named(action.name)])
        sought = dropped if action.kind == "index" else frozenset[Touched]()
        yield Trace(dropped, takes_along=action.cascade, sought=sought)


def rename(action: Rename, _: Statement) -> Iterator[Trace]:
    """Both names count, and whatever is known of one is known of the other."""
    if action.kind == "schema":
        both = [_schema(action.old), _schema(action.new)]
    elif action.kind not in _HAVE_A_NAME:
        yield Trace(unknown=f"a rename of {action.kind.replace('_', ' ')} {action.old} isn't looked into")
        return
    elif action.kind == "enum value":
        both = [object_named(action.relation or action.old)]
    elif action.relation:
        both = [object_named(action.relation, action.old), object_named(action.relation, action.new)]
        if action.kind == "tabconstraint":  # the index under it has its name
            schema = object_named(action.relation).schema
            both += [Touched(object_named(name).name, None, schema) for name in (action.old, action.new)]
    else:
        old = object_named(action.old)
        both = [old, Touched(object_named(action.new).name, None, old.schema)]
    sought = frozenset(both[:1]) if action.kind in ("index", "tabconstraint") else frozenset[Touched]()
    yield Trace(frozenset(both), frozenset(both), stays=True, sought=sought)


def set_schema(action: SetSchema, _: Statement) -> Iterator[Trace]:
    """ALTER … SET SCHEMA: here and there."""
    old = object_named(action.name)
    both = [old, Touched(old.name, None, object_named(action.schema).name)]
    yield defining(both, both)


def authorise(action: Authorise, statement: Statement) -> Iterator[Trace]:
    """GRANT, REVOKE and OWNER TO change each object that they name; without one, everything."""
    body: dict[str, Any] = next(iter(statement.tree.values()), {})
    if action.kind == "schema" or body.get("targtype") == "ACL_TARGET_ALL_IN_SCHEMA":
        yield changing(*map(_schema, action.objects))
    elif not action.objects or action.kind in ("everything of", "default privileges"):
        yield changing(EVERYTHING)
    else:
        yield changing(*map(object_named, action.objects))


def change_publication(action: ChangePublication, _: Statement) -> Iterator[Trace]:
    """A publication without tables may have all of them."""
    yield defining([object_named(action.name)], [object_named(each) for each in action.tables] or [EVERYTHING])


def comment(_: Comment, statement: Statement) -> Iterator[Trace]:
    """COMMENT ON: the object, or the member of it."""
    body = statement.tree["CommentStmt"]
    parts = [quoted(part) for part in name_parts(body.get("object", {}))]
    kind = body["objtype"].removeprefix("OBJECT_").lower()
    if kind in ("column", "tabconstraint", "trigger", "policy", "rule") and len(parts) > 1:
        yield changing(object_named(".".join(parts[:-1]), parts[-1]))
    elif kind == "schema":
        yield changing(_schema(parts[-1]))
    elif parts:
        yield changing(object_named(".".join(parts)))


def named_by(node: dict[str, Any]) -> Touched:
    """The object that a node of the parser's names."""
    return object_named(".".join(quoted(part) for part in name_parts(node)))


def _schema(name: str) -> Touched:
    return Touched(None, None, object_named(name).name)
