"""Steps in the database: planned, released, cancelled, dropped, counted. They are claimed and recorded in `claims`."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, exists, func, insert, select, text, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db.tables import StepRow, StudentHoldRow
from lucy.domain.batches import BatchId
from lucy.domain.operations import StepKind
from lucy.domain.plans import PlannedStep
from lucy.domain.steps import OPEN_STATES, Sibling, StepEvent, StepId, StepState, advance
from lucy.domain.students import StudentId
from lucy.domain.views import Tally

CONFLICT = "G-008"  # somebody changed it since: an undo leaves it alone


async def add_plan(session: AsyncSession, batch: BatchId, steps: Sequence[PlannedStep], *, now: datetime) -> None:
    """Store the steps of a new batch in the plan's order."""
    rows = [
        {
            "batch_id": batch,
            "student_id": step.student_id,
            "kind": step.kind,
            "target": step.target,
            "reason": dict(step.reason),
            "position": position,
            "state": step.state,
            "due_at": now if step.state is StepState.DUE else None,
            "closed_at": now if step.state is StepState.ALREADY else None,
        }
        for position, step in enumerate(steps)
    ]
    for start in range(0, len(rows), 2000):  # without its nulls a row is another statement than its neighbour
        await session.execute(insert(StepRow), rows[start : start + 2000], execution_options={"render_nulls": True})


async def siblings(
    session: AsyncSession, students: Collection[tuple[BatchId, StudentId]]
) -> dict[tuple[BatchId, StudentId], list[Sibling]]:
    """All steps of the given students in the given batches."""
    found: dict[tuple[BatchId, StudentId], list[Sibling]] = {}
    if not students:
        return found
    rows = await session.execute(
        select(StepRow.id, StepRow.batch_id, StepRow.student_id, StepRow.kind, StepRow.state, StepRow.target).where(
            tuple_(StepRow.batch_id, StepRow.student_id).in_(list(students))
        )
    )
    for row in rows:
        found.setdefault((row.batch_id, row.student_id), []).append(Sibling(row.id, row.kind, row.state, row.target))
    return found


async def move(
    session: AsyncSession, ids: Sequence[StepId], *, frm: StepState, event: StepEvent, now: datetime, code: str = ""
) -> None:
    """Apply one event to many steps that are in one state."""
    state = advance(frm, event)
    if ids:
        await session.execute(
            update(StepRow)
            .where(StepRow.id.in_(ids), StepRow.state == frm)
            .values(
                state=state,
                due_at=now if state is StepState.DUE else None,
                closed_at=None if state in OPEN_STATES else now,
                error_code=code,
            )
        )


async def cancel_open(session: AsyncSession, batch: BatchId, *, now: datetime) -> int:
    """Cancel every step that has not started, of whichever student: for a batch that has begun nobody."""
    return await _close_open(session, batch, StepEvent.CANCEL, now=now)


async def cancel_not_begun(session: AsyncSession, batch: BatchId, *, now: datetime) -> int:
    """Cancel the steps of the students who are not in hand; those who are get finished."""
    return await _close_open(session, batch, StepEvent.CANCEL, now=now, where=~_held())


async def drop_students(
    session: AsyncSession, batch: BatchId, students: Collection[StudentId], *, now: datetime
) -> int:
    """Drop what is open for students who changed; a step in somebody's hand is dropped by whoever holds it."""
    mine = StepRow.student_id.in_(list(students))
    return await _close_open(session, batch, StepEvent.DROP, now=now, where=mine, code="G-003")


async def _close_open(
    session: AsyncSession,
    batch: BatchId,
    event: StepEvent,
    *,
    now: datetime,
    where: ColumnElement[bool] | None = None,
    code: str = "",
) -> int:
    closed = 0
    for state in (StepState.WAITING, StepState.DUE):
        statement = update(StepRow).where(StepRow.batch_id == batch, StepRow.state == state)
        if where is not None:
            statement = statement.where(where)
        result = await session.execute(
            statement.values(state=advance(state, event), due_at=None, closed_at=now, error_code=code)
        )
        closed += result.rowcount  # type: ignore[attr-defined]
    return closed


def _held() -> ColumnElement[bool]:
    """Whether the step's student is in the hand of the step's batch."""
    return exists().where(StudentHoldRow.student_id == StepRow.student_id, StudentHoldRow.batch_id == StepRow.batch_id)


# A paused batch keeps the steps of the students who are not in hand out of every lane's sight.
PARKED_UNTIL = datetime(9999, 1, 1, tzinfo=UTC)


async def park(session: AsyncSession, batch: BatchId) -> None:
    """The batch pauses: only the students in hand go on."""
    await session.execute(
        update(StepRow)
        .where(StepRow.batch_id == batch, StepRow.state == StepState.DUE, ~_held())
        .values(due_at=PARKED_UNTIL)
    )


async def unpark(session: AsyncSession, batch: BatchId, *, now: datetime) -> None:
    await session.execute(
        update(StepRow)
        .where(StepRow.batch_id == batch, StepRow.state == StepState.DUE, StepRow.due_at == PARKED_UNTIL)
        .values(due_at=now)
    )


async def to_retry(session: AsyncSession, batch: BatchId, student: StudentId | None) -> Sequence[StepRow]:
    """The steps that failed, conflicted or were skipped for want of those; of one student where given."""
    statement = select(StepRow).where(
        StepRow.batch_id == batch,
        StepRow.state.in_([StepState.FAILED, StepState.SKIPPED]),
        StepRow.error_code != "E-010",
    )
    if student is not None:
        statement = statement.where(StepRow.student_id == student)
    return (await session.scalars(statement.order_by(StepRow.position).with_for_update())).all()


async def retry(session: AsyncSession, rows: Sequence[StepRow], *, now: datetime) -> None:
    """Failed steps are due again with their tries forgotten; skipped ones wait as they did."""
    for state in (StepState.FAILED, StepState.SKIPPED):
        ids = [row.id for row in rows if row.state is state]
        await move(session, ids, frm=state, event=StepEvent.RETRY, now=now)
    await session.execute(
        update(StepRow).where(StepRow.id.in_([row.id for row in rows])).values(tries=0, error_detail="", remedy="")
    )


async def lanes_with_due_work(session: AsyncSession, *, now: datetime) -> set[StepKind]:
    """The lanes that a worker could claim from at this moment."""
    rows = await session.execute(
        text(
            """
            select lane.kind from unnest(cast(:kinds as text[])) as lane (kind)
            where exists (select 1 from batch join step on step.batch_id = batch.id
                          where batch.state in ('running', 'paused', 'cancelled') and batch.finished_at is null
                            and step.kind = lane.kind and step.state = 'due' and step.due_at <= :now)
            """
        ),
        {"kinds": [kind.value for kind in StepKind], "now": now},
    )
    return {StepKind(row.kind) for row in rows}


async def has_open(session: AsyncSession, batch: BatchId) -> bool:
    """Whether any step of the batch can still change."""
    found = await session.scalar(
        select(StepRow.id).where(StepRow.batch_id == batch, StepRow.state.in_(list(OPEN_STATES))).limit(1)
    )
    return found is not None


async def tallies(session: AsyncSession, batch: BatchId) -> tuple[Tally, ...]:
    """How far the batch is, by kind of step in the order of the plan."""
    conflicts = func.count().filter(StepRow.error_code == CONFLICT)
    rows = await session.execute(
        select(StepRow.kind, StepRow.state, func.count().label("n"), conflicts.label("conflicts"))
        .where(StepRow.batch_id == batch)
        .group_by(StepRow.kind, StepRow.state)
    )
    counts: dict[StepKind, dict[str, int]] = {}
    for row in rows:
        name = "left" if row.state in OPEN_STATES else row.state.value
        of_kind = counts.setdefault(row.kind, {})
        apart = row.conflicts if row.state is StepState.SKIPPED else 0
        of_kind[name] = of_kind.get(name, 0) + row.n - apart
        of_kind["conflicts"] = of_kind.get("conflicts", 0) + apart
    return tuple(Tally(kind, **counts[kind]) for kind in StepKind if kind in counts)
