"""A batch that waits for a person says so once a day, in its own thread, to those who may decide it."""

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import audit, batches, outbox
from lucy.db import cards as cards_db
from lucy.domain.audit import LUCY, AuditEvent
from lucy.domain.batches import WAITING_STATES, BatchState, batch_code
from lucy.domain.house import House
from lucy.domain.operations import batch_title, options_from
from lucy.domain.views import WaitingView
from lucy.flows.batch_facts import possible_approvers
from lucy.flows.decide_batch import stands
from lucy.flows.redraw import ANNOUNCE

EVERY = timedelta(hours=24)


async def nudge_approvers(session: AsyncSession, *, now: datetime) -> list[int]:
    """Post the nudge of every batch that has waited another day; returns their numbers."""
    nudged: list[int] = []
    for found in await batches.to_nudge(session, before=now - EVERY):
        batch = await batches.lock(session, found)
        if batch is None or batch.state not in WAITING_STATES or (batch.nudged_at or batch.requested_at) > now - EVERY:
            continue
        batch.nudged_at = now
        for card in await cards_db.of_subject(session, shows="batch", subject=str(batch.id)):
            if card.reader_id:
                continue  # a personal chat is not where approvers look
            await cards_db.add_card(
                session,
                shows="waiting",
                subject=str(batch.id),
                service_url=card.service_url,
                tenant_id=card.tenant_id,
                conversation_id=card.conversation_id,
            )
        await audit.record(session, [AuditEvent(LUCY, "batch.nudge", batch.state.value, batch=batch.id)], now=now)
        nudged.append(batch.id)
    if nudged:
        await outbox.put(session, [ANNOUNCE], now=now)
    return nudged


async def view_waiting(session: AsyncSession, number: int, *, house: House) -> WaitingView | None:
    """What the nudge says, or how the batch was decided since; None when there is no such batch."""
    batch = await batches.get(session, number)
    if batch is None:
        return None
    return WaitingView(
        code=batch_code(batch.id),
        number=batch.id,
        version=batch.version,
        title=batch_title(batch.kind, options_from(batch.options)),
        students=batch.students,
        requested_by=batch.requested_by_name,
        since=batch.requested_at,
        expires_at=batch.expires_at,
        held=batch.state is BatchState.HELD,
        mentions=await possible_approvers(session, batch, house),
        outcome="" if batch.state in WAITING_STATES else stands(batch, house),
    )
