"""`lucy`: everything that is done to Lucy from a terminal."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from cli import serve
from cli.audit import audit_app
from cli.config import config_app
from cli.docs import docs_app
from cli.ingest import ingest_app
from cli.manifest import manifest_app
from cli.rules import rules_app
from cli.secrets import secrets_app
from lucy.domain.audit import Actor
from lucy.errors import ConfigurationError, LucyError
from lucy.log import configure_logging
from lucy.settings import Settings

# Typer's pretty tracebacks show local variables, and those hold secrets.
app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Lucy, the chat-ops bot of the virtual campus.",
)
app.add_typer(config_app, name="config")
app.add_typer(audit_app, name="audit")
app.add_typer(ingest_app, name="ingest")
app.add_typer(rules_app, name="rules")
app.add_typer(secrets_app, name="secrets")
app.add_typer(docs_app, name="docs")
app.add_typer(manifest_app, name="manifest")


@app.command()
def bot() -> None:
    """Answer Teams (POST /api/messages)."""
    asyncio.run(serve.bot(_settings()))


@app.command()
def worker() -> None:
    """Do the work: lanes, ingest, cards."""
    serve.worker(_settings())


@app.command()
def scheduler() -> None:
    """Watch the clock and sweep; several may run, one is active."""
    asyncio.run(serve.scheduler(_settings()))


@app.command()
def migrate() -> None:
    """Bring the database to this version's schema."""
    from lucy.db.engine import Database
    from migrations.runner import migrate as apply

    async def run() -> None:
        db = Database(_settings().database_url)
        await apply(db.engine)
        await db.close()

    asyncio.run(run())
    typer.echo("The database is at the newest schema.")


@app.command()
def check(
    canaries: Annotated[bool, typer.Option(help="search for passwords and tokens where none may be, instead")] = False,
) -> None:
    """Try every outside system and say what to mend."""
    from cli.check import check_all, check_canaries

    if not asyncio.run((check_canaries if canaries else check_all)(_settings())):
        raise typer.Exit(1)


@app.command("run-now")
def run_now(name: Annotated[str, typer.Argument(help="a schedule: ingesta-nocturna, informe")]) -> None:
    """Have a schedule run as if its time had come."""
    from cli.schedules import bring_forward_now

    asyncio.run(bring_forward_now(_settings(), name, Actor("cli", "lucy run-now")))
    typer.echo(f"{name} runs with the scheduler's next tick.")


@app.command()
def sandbox(
    one: Annotated[str, typer.Argument(help="sial, graph, moodle, smtp or teams; left out: all of them")] = "",
    port: Annotated[int, typer.Option(help="of that one; 0: a free one")] = 0,
    folder: Annotated[Path, typer.Option(help="where its files go")] = Path(".run/sandbox"),
) -> None:
    """Run the simulators of SIAL, Entra and Graph, Moodle, SMTP and Teams, or one of them (docs/sandbox.md)."""
    from sandbox.__main__ import run, run_alone
    from sandbox.together import Population

    folder.mkdir(parents=True, exist_ok=True)
    population = Population(preinscriptos=24, aspirantes=84, ingresantes=12)
    if not one:
        typer.echo(f"The addresses are written to {folder / 'addresses.json'}. Ctrl-C ends it.")
        asyncio.run(run(folder, population, 500))
        return
    try:
        asyncio.run(run_alone(one, folder, population, 500, port=port))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


@app.command()
def demo(students: Annotated[int, typer.Option(min=30, max=2000)] = 120) -> None:
    """Play the whole story on embedded servers and simulators; fails if one student ends wrong."""
    from cli.demo.run import run_demo

    raise typer.Exit(asyncio.run(run_demo(students)))


@app.command()
def up(port: Annotated[int, typer.Option(help="of the chat; 0: a free one")] = 8787) -> None:
    """Run everything on this machine and leave it running, with a chat in the browser."""
    from cli.up import run_up

    asyncio.run(run_up(port=port))


def _settings() -> Settings:
    settings = Settings.load()
    configure_logging()
    return settings


def main() -> None:
    """Entry point. What is wrong with the installation is said in a line, not in a traceback."""
    try:
        app()
    except ConfigurationError as error:
        print(f"Lucy cannot start:\n{error}", file=sys.stderr)
        sys.exit(2)
    except LucyError as error:
        print(str(error), file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
