"""Try again what failed: all of it, or one student's. Of a cancelled batch: ask anew for what it had not begun."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import audit, batches, steps
from lucy.db.tables import BatchRow, StepRow
from lucy.domain.audit import AuditEvent
from lucy.domain.batches import BatchEvent, BatchState, Relation, batch_code
from lucy.domain.house import House
from lucy.domain.operations import StepKind
from lucy.domain.steps import StepState
from lucy.domain.students import StudentId
from lucy.flows.ask_again import ask_again
from lucy.flows.decide_batch import Declined, decline, stands, unknown
from lucy.flows.record_outcomes import settle_students
from lucy.flows.redraw import lane_nudge, redraw_batch
from lucy.flows.store_batch import Requester
from lucy.texts import _

_DONE_WITH = frozenset({BatchState.FINISHED_WITH_FAILURES})


async def retry_batch(
    session: AsyncSession,
    number: int,
    *,
    requester: Requester,
    student: StudentId | None = None,
    house: House,
    now: datetime,
) -> BatchRow | Declined:
    """The failed steps are due again, those that depended on them wait for them; what was done is left alone.

    The approval stands: it was of these very steps. A cancelled batch is not taken up again; what it had not begun
    becomes a new batch with an approval of its own.
    """
    actor = requester.actor
    batch = await batches.lock(session, number)
    if batch is None:
        return await decline(session, actor, "batch.retry", None, unknown(number), now=now)
    if batch.state is BatchState.CANCELLED and batch.finished_at is not None and student is None:
        return await _ask_for_the_rest(session, batch, requester, house=house, now=now)
    rows = list(await steps.to_retry(session, batch.id, student)) if batch.state in _DONE_WITH else []
    if not rows:
        return await decline(session, actor, "batch.retry", batch, _nothing(batch, student, house), now=now)
    batches.change_state(batch, BatchEvent.RETRY)
    batch.finished_at = None
    await steps.retry(session, rows, now=now)
    await settle_students(session, {(batch.id, row.student_id) for row in rows}, now=now)
    detail: dict[str, object] = {"steps": len(rows)}
    event = AuditEvent(actor, "batch.retry", "running", batch=batch.id, student=student, detail=detail)
    await audit.record(session, [event], now=now)
    await redraw_batch(session, number, now=now, nudges=[lane_nudge(kind) for kind in StepKind])
    return batch


async def _ask_for_the_rest(
    session: AsyncSession, batch: BatchRow, requester: Requester, *, house: House, now: datetime
) -> BatchRow | Declined:
    statement = (
        select(StepRow.student_id)
        .where(StepRow.batch_id == batch.id, StepRow.state == StepState.CANCELLED)
        .group_by(StepRow.student_id)
    )
    if (asked := await batches.standing_child(session, batch.id, Relation.REST)) is not None:
        text = _("Lo que quedó de {code} ya se pidió en {rest}.")
        text = text.format(code=batch_code(batch.id), rest=batch_code(asked))
        return await decline(session, requester.actor, "batch.retry", batch, text, now=now)
    left = sorted((await session.scalars(statement)).all())
    if not left:
        return await decline(session, requester.actor, "batch.retry", batch, _nothing(batch, None, house), now=now)
    rest = await ask_again(session, batch, left, Relation.REST, requester=requester, house=house, now=now)
    await redraw_batch(session, batch.id, now=now)  # it says where they go on
    return rest


def _nothing(batch: BatchRow, student: StudentId | None, house: House) -> str:
    code = batch_code(batch.id)
    if batch.state in _DONE_WITH and student is not None:
        return _("De ese alumno no hay nada para reintentar en {code}.").format(code=code)
    if batch.state in {BatchState.RUNNING, BatchState.PAUSED, BatchState.QUEUED}:
        return _("{code} todavía no terminó: lo pasajero se reintenta solo.").format(code=code)
    if batch.state in {BatchState.AWAITING_APPROVAL, BatchState.HELD}:
        return _("{code} todavía espera una decisión.").format(code=code)
    if batch.state is BatchState.CANCELLED and batch.finished_at is None:
        text = _("{code} está terminando con quienes ya había empezado. Después se pide de nuevo lo que quedó.")
        return text.format(code=code)
    if batch.state is BatchState.CANCELLED and student is not None:
        text = _("{code} está cancelada: no se retoma de a un alumno. Lo que quedó se pide con: reintentar {code}.")
        return text.format(code=code)
    if batch.state in {BatchState.FINISHED, BatchState.CANCELLED, *_DONE_WITH}:
        return _("En {code} no quedó nada para reintentar.").format(code=code)
    return stands(batch, house)
