"""Steps in the database: claimed, recorded, released. Nothing else changes a step's state."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, func, insert, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db.tables import StepRow
from lucy.domain.batches import BatchId
from lucy.domain.operations import StepKind
from lucy.domain.plans import PlannedStep
from lucy.domain.steps import OPEN_STATES, Sibling, StepEvent, StepId, StepState, advance
from lucy.domain.students import StudentId
from lucy.domain.views import Tally


@dataclass(frozen=True, slots=True)
class ClaimedStep:
    """A step held by this worker until its lease ends. `attempts` counts this claim too: 1 is the first.

    `tries` are the earlier ones that count towards giving up. `probe`: it was taken to see whether its system is back.
    """

    id: StepId
    batch_id: BatchId
    student_id: StudentId
    kind: StepKind
    target: str
    attempts: int
    first_claimed_at: datetime
    lease_id: str
    tries: int = 0
    probe: bool = False


@dataclass(frozen=True, slots=True)
class StepChange:
    """The new state of a step, as an event of the transition table and what goes with it. `tried` counts one more."""

    step: StepId
    event: StepEvent
    due_at: datetime | None = None
    error_code: str = ""
    error_detail: str = ""
    remedy: str = ""
    outcome: dict[str, Any] | None = None
    tried: bool = False


async def add_plan(session: AsyncSession, batch: BatchId, steps: Sequence[PlannedStep], *, now: datetime) -> None:
    """Store the steps of a new batch in the plan's order."""
    rows = [
        {
            "batch_id": batch,
            "student_id": step.student_id,
            "kind": step.kind,
            "target": step.target,
            "position": position,
            "state": step.state,
            "due_at": now if step.state is StepState.DUE else None,
            "closed_at": now if step.state is StepState.ALREADY else None,
        }
        for position, step in enumerate(steps)
    ]
    for start in range(0, len(rows), 2000):
        await session.execute(insert(StepRow), rows[start : start + 2000])


_CLAIM = text(
    """
    with turn as (
        select chosen.id, row_number() over (partition by batch.id order by chosen.due_at, chosen.position) as turn,
               batch.id as batch_id
        from batch
        cross join lateral (
            select step.id, step.due_at, step.position from step
            where step.batch_id = batch.id and step.kind = :kind and step.state = 'due' and step.due_at <= :now
              and not exists (select from step as other join batch as earlier on earlier.id = other.batch_id
                              where other.student_id = step.student_id and other.batch_id < step.batch_id
                                and other.state in ('waiting', 'due', 'running') and earlier.state = 'running')
            order by step.due_at, step.position
            limit :size
            for update skip locked
        ) as chosen
        where batch.state = 'running'
    ),
    fair as (select id from turn order by turn, batch_id limit :size)
    update step
    set state = :running, attempts = attempts + 1, lease_id = :lease_id, lease_until = :lease_until,
        first_claimed_at = coalesce(first_claimed_at, :now), due_at = null
    from fair
    where step.id = fair.id
    returning step.id, step.batch_id, step.student_id, step.kind, step.target, step.attempts, step.first_claimed_at,
              step.tries
    """
)


async def claim(
    session: AsyncSession, kind: StepKind, *, size: int, now: datetime, lease_s: float
) -> list[ClaimedStep]:
    """Take up to `size` due steps of a lane for `lease_s` seconds.

    Every running batch gets its turn, one step after another, so that a single reset does not wait behind 5,000 rows.
    One batch touches a student at a time: the earliest first, or a letter would tell a password that is not the last.
    Only due steps of running batches are read (partial index), however many closed ones there are.
    """
    lease_id = uuid.uuid4().hex
    found = await session.execute(
        _CLAIM,
        {
            "kind": kind.value,
            "now": now,
            "size": size,
            "running": advance(StepState.DUE, StepEvent.CLAIM).value,
            "lease_id": lease_id,
            "lease_until": now + timedelta(seconds=lease_s),
        },
    )
    return [
        ClaimedStep(
            StepId(row.id),
            BatchId(row.batch_id),
            StudentId(row.student_id),
            StepKind(row.kind),
            row.target,
            row.attempts,
            row.first_claimed_at,
            lease_id,
            row.tries,
        )
        for row in found
    ]


_RECORD = text(
    """
    update step
    set state = new.state, due_at = new.due_at, error_code = new.error_code, error_detail = new.error_detail,
        remedy = new.remedy, outcome = step.outcome || coalesce(new.outcome, '{}'::jsonb),
        lease_id = '', lease_until = null, tries = step.tries + case when new.tried then 1 else 0 end,
        closed_at = case when new.state = 'due' then null else cast(:now as timestamptz) end
    from jsonb_to_recordset(:changes) as new (
        id bigint, state text, due_at timestamptz, error_code text, error_detail text, remedy text, outcome jsonb,
        tried boolean)
    where step.id = new.id and step.state = 'running' and step.lease_id = :lease_id
    returning step.id
    """
).bindparams(bindparam("changes", type_=JSONB()))


async def record(session: AsyncSession, changes: Sequence[StepChange], *, lease_id: str, now: datetime) -> set[StepId]:
    """Write the outcomes of a claim; returns the steps that were still this claim's to record."""
    rows = [
        {
            "id": change.step,
            "state": advance(StepState.RUNNING, change.event).value,
            "due_at": change.due_at.isoformat() if change.due_at else None,
            "error_code": change.error_code,
            "error_detail": change.error_detail,
            "remedy": change.remedy,
            "outcome": change.outcome,
            "tried": change.tried,
        }
        for change in changes
    ]
    if not rows:
        return set()
    recorded = await session.execute(_RECORD, {"changes": rows, "lease_id": lease_id, "now": now})
    return {StepId(row.id) for row in recorded}


async def siblings(
    session: AsyncSession, students: Collection[tuple[BatchId, StudentId]]
) -> dict[tuple[BatchId, StudentId], list[Sibling]]:
    """All steps of the given students in the given batches."""
    found: dict[tuple[BatchId, StudentId], list[Sibling]] = {}
    if not students:
        return found
    rows = await session.execute(
        select(StepRow.id, StepRow.batch_id, StepRow.student_id, StepRow.kind, StepRow.state).where(
            tuple_(StepRow.batch_id, StepRow.student_id).in_(list(students))
        )
    )
    for row in rows:
        found.setdefault((row.batch_id, row.student_id), []).append(Sibling(row.id, row.kind, row.state))
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
    """Cancel what has not started; what is in hand is finished by whoever holds it."""
    cancelled = 0
    for state in (StepState.WAITING, StepState.DUE):
        result = await session.execute(
            update(StepRow)
            .where(StepRow.batch_id == batch, StepRow.state == state)
            .values(state=advance(state, StepEvent.CANCEL), due_at=None, closed_at=now)
        )
        cancelled += result.rowcount  # type: ignore[attr-defined]
    return cancelled


async def keep_leases(session: AsyncSession, lease_id: str, *, now: datetime, lease_s: float) -> None:
    """A sign of life of the worker that holds this claim. Never waits: who records at this moment says more."""
    held = (
        select(StepRow.id)
        .where(StepRow.state == StepState.RUNNING, StepRow.lease_id == lease_id)
        .with_for_update(skip_locked=True)
    )
    await session.execute(
        update(StepRow).where(StepRow.id.in_(held)).values(lease_until=now + timedelta(seconds=lease_s))
    )


async def batches_with_expired(session: AsyncSession, *, now: datetime) -> set[BatchId]:
    """Batches with steps whose worker gave no sign of life: to be locked before the steps are given back."""
    statement = select(StepRow.batch_id).where(StepRow.state == StepState.RUNNING, StepRow.lease_until < now)
    return set((await session.scalars(statement.distinct())).all())


async def release_expired(session: AsyncSession, batches: Collection[BatchId], *, now: datetime) -> dict[BatchId, int]:
    """Give back the steps of locked batches whose worker gave no sign of life; returns how many of each batch."""
    rows = await session.execute(
        update(StepRow)
        .where(StepRow.state == StepState.RUNNING, StepRow.lease_until < now, StepRow.batch_id.in_(list(batches)))
        .values(state=advance(StepState.RUNNING, StepEvent.POSTPONE), due_at=now, lease_id="", lease_until=None)
        .returning(StepRow.batch_id)
    )
    released: dict[BatchId, int] = {}
    for row in rows:
        released[row.batch_id] = released.get(row.batch_id, 0) + 1
    return released


async def lanes_with_due_work(session: AsyncSession, *, now: datetime) -> set[StepKind]:
    """The lanes that a worker could claim from at this moment."""
    rows = await session.execute(
        text(
            """
            select lane.kind from unnest(cast(:kinds as text[])) as lane (kind)
            where exists (select 1 from batch join step on step.batch_id = batch.id
                          where batch.state = 'running' and step.kind = lane.kind and step.state = 'due'
                            and step.due_at <= :now)
            """
        ),
        {"kinds": [kind.value for kind in StepKind], "now": now},
    )
    return {StepKind(row.kind) for row in rows}


async def next_due_at(session: AsyncSession, kind: StepKind) -> datetime | None:
    """When the lane next has work, None when it has none."""
    found: datetime | None = await session.scalar(
        text(
            """
            select min(due_at) from step join batch on batch.id = step.batch_id
            where step.kind = :kind and step.state = 'due' and batch.state = 'running'
            """
        ),
        {"kind": kind.value},
    )
    return found


async def has_open(session: AsyncSession, batch: BatchId) -> bool:
    """Whether any step of the batch can still change."""
    found = await session.scalar(
        select(StepRow.id).where(StepRow.batch_id == batch, StepRow.state.in_(list(OPEN_STATES))).limit(1)
    )
    return found is not None


async def tallies(session: AsyncSession, batch: BatchId) -> tuple[Tally, ...]:
    """How far the batch is, by kind of step in the order of the plan."""
    rows = await session.execute(
        select(StepRow.kind, StepRow.state, func.count().label("n"))
        .where(StepRow.batch_id == batch)
        .group_by(StepRow.kind, StepRow.state)
    )
    counts: dict[StepKind, dict[str, int]] = {}
    for row in rows:
        name = "left" if row.state in OPEN_STATES else row.state.value
        of_kind = counts.setdefault(row.kind, {})
        of_kind[name] = of_kind.get(name, 0) + row.n
    return tuple(Tally(kind, **counts[kind]) for kind in StepKind if kind in counts)
