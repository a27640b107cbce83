"""Batches in the database. A change of state goes through `change_state`, nowhere else."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db.tables import BatchRow, StepRow
from lucy.domain.batches import OPEN_STATES, WAITING_STATES, BatchEvent, BatchId, BatchState, Relation, advance
from lucy.domain.steps import StepState
from lucy.domain.students import StudentId

NOTES_KEPT = 3


async def add(session: AsyncSession, values: Mapping[str, Any]) -> BatchRow:
    """Store a new batch (a draft until its first event)."""
    row = BatchRow(**values)
    session.add(row)
    await session.flush()
    return row


async def get(session: AsyncSession, number: int) -> BatchRow | None:
    return await session.get(BatchRow, number)


async def lock(session: AsyncSession, number: int) -> BatchRow | None:
    """The batch, held until the transaction ends: nobody else decides or records meanwhile."""
    return await session.get(BatchRow, number, with_for_update=True, populate_existing=True)


async def lock_many(session: AsyncSession, numbers: Collection[BatchId]) -> dict[BatchId, BatchRow]:
    """Lock several in one order, so that two recorders never wait for each other."""
    rows = await session.scalars(
        select(BatchRow)
        .where(BatchRow.id.in_(list(numbers)))
        .order_by(BatchRow.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {row.id: row for row in rows.all()}


async def undone_by(session: AsyncSession, numbers: Collection[BatchId]) -> dict[BatchId, BatchId]:
    """Of these batches those that undo another one, and which: also where an undo was split or asked for again."""
    rows = await session.execute(_UNDONE_BY, {"numbers": list(numbers)})
    return {BatchId(row.batch_id): BatchId(row.undone) for row in rows}


_UNDONE_BY = text(
    """
    with recursive origin as (
        select id as batch_id, parent_id, relation from batch where id = any(:numbers) and kind = 'undo'
        union all
        select origin.batch_id, batch.parent_id, batch.relation
        from origin join batch on batch.id = origin.parent_id where origin.relation <> 'undo'
    )
    select batch_id, parent_id as undone from origin where relation = 'undo'
    """
)


def change_state(batch: BatchRow, event: BatchEvent) -> BatchState:
    """Advance a locked batch. Raises IllegalMove, and then nothing is changed."""
    batch.state = advance(batch.state, event)
    batch.version += 1
    return batch.state


def would_be(batch: BatchRow, event: BatchEvent) -> BatchState:
    """The state after an event, without changing anything. Raises IllegalMove."""
    return advance(batch.state, event)


def add_note(batch: BatchRow, text: str, *, at: datetime) -> None:
    """Something the viewers of the card should know, with its moment; the last few are kept."""
    batch.notes = [*batch.notes, {"at": at.isoformat(), "text": text}][-NOTES_KEPT:]


async def latest(session: AsyncSession, *, limit: int) -> Sequence[BatchRow]:
    return (await session.scalars(select(BatchRow).order_by(BatchRow.id.desc()).limit(limit))).all()


async def in_states(session: AsyncSession, states: Collection[BatchState]) -> Sequence[BatchRow]:
    statement = select(BatchRow).where(BatchRow.state.in_(list(states))).order_by(BatchRow.id)
    return (await session.scalars(statement)).all()


async def open_batches(session: AsyncSession) -> Sequence[BatchRow]:
    return await in_states(session, OPEN_STATES)


async def children(session: AsyncSession, number: BatchId) -> Sequence[BatchId]:
    """Batches that came from this one."""
    statement = select(BatchRow.id).where(BatchRow.parent_id == number).order_by(BatchRow.id)
    return (await session.scalars(statement)).all()


async def standing_child(session: AsyncSession, number: BatchId, relation: Relation) -> BatchId | None:
    """The batch that came from this one in that way: open, or done. One that came to nothing does not stand."""
    statement = select(BatchRow.id).where(
        BatchRow.parent_id == number,
        BatchRow.relation == relation,
        or_(
            BatchRow.state.in_({*OPEN_STATES, BatchState.FINISHED, BatchState.FINISHED_WITH_FAILURES}),
            and_(BatchRow.state == BatchState.CANCELLED, BatchRow.finished_at.is_(None)),
        ),
    )
    return (await session.scalars(statement.order_by(BatchRow.id))).first()


async def expired(session: AsyncSession, *, now: datetime) -> Sequence[BatchId]:
    """Batches whose approval did not come in time."""
    statement = select(BatchRow.id).where(
        BatchRow.state.in_([BatchState.AWAITING_APPROVAL, BatchState.HELD]), BatchRow.expires_at < now
    )
    return (await session.scalars(statement)).all()


async def to_nudge(session: AsyncSession, *, before: datetime) -> Sequence[BatchId]:
    """Batches that wait for a person and of which nobody was reminded since a moment."""
    statement = select(BatchRow.id).where(
        BatchRow.state.in_(sorted(WAITING_STATES)), func.coalesce(BatchRow.nudged_at, BatchRow.requested_at) <= before
    )
    return (await session.scalars(statement)).all()


async def problem_steps(session: AsyncSession, number: int) -> Sequence[StepRow]:
    """The steps that did not end well, by kind and code."""
    statement = (
        select(StepRow)
        .where(StepRow.batch_id == number, StepRow.state.in_([StepState.FAILED, StepState.SKIPPED, StepState.DROPPED]))
        .order_by(StepRow.kind, StepRow.error_code, StepRow.position)
    )
    return (await session.scalars(statement)).all()


async def steps_of(session: AsyncSession, number: int, students: Collection[StudentId]) -> Sequence[StepRow]:
    statement = (
        select(StepRow)
        .where(StepRow.batch_id == number, StepRow.student_id.in_(list(students)))
        .order_by(StepRow.position)
    )
    return (await session.scalars(statement)).all()


async def open_steps_of_student(session: AsyncSession, student: StudentId) -> Sequence[StepRow]:
    """What is still to happen, or went wrong, for one student in any batch; newest batch first."""
    statement = (
        select(StepRow)
        .where(
            StepRow.student_id == student,
            StepRow.state.in_([StepState.WAITING, StepState.DUE, StepState.RUNNING, StepState.FAILED]),
        )
        .order_by(StepRow.batch_id.desc(), StepRow.position)
    )
    return (await session.scalars(statement)).all()


async def pace(session: AsyncSession, number: int, *, since: datetime) -> int:
    """Steps closed since a moment."""
    statement = select(func.count()).where(
        StepRow.batch_id == number, StepRow.state == StepState.DONE, StepRow.closed_at >= since
    )
    return int(await session.scalar(statement) or 0)
