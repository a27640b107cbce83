"""How many open steps wait for the systems: of batches that run, or that are about to."""

from collections.abc import Collection

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db.tables import BatchRow, StepRow
from lucy.domain.batches import BatchId, BatchState
from lucy.domain.operations import StepKind, system_of
from lucy.domain.steps import OPEN_STATES
from lucy.errors import System


async def by_batch(session: AsyncSession, kinds: Collection[StepKind]) -> dict[BatchId, int]:
    """The batches with open steps of these lanes and how many, in the order in which cards are marked and locked."""
    rows = await session.execute(
        select(StepRow.batch_id, func.count().label("n"))
        .join(BatchRow, BatchRow.id == StepRow.batch_id)
        .where(
            BatchRow.state.in_([BatchState.QUEUED, BatchState.RUNNING]),
            StepRow.state.in_(list(OPEN_STATES)),
            StepRow.kind.in_(list(kinds)),
        )
        .group_by(StepRow.batch_id)
        .order_by(StepRow.batch_id)
    )
    return {row.batch_id: row.n for row in rows}


async def of_batch(session: AsyncSession, number: int) -> dict[System, int]:
    """The open steps of one batch by the system they need."""
    rows = await session.execute(
        select(StepRow.kind, func.count().label("n"))
        .where(StepRow.batch_id == number, StepRow.state.in_(list(OPEN_STATES)))
        .group_by(StepRow.kind)
    )
    found: dict[System, int] = {}
    for row in rows:
        found[system_of(row.kind)] = found.get(system_of(row.kind), 0) + row.n
    return found
