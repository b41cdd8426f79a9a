"""Expressions laid out as Black would."""

from __future__ import annotations

import ast

import pytest

from expandcontract.alembic_bridge.authoring.layout import WIDTH, laid_out, quoted

LONG = "a_rather_long_name_of_something"


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        ("f('a', b=1)", 'f("a", b=1)'),
        ("f(-1, (1,), (), [], {}, {'a': -2.5}, None, a.b[1])", 'f(-1, (1,), (), [], {}, {"a": -2.5}, None, a.b[1])'),
        ("""f("it's", '"', 'a\\'"')""", """f("it's", '"', "a'\\"")"""),
        (f"f('{LONG}', '{LONG}', '{LONG}')", f'f(\n    "{LONG}",\n    "{LONG}",\n    "{LONG}",\n)'),
        (f"{LONG}('{LONG}', '{LONG}')", f'{LONG}(\n    "{LONG}", "{LONG}"\n)'),
        (f"{LONG}({LONG}('{LONG}'))", f'{LONG}(\n    {LONG}("{LONG}")\n)'),
        (f"{LONG}['{LONG}', '{LONG}']", f"{LONG}['{LONG}', '{LONG}']"),
        (f"[{LONG}, {LONG}, {LONG}]", f"[\n    {LONG},\n    {LONG},\n    {LONG},\n]"),
        (f"f(*{LONG}, **{LONG}, a={LONG})", f"f(\n    *{LONG},\n    **{LONG},\n    a={LONG},\n)"),
    ],
)
def test_the_layout(code: str, wanted: str) -> None:
    assert laid_out(code) == wanted


def test_a_text_of_lines_of_its_own_stands_as_such() -> None:
    laid = laid_out(repr(f"\nSELECT 'a\\b'\n    FROM {LONG}_{LONG}\n"), 4, "sql=")

    assert laid == f"""    sql=\"\"\"\n    SELECT 'a\\\\b'\n        FROM {LONG}_{LONG}\n    \"\"\""""
    assert ast.parse(laid.strip())


def test_a_short_text_stays_as_it_is_for_it_may_be_a_name() -> None:
    assert laid_out(repr("f"), 0) == '"f"'
    assert laid_out("f('\\nx\\n')") == 'f("\\nx\\n")'


@pytest.mark.parametrize("text", ["", "a", "'", '"', "a\\", "\\'", 'it\'s "so"', "line\nline", "ümläut", "%s"])
def test_a_quoted_text_is_the_text(text: str) -> None:
    assert ast.literal_eval(quoted(text)) == text


@pytest.mark.parametrize("indent", [0, 4, 8])
def test_lines_are_no_longer_than_they_may(indent: int) -> None:
    code = (
        f"op.create_table('{LONG}', {', '.join(f'sa.Column({LONG!r}, sa.Text(), nullable=False)' for _ in range(9))})"
    )
    laid = laid_out(code, indent)
    assert all(len(line) <= WIDTH for line in laid.splitlines())
    assert ast.dump(ast.parse(laid.strip())) == ast.dump(ast.parse(code))
