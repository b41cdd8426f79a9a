"""A Draft as Python: the bodies of ``upgrade()`` and ``downgrade()``, and the definitions beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import MISSING, dataclass, fields, replace
from textwrap import wrap

from alembic.autogenerate.api import AutogenContext
from alembic.autogenerate.render import render_op, renderers
from alembic.operations import MigrateOperation, ops

from expandcontract.alembic_bridge.authoring.draft import THIS_CHANGE, Draft, Drafted, Part, Remark, distinct
from expandcontract.alembic_bridge.authoring.layout import WIDTH, laid_out, quoted
from expandcontract.alembic_bridge.operations import CreateSyncOp, DropSyncOp
from expandcontract.domain.change import Backfill, Sync

_INDENT = 4
_KEPT = {"upgrade", "downgrade", "expand", "contract", "backfill", "revision", "down_revision", "op", "sa"}


@dataclass(frozen=True)
class Text:
    """
    What goes into the file, formatted.

    Args:
        window: the line with ``contract_after``; empty without.
        before: what stands above ``upgrade()``: syncs, the parts of the expand, ``expand``.
        upgrade: the body of ``upgrade()``, docstring first, indented.
        downgrade: that of ``downgrade()``.
        after: what stands below ``downgrade()``: the backfill, the parts of the contract, ``contract``.
        imports: import statements that the operations need, besides ``op`` and ``sa``.
    """

    window: str
    before: tuple[str, ...]
    upgrade: str
    downgrade: str
    after: tuple[str, ...]
    imports: tuple[str, ...]


def text_of(draft: Draft, context: AutogenContext) -> Text:
    """
    The draft in Python, its operations rendered by Alembic with the user's options (``render_item``, prefixes).

    Raises:
        ValueError: an operation has no renderer.
    """
    context.imports = set()
    draft = _named_apart(draft)
    renderer = _Renderer(draft, context)
    syncs = tuple(renderer.sync(name) for name in draft.sync_names)
    before = (*syncs, *renderer.functions(draft.expand), *_tuple("expand", draft.expand))
    upgrade = renderer.body(draft.expand.says, draft.expand.parts)
    if len(draft.expand.parts) > 1:
        upgrade = f"{_docstring(draft.expand.says)}    for part in expand:\n        part()"
    return Text(
        window=f"contract_after = {quoted(draft.contract_after)}" if draft.contract_after else "",
        before=before,
        upgrade=upgrade,
        downgrade=renderer.downgrade(),
        after=(*renderer.backfill(), *renderer.contract()),
        imports=tuple(sorted(context.imports)),
    )


def _named_apart(draft: Draft) -> Draft:
    """The draft with each part's name distinct from the others and from whatever else the file names."""
    contract = draft.contract.parts if draft.contract else ()
    parts = (*draft.expand.parts, *contract)
    names = distinct((part.name for part in parts), taken=_KEPT | set(draft.sync_names))
    renamed = [replace(part, name=name) for part, name in zip(parts, names, strict=True)]
    expand = replace(draft.expand, parts=tuple(renamed[: len(draft.expand.parts)]))
    if draft.contract is None:
        return replace(draft, expand=expand)
    return replace(
        draft, expand=expand, contract=replace(draft.contract, parts=tuple(renamed[len(draft.expand.parts) :]))
    )


class _Renderer:
    """Renders the pieces of one draft."""

    def __init__(self, draft: Draft, context: AutogenContext) -> None:
        self._draft = draft
        self._context = context
        self._context.opts = {**context.opts, "ec_syncs": draft.sync_names}

    def sync(self, name: str) -> str:
        return laid_out(_call(self._draft.sync_names[name]), prefix=f"{name} = ")

    def functions(self, drafted: Drafted) -> tuple[str, ...]:
        """The parts as functions, where there are several."""
        if len(drafted.parts) < 2:
            return ()
        return tuple(self._function(part.name, part.says, (part,)) for part in drafted.parts)

    def backfill(self) -> tuple[str, ...]:
        backfill = self._draft.backfill
        if backfill is None:
            return ()
        source = next((name for name, sync in self._draft.sync_names.items() if sync == backfill.source), None)
        code = laid_out(_call(backfill, source=source), prefix="backfill = ")
        return (_comment(self._draft.backfill_says) + code,)

    def contract(self) -> tuple[str, ...]:
        contract = self._draft.contract
        if contract is None or not contract.parts:
            return ()
        if len(contract.parts) == 1:
            return (self._function("contract", contract.says, contract.parts),)
        (last,) = _tuple("contract", contract)
        return (*self.functions(contract), _comment(contract.says) + last)

    def downgrade(self) -> str:
        """The body of ``downgrade()``; where there is a contract it refuses, once that has run."""
        drafted = self._draft.downgrade
        if self._draft.contract is None:
            return self.body(drafted.says, drafted.parts)
        guard = "    refuse_if_contracted(revision)"
        statements = [self._statements(part) for part in drafted.parts if part.operations]
        return _docstring(drafted.says) + "\n".join([guard, *statements])

    def body(self, says: str, parts: Sequence[Part]) -> str:
        """A function's docstring and statements."""
        statements = [self._statements(part) for part in parts if part.operations]
        return _docstring(says) + ("\n".join(statements) if statements else "" if says else "    pass")

    def _function(self, name: str, says: str, parts: Sequence[Part]) -> str:
        return f"def {name}() -> None:\n{self.body(says, parts).rstrip()}"

    def _statements(self, part: Part) -> str:
        if not part.autocommit:
            return "\n".join(self._statement(operation, _INDENT) for operation in part.operations)
        inside = "\n".join(self._statement(operation, 2 * _INDENT) for operation in part.operations)
        return f"    with op.get_context().autocommit_block():\n{inside}"

    def _statement(self, operation: MigrateOperation, indent: int) -> str:
        """Alembic's text of an operation, laid out; what isn't one expression stays as it is."""
        lines = _rendered(self._context, operation)
        comments = [line for line in lines if line.lstrip().startswith("#")]
        code = "\n".join(line for line in lines if line not in comments)
        if code:
            try:
                code = laid_out(code, indent)
            except SyntaxError:
                code = "\n".join(" " * indent + line for line in code.splitlines())
        return "\n".join(
            [*(_comment(line.lstrip("# "), indent).rstrip() for line in comments), *([code] if code else [])]
        )


def _rendered(context: AutogenContext, operation: MigrateOperation) -> list[str]:
    """Alembic's text of an operation; before 1.18 it has none for a check."""
    try:
        return render_op(context, operation)
    except NotImplementedError:
        if not isinstance(operation, ops.CreateCheckConstraintOp):
            raise
    schema = {"schema": operation.schema} if operation.schema else {}
    arguments = [
        *map(repr, (operation.constraint_name, operation.table_name, str(operation.condition))),
        *(f"{name}={value!r}" for name, value in {**schema, **operation.kw}.items()),
    ]
    return [f"{context.opts['alembic_module_prefix']}create_check_constraint({', '.join(arguments)})"]


def _call(value: Sync | Backfill, **bare: str | None) -> str:
    """The expression that makes this value, its defaults left out; the arguments in `bare` are names."""
    arguments = []
    for each in fields(value):
        given = getattr(value, each.name)
        default = each.default_factory() if each.default_factory is not MISSING else each.default
        if given == default:
            continue
        shown = bare.get(each.name) or ("revision" if each.name == "writers" and given == THIS_CHANGE else repr(given))
        arguments.append(f"{each.name}={shown}" if each.kw_only else shown)
    return f"{type(value).__name__}({', '.join(arguments)})"


def _tuple(name: str, drafted: Drafted) -> tuple[str, ...]:
    """``expand = (one, two)``, where there are several parts."""
    if len(drafted.parts) < 2:
        return ()
    return (laid_out(f"({', '.join(part.name for part in drafted.parts)},)", prefix=f"{name} = "),)


def _docstring(says: str) -> str:
    """The docstring as lines of a function's body, or nothing."""
    if not says:
        return ""
    text = says.replace("\\", "\\\\").replace('"""', "'''")
    if _INDENT + len(text) + 6 <= WIDTH and "\n" not in text:
        return f'    """{text}"""\n'
    lines = [line for paragraph in text.splitlines() for line in wrap(paragraph, WIDTH - _INDENT) or [""]]
    return "\n".join(['    """', *(f"    {line}".rstrip() for line in lines), '    """\n'])


def _comment(text: str, indent: int = 0) -> str:
    """The text as comment lines, or nothing."""
    lines = wrap(text, WIDTH - indent - 2, break_long_words=False, break_on_hyphens=False)
    return "".join(f"{' ' * indent}# {line}\n" for line in lines)


@renderers.dispatch_for(Remark)
def _render_remark(context: AutogenContext, operation: Remark) -> list[str]:
    return [f"# {operation.text}"]


@renderers.dispatch_for(CreateSyncOp)
def _render_create_sync(context: AutogenContext, operation: CreateSyncOp) -> str:
    return f"{context.opts['alembic_module_prefix']}create_sync({_name_of(operation.sync, context)})"


@renderers.dispatch_for(DropSyncOp)
def _render_drop_sync(context: AutogenContext, operation: DropSyncOp) -> str:
    return f"{context.opts['alembic_module_prefix']}drop_sync({_name_of(operation.sync, context)})"


def _name_of(sync: Sync, context: AutogenContext) -> str:
    names: dict[str, Sync] = context.opts["ec_syncs"]
    return next(name for name, known in names.items() if known == sync)
