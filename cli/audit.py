"""`lucy audit verify|export`: prove the trail, or take it out to be proven elsewhere."""

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import select

from lucy.db import audit
from lucy.db.engine import Database
from lucy.db.tables import AuditEventRow, AuditSealRow
from lucy.settings import Settings

audit_app = typer.Typer(no_args_is_help=True, help="The audit trail.")


@audit_app.command()
def verify() -> None:
    """Recompute the chain from the database; exits 1 where it is broken."""
    state = asyncio.run(_verify(Settings.load()))
    if state.broken_at is not None:
        typer.echo(f"BROKEN at seal {state.broken_at}: {state.seals} seals and {state.events} events before it agree.")
        raise typer.Exit(1)
    typer.echo(f"Intact: {state.seals} seals over {state.events} events. Head: {state.head or 'none yet'}")


@audit_app.command()
def export(file: Annotated[Path, typer.Argument(help="the file to write, JSON lines")]) -> None:
    """Write events and seals as JSON lines, oldest first."""
    lines = asyncio.run(_lines(Settings.load()))
    file.write_text("".join(line + "\n" for line in lines))
    typer.echo(f"{len(lines)} lines written to {file}.")


async def _verify(settings: Settings) -> audit.ChainState:
    db = Database(settings.database_url)
    async with db.transaction() as session:
        state = await audit.verify(session)
    await db.close()
    return state


async def _lines(settings: Settings) -> list[str]:
    db = Database(settings.database_url)
    async with db.transaction() as session:
        events = (await session.scalars(select(AuditEventRow).order_by(AuditEventRow.id))).all()
        seals = (await session.scalars(select(AuditSealRow).order_by(AuditSealRow.id))).all()
    await db.close()
    rows = [{"kind": "event", "id": one.id, "at": one.at, "actor_id": one.actor_id, "actor_name": one.actor_name,
             "action": one.action, "batch": one.batch_id, "student": one.student_id, "outcome": one.outcome,
             "detail": one.detail} for one in events]  # fmt: skip
    rows += [{"kind": "seal", "id": one.id, "first_event": one.first_event, "last_event": one.last_event,
              "events": one.events, "previous_hash": one.previous_hash, "hash": one.hash} for one in seals]  # fmt: skip
    return [json.dumps(row, ensure_ascii=False, default=lambda value: value.isoformat()) for row in rows]
