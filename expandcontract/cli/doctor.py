"""``ec doctor``."""

from __future__ import annotations

import click

from expandcontract.cli import options
from expandcontract.cli.boundary import run
from expandcontract.cli.text import lines, result_text
from expandcontract.commands import doctor as command
from expandcontract.domain.diagnosis import NamedRisk


@click.command(short_help="Say what is wrong or risky, and the remedy of each.")
@options.as_json
@click.pass_context
def doctor(context: click.Context, as_json: bool) -> None:
    """
    Look at the database, the role, the connection and the project, and say what would make a step fail or is risky,
    each with its remedy. It only reads, and waits for nobody. Exit 1 where something would make a step fail.
    """
    run("doctor", lambda: command.examine(options.settings_of(context)), as_json=as_json)


@result_text.register
def _(result: command.DoctorResult) -> str:
    found = lines(map(_risk_text, result.risks))
    sound = len(result.looked_for) - len({risk.name for risk in result.risks})
    return lines([*([found] if found else []), f"looked for {len(result.looked_for)} risks, {sound} of them not there"])


def _risk_text(risk: NamedRisk) -> str:
    return f"{risk.weight + ':':<8} {risk.name}\nbecause: {risk.because}\nremedy:  {risk.remedy}\n"
