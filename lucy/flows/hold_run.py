"""A reading that would change or drop unusually many waits for a person, who lets it pass or throws it away."""

from dataclasses import asdict
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import audit, cards, outbox, payloads
from lucy.db import ingest as ingest_db
from lucy.db.engine import Database
from lucy.db.tables import IngestRunRow
from lucy.domain.audit import LUCY, Actor, AuditEvent
from lucy.domain.ingest_guard import Comparison, HeldRun
from lucy.domain.nudges import Nudge
from lucy.domain.students import SourceList
from lucy.errors import RequestError
from lucy.flows.redraw import redraw_ingest
from lucy.texts import _

DISCARDED, SUPERSEDED = "U-005", "U-006"


async def hold_run(db: Database, run_id: int, why: HeldRun, comparison: Comparison, *, seen: int) -> None:
    """Nothing was written. Every staff channel is asked, once for each reading."""
    now = datetime.now(UTC)
    async with db.transaction() as session:
        row = await session.get(IngestRunRow, run_id, with_for_update=True)
        if row is None or row.finished_at is not None or row.waits_for:
            return
        row.waits_for, row.lease_until, row.seen = why.value, None, seen
        row.comparison = asdict(comparison)
        await supersede(session, row.source_list, before=run_id, now=now)
        detail = {"list": row.source_list.value, "why": why.value, **asdict(comparison)}
        await audit.record(session, [AuditEvent(LUCY, "ingest.held", "waits", detail=detail)], now=now)
        shown = {card.conversation_id for card in await cards.of_subject(session, shows="ingest", subject=str(run_id))}
        for channel in await cards.staff_channels(session):
            if channel.conversation_id not in {one.partition(";")[0] for one in shown}:
                await cards.add_card(
                    session,
                    shows="ingest",
                    subject=str(run_id),
                    service_url=channel.service_url,
                    tenant_id=channel.tenant_id,
                    conversation_id=channel.conversation_id,
                    new_thread=True,
                )
        await redraw_ingest(session, run_id, now=now)


async def supersede(session: AsyncSession, source_list: SourceList, *, before: int, now: datetime) -> None:
    """A later reading of the list is in: the earlier ones that waited need no decision any more."""
    rows = await session.scalars(
        select(IngestRunRow)
        .where(
            IngestRunRow.source_list == source_list,
            IngestRunRow.id < before,
            IngestRunRow.waits_for != "",
            IngestRunRow.finished_at.is_(None),
        )
        .with_for_update()
    )
    for row in rows.all():
        await _throw_away(session, row, SUPERSEDED, now=now)


async def release_run(session: AsyncSession, run: IngestRunRow, actor: Actor, *, now: datetime) -> None:
    """Let it be written, from what was received then."""
    run.released_by, run.waits_for = actor.name, ""
    detail = {"list": run.source_list.value, "run": run.id}
    await audit.record(session, [AuditEvent(actor, "ingest.release", "queued", detail=detail)], now=now)
    await outbox.put(session, [Nudge("ingest_list", (run.id,))], now=now)
    await redraw_ingest(session, run.id, now=now)


async def discard_run(session: AsyncSession, run: IngestRunRow, actor: Actor, *, now: datetime) -> None:
    """Nothing of it is written; the checkpoint stays, so that the next reading asks for the same again."""
    detail = {"list": run.source_list.value, "run": run.id}
    await audit.record(session, [AuditEvent(actor, "ingest.discard", "done", detail=detail)], now=now)
    await _throw_away(session, run, DISCARDED, now=now)


async def waiting_run(session: AsyncSession, source_list: SourceList) -> IngestRunRow:
    """The one to be decided, under lock. Raises RequestError where none waits."""
    run = await ingest_db.waiting_run(session, source_list)
    if run is None:
        said = _("Ninguna lectura de {name} espera una decisión.")
        raise RequestError(said.format(name=source_list.value))
    return run


async def run_to_decide(session: AsyncSession, run_id: int) -> IngestRunRow:
    """As `waiting_run`, by number. Raises RequestError where it was decided, or a later one replaced it."""
    run = await session.get(IngestRunRow, run_id, with_for_update=True)
    if run is None or not run.waits_for or run.finished_at is not None:
        raise RequestError(_("Esa lectura ya no espera una decisión."))
    return run


async def _throw_away(session: AsyncSession, run: IngestRunRow, code: str, *, now: datetime) -> None:
    run.finished_at, run.error_code, run.waits_for = now, code, ""
    await payloads.forget(session, run.id)
    await redraw_ingest(session, run.id, now=now)
