"""`lucy manifest build`: the app package that an administrator uploads to Teams."""

from pathlib import Path
from typing import Annotated

import typer

from lucy.settings import Settings
from manifest.package import build_package

manifest_app = typer.Typer(no_args_is_help=True, help="The Teams app package.")


@manifest_app.command()
def build(out: Annotated[Path, typer.Option(help="the zip to write")] = Path("build/lucy-teams.zip")) -> None:
    """Make the package from the settings: ids, names, domain, commands in both languages, icons."""
    content = build_package(Settings.load())
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(content)
    typer.echo(f"{out} written. Upload it in the Teams admin centre, or with «Upload an app» in the team.")
