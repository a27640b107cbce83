"""Begin, pause, resume and cancel a batch. Whoever is in hand is finished; the rest is as it was."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import audit, batch_students, batches, steps
from lucy.db.tables import BatchRow
from lucy.domain.audit import LUCY, Actor, AuditEvent
from lucy.domain.basis import changes
from lucy.domain.batches import OPEN_STATES, BatchEvent, BatchState, IllegalMove, batch_code
from lucy.domain.house import House
from lucy.domain.nudges import Nudge
from lucy.domain.operations import StepKind
from lucy.domain.students import StudentId
from lucy.flows.ask_again import ask_for_the_changed, what_of
from lucy.flows.decide_batch import Declined, decided, decline, stands, unknown
from lucy.flows.forecast_batch import room_for
from lucy.flows.judge_plan import extents_of_batch, judge
from lucy.flows.plan_rows import plan_rows
from lucy.flows.record_outcomes import finish_if_done
from lucy.flows.redraw import lane_nudge, redraw_batch, redraw_decided
from lucy.ports import LicenceSeats
from lucy.texts import _, number


async def start_batch(
    session: AsyncSession, number_: int, *, seats: LicenceSeats | None = None, house: House, now: datetime
) -> bool:
    """Begin an approved batch; False when somebody did already, or when it is held.

    Everything is looked at again: thresholds, seats, and every student against what was approved. Students who changed
    are dropped and asked for anew; the rest goes on (FEATURES row 61).
    """
    batch = await batches.lock(session, number_)
    if batch is None or batch.state is not BatchState.QUEUED:
        return False
    reason = await _must_hold(session, batch, seats, house=house, now=now)
    if reason:
        batches.change_state(batch, BatchEvent.HOLD)
        batch.reason = reason
        event = AuditEvent(LUCY, "batch.hold", "held", batch=batch.id, detail={"held": reason})
        await audit.record(session, [event], now=now)
        await redraw_batch(session, number_, now=now, nudges=[Nudge("forecast_batch", (batch.id,))])
        return False
    await _drop_changed(session, batch, house=house, now=now)
    batches.change_state(batch, BatchEvent.START)
    batch.started_at = now
    await audit.record(session, [AuditEvent(LUCY, "batch.start", "running", batch=batch.id)], now=now)
    await ask_for_the_changed(session, batch, house=house, now=now)
    await finish_if_done(session, batch, house=house, now=now)
    await redraw_batch(session, number_, now=now)
    return True


async def _must_hold(
    session: AsyncSession, batch: BatchRow, seats: LicenceSeats | None, *, house: House, now: datetime
) -> str:
    extents = await extents_of_batch(session, batch.id)
    trip = await judge(session, batch.kind, extents, released=batch.released, house=house, now=now)
    if trip.any:
        return trip.any
    room = await room_for(session, batch, seats, house=house, now=now)
    if room.fits is not None:
        text = _("No entra entera: alcanza para {fits} de {all} alumnos.")
        return text.format(fits=number(room.fits), all=number(batch.students))
    return ""


async def _drop_changed(session: AsyncSession, batch: BatchRow, *, house: House, now: datetime) -> None:
    """Hold every student's facts against those that were approved."""
    rows = [row for row in await batch_students.of_batch(session, batch.id) if row.basis_hash]
    what = await what_of(session, batch)
    current = await plan_rows(session, what, [row.student_id for row in rows], house=house)
    changed: dict[StudentId, Sequence[str]] = {
        row.student_id: changes(row.basis, new.basis)
        for row, new in zip(rows, current.rows, strict=True)
        if row.basis_hash != new.basis_hash
    }
    if not changed:
        return
    await batch_students.note_changed(session, {(batch.id, one): what for one, what in changed.items()})
    await steps.drop_students(session, batch.id, list(changed), now=now)
    events = [
        AuditEvent(LUCY, "student.drop", "dropped", batch=batch.id, student=one, detail={"changed": list(what)})
        for one, what in changed.items()
    ]
    await audit.record(session, events, now=now)


async def pause_batch(
    session: AsyncSession, number_: int, *, actor: Actor, may_touch_others: bool, house: House, now: datetime
) -> BatchRow | Declined:
    """Stop beginning students; those in hand are finished. `resume_batch` goes on where it stopped."""
    batch = await batches.lock(session, number_)
    refusal = _cannot(batch, number_, BatchEvent.PAUSE, house)
    if batch is None or refusal:
        return await decline(session, actor, "batch.pause", batch, refusal or unknown(number_), now=now)
    if text := not_yours(batch, actor, may_touch_others):
        return await decline(session, actor, "batch.pause", batch, text, now=now)
    batches.change_state(batch, BatchEvent.PAUSE)
    await steps.park(session, batch.id)
    await audit.record(session, [AuditEvent(actor, "batch.pause", "paused", batch=batch.id)], now=now)
    await redraw_batch(session, number_, now=now)
    return batch


async def resume_batch(
    session: AsyncSession, number_: int, *, actor: Actor, may_touch_others: bool, house: House, now: datetime
) -> BatchRow | Declined:
    """Go on with a paused batch. One that was paused before it began begins as any other: all is looked at again."""
    batch = await batches.lock(session, number_)
    event = BatchEvent.RESUME if batch is None or batch.started_at else BatchEvent.REQUEUE
    refusal = _cannot(batch, number_, event, house)
    if batch is None or refusal:
        return await decline(session, actor, "batch.resume", batch, refusal or unknown(number_), now=now)
    if text := not_yours(batch, actor, may_touch_others):
        return await decline(session, actor, "batch.resume", batch, text, now=now)
    batches.change_state(batch, event)
    await steps.unpark(session, batch.id, now=now)
    await audit.record(session, [AuditEvent(actor, "batch.resume", batch.state.value, batch=batch.id)], now=now)
    nudges = [lane_nudge(kind) for kind in StepKind] if batch.started_at else [Nudge("start_batch", (batch.id,))]
    await redraw_batch(session, number_, now=now, nudges=nudges)
    return batch


async def cancel_batch(
    session: AsyncSession, number_: int, *, actor: Actor, may_touch_others: bool, house: House, now: datetime
) -> BatchRow | Declined:
    """Stop a batch for good: students in hand are finished, the rest is not begun."""
    batch = await batches.lock(session, number_)
    if batch is None:
        return await decline(session, actor, "batch.cancel", None, unknown(number_), now=now)
    if batch.state not in OPEN_STATES:
        return await decline(session, actor, "batch.cancel", batch, stands(batch, house), now=now)
    if text := not_yours(batch, actor, may_touch_others):
        return await decline(session, actor, "batch.cancel", batch, text, now=now)
    batches.change_state(batch, BatchEvent.CANCEL)
    decided(batch, actor, now)
    cancelled = await steps.cancel_not_begun(session, batch.id, now=now)
    event = AuditEvent(actor, "batch.cancel", "cancelled", batch=batch.id, detail={"steps": cancelled})
    await audit.record(session, [event], now=now)
    await finish_if_done(session, batch, house=house, now=now)
    await redraw_decided(session, number_, now=now)
    return batch


def not_yours(batch: BatchRow, actor: Actor, may_touch_others: bool) -> str:
    """Why somebody may not stop, resume or part a batch; empty when it is theirs, or they may approve."""
    if batch.requested_by == actor.id or may_touch_others:
        return ""
    text = _("{code} la pidió {name}: sólo esa persona o quien aprueba la puede parar, seguir o partir.")
    return text.format(code=batch_code(batch.id), name=batch.requested_by_name)


def _cannot(batch: BatchRow | None, number_: int, event: BatchEvent, house: House) -> str:
    """Why an event does not apply, in a sentence; empty when it does."""
    if batch is None:
        return unknown(number_)
    try:
        batches.would_be(batch, event)
    except IllegalMove:
        waiting = {
            BatchState.AWAITING_APPROVAL: _("{code} todavía espera aprobación."),
            BatchState.HELD: _("{code} está retenida: todavía no empezó."),
            BatchState.PAUSED: _("{code} ya está en pausa."),
            BatchState.QUEUED: _("{code} está por empezar."),
            BatchState.RUNNING: _("{code} está en marcha."),
            BatchState.FINISHED: _("{code} ya terminó."),
            BatchState.FINISHED_WITH_FAILURES: _("{code} ya terminó."),
        }
        text = waiting.get(batch.state)
        return text.format(code=batch_code(number_)) if text else stands(batch, house)
    return ""
