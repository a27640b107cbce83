"""Batches that come from batches: students who changed, what a cancellation left, and where their cards are posted."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import batch_students, batches, outbox
from lucy.db import cards as cards_db
from lucy.db.tables import BatchRow
from lucy.domain.audit import Actor
from lucy.domain.batches import BatchId, Relation, batch_code
from lucy.domain.house import House
from lucy.domain.operations import BatchKind, options_from
from lucy.domain.students import StudentId
from lucy.flows.plan_rows import What, plan_rows
from lucy.flows.redraw import ANNOUNCE
from lucy.flows.store_batch import Origin, Requester, Wish, store_batch


async def what_of(session: AsyncSession, batch: BatchRow) -> What:
    """The operation of a stored batch."""
    undone = await batches.undone_by(session, [batch.id]) if batch.kind is BatchKind.UNDO else {}
    return What(batch.kind, options_from(batch.options), undone.get(batch.id))


async def ask_again(
    session: AsyncSession,
    batch: BatchRow,
    students: Sequence[StudentId],
    relation: Relation,
    *,
    requester: Requester | None = None,
    house: House,
    now: datetime,
) -> BatchRow:
    """A new batch for some students of another one, planned with the facts of now and decided anew.

    Asked for by whoever asked for the first one, unless somebody else is named. Its card is posted beside the first's.
    """
    what = await what_of(session, batch)
    plan = await plan_rows(session, what, students, house=house)
    if requester is None:
        requester = Requester(Actor(batch.requested_by, batch.requested_by_name), batch.requested_by_teams_id)
    wish = Wish(
        what,
        requester,
        selection=batch.selection,
        shape=f"{relation.value} {batch_code(batch.id)}",
        origin=Origin(batch.id, relation),
    )
    new = await store_batch(session, wish, plan, house=house, now=now)
    await post_beside(session, batch.id, new.id, now=now)
    return new


async def ask_for_the_changed(
    session: AsyncSession, batch: BatchRow, *, house: House, now: datetime
) -> BatchRow | None:
    """The students that were dropped because they changed, as a new batch to decide.

    None where there are none, or where nothing is left to be done for them as they are now (then this batch itself is
    noted as the one that answers for them).
    """
    rows = await batch_students.to_ask_again(session, batch.id)
    if not rows:
        return None
    students = [row.student_id for row in rows]
    if not (await plan_rows(session, await what_of(session, batch), students, house=house)).open_steps:
        await batch_students.asked_again(session, batch.id, students, in_batch=batch.id)
        return None
    new = await ask_again(session, batch, students, Relation.CHANGED, house=house, now=now)
    await batch_students.asked_again(session, batch.id, students, in_batch=new.id)
    return new


async def post_beside(session: AsyncSession, first: BatchId, new: BatchId, *, now: datetime) -> None:
    """A card for the new batch wherever the first one has one: in its thread, or the same personal chat."""
    for card in await cards_db.of_subject(session, shows="batch", subject=str(first)):
        await cards_db.add_card(
            session,
            shows="batch",
            subject=str(new),
            service_url=card.service_url,
            tenant_id=card.tenant_id,
            conversation_id=card.conversation_id,
            new_thread=card.new_thread,
            reader_id=card.reader_id,
        )
    await outbox.put(session, [ANNOUNCE], now=now)
