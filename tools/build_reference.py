"""
Write the generated parts of the reference: what the code says about itself, between two comments in each page.

``python tools/build_reference.py`` writes them anew; with ``--check`` it changes nothing and exits 1 where a page is
out of date. What stands outside the comments is written by hand and stays.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import MISSING, dataclass, fields
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from expandcontract import config, errors
from expandcontract.alembic_bridge import operations as bridge
from expandcontract.backfill.health.catalogue import KINDS
from expandcontract.cli.main import ec
from expandcontract.colours.catalogue import BUILT_IN, kind_named
from expandcontract.commands.result import Outcome
from expandcontract.domain import change, evidence, phase, refusal, step
from expandcontract.domain.duration import format_duration
from expandcontract.evidence.alert_sources import KINDS as ALERT_KINDS

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
LEDGER = ROOT / "expandcontract" / "database" / "sql"

_PART = re.compile(r"(?P<begin><!-- generated: (?P<name>[\w-]+) -->\n).*?(?P<end><!-- end of generated -->)", re.DOTALL)


def main(arguments: Sequence[str]) -> int:
    """Write or check every page; the exit code."""
    unknown = [argument for argument in arguments if argument != "--check"]
    if unknown:
        sys.stderr.write(f"unknown argument {unknown[0]}; there is only --check\n")
        return 2
    stale = [page for page in sorted(DOCS.rglob("*.md")) if (text := page.read_text("utf-8")) != rendered(text)]
    for page in stale:
        if "--check" in arguments:
            sys.stderr.write(f"{page.relative_to(ROOT)} is out of date: python tools/build_reference.py\n")
        else:
            page.write_text(rendered(page.read_text("utf-8")), "utf-8")
            sys.stdout.write(f"wrote {page.relative_to(ROOT)}\n")
    return 1 if stale and "--check" in arguments else 0


def rendered(page: str) -> str:
    """
    The page's text with its generated parts as the code has them now.

    Raises:
        KeyError: a part that nobody generates.
    """
    return _PART.sub(lambda found: f"{found['begin']}\n{PARTS[found['name']]().strip()}\n\n{found['end']}", page)


@dataclass(frozen=True)
class Documented:
    """A command with its words on the command line and the context that knows its variables."""

    words: str
    command: click.Command
    context: click.Context


def commands(group: click.Group = ec, above: click.Context | None = None) -> Iterator[Documented]:
    """The group and every command below it, in the order of its help."""
    context = above or click.Context(group, info_name="ec", auto_envvar_prefix="EC")
    yield Documented(context.command_path, group, context)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None:
            raise LookupError(f"{name} is listed and isn't there")
        below = click.Context(command, info_name=name, parent=context)
        if isinstance(command, click.Group):
            yield from commands(command, below)
        else:
            yield Documented(below.command_path, command, below)


def command_pages() -> str:
    """Each command with its usage, its text, its arguments and its options."""
    parts = []
    for documented in commands():
        context = documented.context
        pieces = " ".join(documented.command.collect_usage_pieces(context))
        parts += [
            f"## {documented.words}",
            f"```text\n{documented.words} {pieces}\n```",
            paragraphs(documented.command.help),
        ]
        rows = [row for option in documented.command.params if (row := _option_row(option))]
        if rows:
            parts.append("| option | what it does | default | variable |\n|---|---|---|---|\n" + "\n".join(rows))
        if isinstance(documented.command, click.Group):
            names = ", ".join(
                f"[`{documented.words} {name}`](#{_anchor(f'{documented.words} {name}')})"
                for name in documented.command.list_commands(context)
            )
            parts.append(f"Commands: {names}")
    return "\n\n".join(parts)


def _option_row(option: click.Parameter) -> str | None:
    if not isinstance(option, click.Option) or option.hidden:
        return None
    spelling = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    metavar = "" if option.is_flag else f" `{_metavar(option)}`"
    text, notes = _text_and_notes(option)
    shown = notes.get("default", option.default if option.show_default and not option.is_flag else None)
    repeated = " Repeatable." if option.multiple and "repeatable" not in text else ""
    variable = variable_of(option)
    cells = (
        f"{spelling}{metavar}",
        f"{text}{repeated}",
        f"`{shown}`" if shown is not None else "",
        f"`{variable}`" if variable else "",
    )
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"


def _metavar(option: click.Option) -> str:
    if option.metavar:
        return option.metavar
    return "NUMBER" if isinstance(option.type, click.types.IntParamType) else "TEXT"


def _text_and_notes(option: click.Option) -> tuple[str, dict[str, str]]:
    """The help text, and what it says in brackets at its end: the variable and the default."""
    text, _, bracket = (option.help or "").partition("  [")
    notes = dict(note.split(": ", 1) for note in bracket.rstrip("]").split("; ") if ": " in note)
    return text.strip(), notes


def variable_of(option: click.Option) -> str | None:
    """The variable that stands for the option, as its help says."""
    _, notes = _text_and_notes(option)
    return notes.get("env var") or notes.get("env")


def _anchor(heading: str) -> str:
    return heading.lower().replace(" ", "-")


_AS_IT_STANDS = "\b\n"  # click's mark of a paragraph that isn't filled


def paragraphs(text: str | None) -> str:
    """A docstring's paragraphs, each on one line, its quotation of code as Markdown has it."""
    return "\n\n".join(
        f"```text\n{piece.removeprefix(_AS_IT_STANDS)}\n```"
        if piece.startswith(_AS_IT_STANDS)
        else " ".join(piece.split()).replace("``", "`")
        for piece in inspect.cleandoc(text or "").split("\n\n")
    )


def commented(module: Any, name: str) -> list[tuple[str, Any, str]]:
    """The assignments in a class body: name, value, and the comment at the end of its line."""
    source = inspect.getsource(module)
    lines = source.splitlines()
    body = next(node for node in ast.parse(source).body if isinstance(node, ast.ClassDef) and node.name == name).body
    found = []
    for node in body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if isinstance(target, ast.Name) and node.end_lineno:
            _, _, comment = lines[node.end_lineno - 1].partition("  # ")
            found.append((target.id, getattr(getattr(module, name), target.id, None), comment.strip()))
    return found


def exit_codes() -> str:
    """The exit codes."""
    rows = [f"| {int(value)} | {name} | {comment} |" for name, value, comment in commented(errors, "ExitCode")]
    return "| exit code | name | when |\n|---|---|---|\n" + "\n".join(rows)


def error_classes() -> str:
    """The tree of exceptions, then each of them."""
    tree = inspect.cleandoc(errors.__doc__ or "").split("\n\n")[1]
    parts = [f"```text\n{tree}\n```"]
    for name, member in vars(errors).items():
        if inspect.isclass(member) and issubclass(member, errors.EcError):
            text = paragraphs((member.__doc__ or "").partition("Args:")[0])
            code = f"Exit code {int(member.exit_code)}." if member is not errors.EcError else ""
            parts.append("\n\n".join(piece for piece in (f"## {name}", text, code) if piece))
    return "\n\n".join(parts)


def refusal_codes() -> str:
    """The codes of refusals."""
    rows = [f"| `{value}` | {comment} |" for _, value, comment in commented(refusal, "Code")]
    return "| code | because |\n|---|---|\n" + "\n".join(rows)


def members(module: Any, name: str) -> Callable[[], str]:
    """A table of an enumeration's members."""

    def table() -> str:
        rows = [f"| `{value}` | {comment} |" for _, value, comment in commented(module, name)]
        return "| word | meaning |\n|---|---|\n" + "\n".join(rows)

    return table


def outcomes() -> str:
    """The outcomes of a document, in one line."""
    return ", ".join(f"`{outcome}`" for outcome in Outcome)


def settings() -> str:
    """The settings of [tool.expandcontract] with their defaults."""
    comments = {name: comment for name, _, comment in commented(config, "Settings")}
    options = [(option, one) for one in commands() for option in one.command.params if isinstance(option, click.Option)]
    rows = []
    for setting in fields(config.Settings):
        if setting.name not in config._READERS:
            continue
        places = [(option, one) for option, one in options if option.name == setting.name]
        flags = sorted({f"`{option.opts[0]}`" for option, _ in places})
        on = ", ".join(f"`{one.words}`" for _, one in places)
        flag = f"{', '.join(flags)} ({on})" if flags else "–"
        meaning = comments[setting.name] or _sentence_about(setting.name)
        cells = (f"`{setting.name}`", _default(setting), meaning, f"`EC_{setting.name.upper()}`", flag)
        rows.append(f"| {' | '.join(cells)} |")
    return "| key | default | meaning | variable | flag |\n|---|---|---|---|---|\n" + "\n".join(rows)


def health_signals() -> str:
    """The health signals that have a key of their own."""
    rows = [
        f"| `{kind.name}` | {kind.measures} | {_limit(kind.default)} | `{kind.example}` |" for kind in KINDS.values()
    ]
    return "| key | looks at | default | example |\n|---|---|---|---|\n" + "\n".join(rows)


def colour_sources() -> str:
    """The kinds of colour source with their options."""
    return "\n\n".join(_kind(name, kind_named(name), with_module=True) for name in BUILT_IN)


def alert_sources() -> str:
    """The kinds of alert source with their options."""
    return "\n\n".join(_kind(name, kind, with_module=False) for name, kind in ALERT_KINDS.items())


def _kind(name: str, kind: type[Any], *, with_module: bool) -> str:
    """A dataclass whose fields are options: what it and, where it is alone there, its module say, and a table."""
    module = inspect.getmodule(kind)
    documented = [module, kind] if with_module else [kind]
    parts = [f"### {name}", *(paragraphs(one.__doc__) for one in documented)]
    comments = {option: comment for option, _, comment in commented(module, kind.__name__)}
    rows = [f"| `{option.name}` | {_needed(option)} | {comments[option.name]} |" for option in fields(kind)]
    if rows:
        parts.append("| option | default | meaning |\n|---|---|---|\n" + "\n".join(rows))
    return "\n\n".join(parts)


def _needed(option: Any) -> str:
    if option.default is MISSING:
        return "needed"
    if option.default is None:
        return "–"
    if isinstance(option.default, tuple):
        return f"`[{', '.join(map(repr, option.default))}]`"
    return f"`{str(option.default).lower() if isinstance(option.default, bool) else option.default}`"


def _limit(text: str) -> str:
    return text if text == "off" else f"`{text}`"


def _sentence_about(name: str) -> str:
    """What the docstring of the settings says of one of them, up to the first comma."""
    found = re.search(rf"``{name}`` is ([^,;.]+)", config.Settings.__doc__ or "")
    return " ".join(found[1].split()) if found else ""


def _default(setting: Any) -> str:
    value = setting.default if setting.default is not MISSING else setting.default_factory()
    if value == ():
        return "–"
    if isinstance(value, float):  # a share, written as people write it
        return f"`{value:.0%}`"
    if not isinstance(value, timedelta):
        return f"`{value}`"
    milliseconds = value // timedelta(milliseconds=1)
    return f"`{format_duration(value)}`" if milliseconds % 1000 == 0 else f"`{milliseconds}ms`"


def declaration(declared: type) -> Callable[[], str]:
    """A class that an author declares: its text, its signature, its arguments."""

    def described() -> str:
        text, _, rest = inspect.cleandoc(declared.__doc__ or "").partition("Args:")
        arguments, _, _ = rest.partition("Raises:")
        signature = ",\n    ".join(map(_parameter, inspect.signature(declared).parameters.values()))
        rows = [f"| `{name}` | {words} |" for name, words in _arguments(arguments)]
        table = "| argument | meaning |\n|---|---|\n" + "\n".join(rows)
        return f"```text\n{declared.__name__}(\n    {signature},\n)\n```\n\n{paragraphs(text)}\n\n{table}"

    return described


def _parameter(item: inspect.Parameter) -> str:
    kind = str(item.annotation)
    if item.default is inspect.Parameter.empty:
        return f"{item.name}: {kind}"
    default = "{}" if callable(item.default) or "factory" in repr(item.default) else repr(item.default)
    return f"{item.name}: {kind} = {default}"


def _arguments(text: str) -> Iterator[tuple[str, str]]:
    joined = re.sub(r"\n\s{6,}", " ", text)
    for line in joined.splitlines():
        name, colon, words = line.strip().partition(": ")
        if colon:
            yield name, re.sub(r"``?", "`", words)


def operations() -> str:
    """The two operations, as `op.…`."""
    parts = []
    functions = [node for node in ast.walk(ast.parse(inspect.getsource(bridge))) if isinstance(node, ast.FunctionDef)]
    for name in ("create_sync", "drop_sync"):  # from the source, since Alembic writes its own words into __doc__
        text = next(ast.get_docstring(node) for node in functions if node.name == name)
        parts.append(f"### `op.{name}(sync)`\n\n{paragraphs(text)}")
    return "\n\n".join(parts)


_COLUMN = r"\s*([a-z_]+)\s+([a-z ]+?(?:\[\])?)(?=,|$| NOT| PRIMARY| REF| DEFAULT| GENERATED| CHECK)"


def ledger() -> str:
    """The ledger's tables: what each holds, its columns and their types."""
    scripts = sorted(LEDGER.glob("ledger_*.sql"), key=lambda path: int(path.stem.rpartition("_")[2]))
    sql = "\n".join(script.read_text("utf-8") for script in scripts)
    comments = {
        (table, column): words.replace("''", "'")
        for table, column, words in re.findall(
            r"COMMENT ON (?:TABLE|COLUMN) ec\.(\w+)(?:\.(\w+))? IS\s+'((?:[^']|'')*)'", sql
        )
    }
    parts = []
    for table, body in re.findall(r"CREATE TABLE ec\.(\w+) \((.*?)\n\);", sql, re.DOTALL):
        rows = []
        for line in body.strip().splitlines():
            found = re.match(_COLUMN, line)
            if found:
                null = "" if re.search(r"NOT NULL|PRIMARY KEY", line) else "yes"
                rows.append(f"| `{found[1]}` | {found[2].strip()} | {null} | {comments.get((table, found[1]), '')} |")
        heading = f"## ec.{table}"
        about = comments.get((table, ""), "")
        parts += [heading, *([about[0].upper() + about[1:] + "."] if about else [])]
        parts.append("| column | type | may be null | meaning |\n|---|---|---|---|\n" + "\n".join(rows))
    return "\n\n".join(parts)


PARTS: dict[str, Callable[[], str]] = {
    "commands": command_pages,
    "exit-codes": exit_codes,
    "errors": error_classes,
    "refusals": refusal_codes,
    "phases": members(phase, "Phase"),
    "states": members(step, "StepState"),
    "outcomes": outcomes,
    "settings": settings,
    "sync": declaration(change.Sync),
    "backfill": declaration(change.Backfill),
    "operations": operations,
    "ledger": ledger,
    "health-signals": health_signals,
    "colour-sources": colour_sources,
    "alert-sources": alert_sources,
    "verdicts": members(evidence, "Verdict"),
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
