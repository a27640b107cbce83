"""Ask for the inverse of a batch: what it made is taken back, and only that; decided anew by a second person."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import batches, traces
from lucy.db.tables import BatchRow
from lucy.domain.batches import BatchId, BatchState, Relation, batch_code
from lucy.domain.house import House
from lucy.domain.operations import BatchKind, BatchOptions
from lucy.flows.ask_again import post_beside
from lucy.flows.decide_batch import Declined, decline, stands, unknown
from lucy.flows.plan_rows import What, plan_rows
from lucy.flows.redraw import redraw_batch
from lucy.flows.store_batch import Requester, Wish, store_batch
from lucy.texts import _

_ENDED = frozenset({BatchState.FINISHED, BatchState.FINISHED_WITH_FAILURES, BatchState.CANCELLED})


async def request_undo(
    session: AsyncSession,
    number: int,
    *,
    requester: Requester,
    options: BatchOptions,
    house: House,
    now: datetime,
) -> BatchRow | Declined:
    """Plan the inverse over the students for whom the batch did something, and leave it for approval.

    Its card is posted beside the first one's. Declined: unknown, not ended yet, asked for already, or it did
    nothing.
    """
    actor = requester.actor
    batch = await batches.lock(session, number)
    if batch is None:
        return await decline(session, actor, "batch.undo", None, unknown(number), now=now)
    refusal = _not_ended(batch, house)
    if refusal:
        return await decline(session, actor, "batch.undo", batch, refusal, now=now)
    if (asked := await batches.standing_child(session, batch.id, Relation.UNDO)) is not None:
        text = _("{code} ya se pidió deshacer, en {undo}.").format(code=batch_code(number), undo=batch_code(asked))
        return await decline(session, actor, "batch.undo", batch, text, now=now)
    students = await traces.done_students(session, batch.id)
    if not students:
        text = _("{code} no hizo nada: no hay qué deshacer.").format(code=batch_code(number))
        return await decline(session, actor, "batch.undo", batch, text, now=now)
    what = What(BatchKind.UNDO, options, undoes=BatchId(number))
    plan = await plan_rows(session, what, students, house=house)
    wish = Wish(what, requester, selection=batch.selection, shape=f"undo {batch_code(number)}")
    undo = await store_batch(session, wish, plan, house=house, now=now)
    await post_beside(session, batch.id, undo.id, now=now)
    await redraw_batch(session, batch.id, now=now)  # it says where it is undone
    return undo


def _not_ended(batch: BatchRow, house: House) -> str:
    """Why it cannot be undone yet, or has nothing to undo; empty when it may be."""
    code = batch_code(batch.id)
    if batch.state in _ENDED and batch.finished_at is not None:
        return ""
    if batch.state in {BatchState.AWAITING_APPROVAL, BatchState.HELD, BatchState.DRAFT, BatchState.QUEUED}:
        return _("{code} todavía no empezó: se cancela, no se deshace.").format(code=code)
    if batch.state in {BatchState.RUNNING, BatchState.PAUSED}:
        return _("{code} todavía no terminó. Cuando termine, o si la cancelás, se puede deshacer.").format(code=code)
    if batch.state is BatchState.CANCELLED:
        return _("{code} está terminando con quienes ya había empezado. Después se puede deshacer.").format(code=code)
    return stands(batch, house)
