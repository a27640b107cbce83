"""`lucy ingest runs|replay`: what the readings of SIAL received, and what it would do, or does, once more."""

import asyncio
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import select

from lucy.db import payloads
from lucy.db.tables import IngestRunRow
from lucy.domain.ingest import explain
from lucy.flows.replay_run import look_again, replay_run
from lucy.log import configure_logging
from lucy.settings import Settings
from lucy.texts import number
from workers.runtime import Runtime

ingest_app = typer.Typer(no_args_is_help=True, help="Readings of the source lists.")
SHOWN = 60


@ingest_app.command()
def runs() -> None:
    """The newest readings, with how much is kept of each."""
    asyncio.run(_runs(Settings.load()))


@ingest_app.command()
def replay(
    run: Annotated[int, typer.Argument(help="the number of a reading, as `lucy ingest runs` tells it")],
    apply: Annotated[
        bool, typer.Option(help="store it, as a reading of its own; otherwise nothing is written")
    ] = False,
) -> None:
    """Read what a run received once more, without asking SIAL."""
    configure_logging(level="WARNING")
    asyncio.run(_replay(Settings.load(), run, apply=apply))


async def _runs(settings: Settings) -> None:
    runtime = await Runtime.open(settings)
    try:
        async with runtime.db.transaction() as session:
            rows = (await session.scalars(select(IngestRunRow).order_by(IngestRunRow.id.desc()).limit(SHOWN))).all()
            sizes = await payloads.sizes(session)
    finally:
        await runtime.close()
    table = Table("reading", "list", "asked for by", "ended", "entries", "new", "changed", "aside", "kept")
    for row in rows:
        ended = f"{row.finished_at.astimezone(runtime.house.zone):%d/%m/%Y %H:%M}" if row.finished_at else "—"
        state = row.error_code or row.waits_for or ended
        counts = (number(one) for one in (row.seen, row.new, row.changed, row.held))
        kept = f"{number(sizes[row.id] // 1024)} KB" if row.id in sizes else "—"
        table.add_row(str(row.id), row.source_list.value, row.requested_by, state, *counts, kept)
    Console().print(table)


async def _replay(settings: Settings, run: int, *, apply: bool) -> None:
    runtime = await Runtime.open(settings)
    try:
        seen = await look_again(runtime.db, runtime.records, run)
        compared = seen.comparison
        typer.echo(
            f"Reading {run} of {seen.source_list}: {seen.seen} entries. Today {compared.new} people would be new, "
            f"{compared.changed} changed, {compared.unchanged} as they are, {compared.missing} missing."
        )
        for reason, count in sorted(seen.aside.items()):
            typer.echo(f"  aside: {count} {explain(reason)[0]}")
        if not apply:
            typer.echo("Nothing was written. With --apply it is stored.")
            return
        done = await replay_run(
            runtime.db, runtime.records, run, requested_by=f"lucy ingest replay {run}", house=runtime.house
        )
    finally:
        await runtime.close()
    if done is None:
        typer.echo("It would change or drop unusually many: the channel is asked. Nothing was written.")
        raise typer.Exit(1)
    typer.echo(f"Stored: {done.new} new, {done.changed} changed, {done.held} aside, {done.unanswered} not kept.")
