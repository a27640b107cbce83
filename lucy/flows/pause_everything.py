"""A general pause: nothing new is begun with one system, or with any; what is in hand is finished."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import audit, general_pauses, outbox, steps, waiting
from lucy.db import ingest as ingest_db
from lucy.db.tables import GeneralPauseRow
from lucy.domain.audit import LUCY, Actor, AuditEvent
from lucy.domain.nudges import Nudge
from lucy.domain.pauses import PauseRequest
from lucy.domain.systems import kinds_of
from lucy.errors import System
from lucy.flows.redraw import lane_nudge, redraw_batch
from lucy.log import mask_text

EVERYTHING = "everything"  # the audit's word for no system in particular


@dataclass(frozen=True, slots=True)
class Paused:
    """`waiting` steps that stand still from now on; `replaced` is a pause of the same that this one stands in for."""

    pause: GeneralPauseRow
    waiting: int
    replaced: GeneralPauseRow | None = None


async def pause_everything(session: AsyncSession, request: PauseRequest, *, actor: Actor, now: datetime) -> Paused:
    """Stop it. The same system paused again: the new one counts."""
    await general_pauses.take_turn(session)
    system = request.system.value if request.system else ""
    replaced = None
    for pause in await general_pauses.active(session, now=now):
        if pause.system == system:
            pause.lifted_at, pause.lifted_by_name, replaced = now, actor.name, pause
    reason = mask_text(request.reason)
    row = await general_pauses.add(
        session, system=request.system, reason=reason, owner=actor, now=now, until=request.until
    )
    detail = {
        "reason": reason,
        "until": request.until.isoformat() if request.until else None,
        "replaces": replaced.id if replaced else None,
    }
    await audit.record(session, [AuditEvent(actor, "pause.general", system or EVERYTHING, detail=detail)], now=now)
    affected = await waiting.by_batch(session, kinds_of(request.system))
    for number in affected:
        await redraw_batch(session, number, now=now)
    return Paused(row, sum(affected.values()), replaced)


async def lift_pauses(
    session: AsyncSession, system: System | None, *, actor: Actor, now: datetime
) -> Sequence[GeneralPauseRow]:
    """Lift the pause of one system, or all there are; returns those that were lifted."""
    await general_pauses.take_turn(session)
    wanted = [
        pause
        for pause in await general_pauses.active(session, now=now)
        if system is None or pause.system == system.value
    ]
    for pause in wanted:
        await _lift(session, pause, actor=actor, now=now)
    return wanted


async def lift_expired(session: AsyncSession, *, now: datetime) -> Sequence[GeneralPauseRow]:
    """Pauses whose time is over. The lanes know it by themselves; this tells the cards, the audit and the workers."""
    expired = await general_pauses.expired(session, now=now)
    for pause in expired:
        await _lift(session, pause, actor=LUCY, now=now)
    return expired


async def _lift(session: AsyncSession, pause: GeneralPauseRow, *, actor: Actor, now: datetime) -> None:
    system = System(pause.system) if pause.system else None
    pause.lifted_at, pause.lifted_by_name = now, actor.name
    detail = {"reason": pause.reason, "owner": pause.owner_name}
    event = AuditEvent(actor, "pause.lift", pause.system or EVERYTHING, detail=detail)
    await audit.record(session, [event], now=now)
    kinds = kinds_of(system)
    due = await steps.lanes_with_due_work(session, now=now)
    nudges = [lane_nudge(kind) for kind in kinds if kind in due]
    if system in {None, System.SIAL}:
        nudges += [Nudge("ingest_list", (run,)) for run in await ingest_db.unattended_runs(session, now=now)]
    await outbox.put(session, nudges, now=now)
    for number in await waiting.by_batch(session, kinds):
        await redraw_batch(session, number, now=now)
