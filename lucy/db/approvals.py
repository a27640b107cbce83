"""Who said yes to a batch."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db.tables import ApprovalRow
from lucy.domain.audit import Actor
from lucy.domain.batches import BatchId


async def add(session: AsyncSession, batch: BatchId, actor: Actor, *, plan_hash: str, now: datetime) -> int:
    """Count one yes to a locked batch; returns how many there are now."""
    row = {
        "batch_id": batch,
        "approver_id": actor.id,
        "approver_name": actor.name,
        "at": now,
        "plan_hash": plan_hash,
    }
    await session.execute(insert(ApprovalRow), [row])
    return int(await session.scalar(select(func.count()).where(ApprovalRow.batch_id == batch)) or 0)


async def has_approved(session: AsyncSession, batch: BatchId, person: str) -> bool:
    return await session.get(ApprovalRow, (batch, person)) is not None


async def of_batch(session: AsyncSession, batch: BatchId) -> Sequence[ApprovalRow]:
    statement = select(ApprovalRow).where(ApprovalRow.batch_id == batch).order_by(ApprovalRow.at)
    return (await session.scalars(statement)).all()


async def forget(session: AsyncSession, batch: BatchId) -> None:
    """What was approved is no longer what stands: everybody is asked again."""
    await session.execute(delete(ApprovalRow).where(ApprovalRow.batch_id == batch))
