"""Take back what a batch made: the inverse plan, as a batch of its own that somebody else approves."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import batches, traces
from lucy.db.tables import BatchRow
from lucy.domain.batches import BatchState, batch_code
from lucy.domain.house import House
from lucy.domain.operations import BatchKind, BatchOptions
from lucy.flows.ask_again import post_beside
from lucy.flows.decide_batch import Declined, decline, unknown
from lucy.flows.plan_rows import What, plan_rows
from lucy.flows.store_batch import Requester, Wish, store_batch
from lucy.texts import _

ENDED = frozenset({BatchState.FINISHED, BatchState.FINISHED_WITH_FAILURES, BatchState.CANCELLED})


async def request_undo(
    session: AsyncSession, number: int, *, requester: Requester, options: BatchOptions, house: House, now: datetime
) -> BatchRow | Declined:
    """Plan the undo of a batch that has ended; only students for whom it did something are in it.

    Its card is posted beside that of the batch it undoes.
    """
    actor = requester.actor
    batch = await batches.lock(session, number)
    if batch is None:
        return await decline(session, actor, "batch.undo", None, unknown(number), now=now)
    code = batch_code(number)
    if batch.state not in ENDED or batch.finished_at is None:
        text = _("{code} todavía no terminó: se puede cancelar, y deshacer cuando haya parado.").format(code=code)
        return await decline(session, actor, "batch.undo", batch, text, now=now)
    students = await traces.done_students(session, batch.id)
    if not students:
        text = _("{code} no hizo nada: no hay qué deshacer.").format(code=code)
        return await decline(session, actor, "batch.undo", batch, text, now=now)
    what = What(BatchKind.UNDO, options, undoes=batch.id)
    plan = await plan_rows(session, what, students, house=house)
    wish = Wish(what, requester, selection=code, shape=f"undo {code}")
    undo = await store_batch(session, wish, plan, house=house, now=now)
    await post_beside(session, batch.id, undo.id, now=now)
    return undo
