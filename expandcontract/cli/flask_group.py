"""``flask ec …``: the same commands on the project of a Flask application, as Flask-Migrate configures it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from flask import current_app
from flask.cli import ScriptInfo

from expandcontract.alembic_bridge.project_options import ProjectOptions
from expandcontract.cli.main import LazyGroup


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("-d", "--directory", metavar="FOLDER", help="The migrations folder; default: Flask-Migrate's.")
@click.option("-x", "--x-arg", "x", multiple=True, metavar="KEY=VALUE", help="An argument for env.py, as Alembic's -x.")
@click.pass_context
def ec(context: click.Context, directory: str | None, x: tuple[str, ...]) -> None:
    """Change the application's live schema in phases: expand, backfill, contract, in step with the live colour."""
    if not current_app:
        app = context.ensure_object(ScriptInfo).load_app()
        context.with_resource(app.app_context())  # env.py asks the application for its engine
    migrate = current_app.extensions.get("migrate")
    if migrate is None:
        raise click.UsageError("this application has no Flask-Migrate: call Migrate(app, db), or use ec itself")
    folder = Path(directory or migrate.directory)

    def adjust(config: Any) -> Any:
        config.set_main_option("script_location", str(folder))
        return migrate.migrate.call_configure_callbacks(config)

    context.obj = ProjectOptions((str(folder / "alembic.ini"),), x=x, adjust=adjust)
