"""The claim of steps and the record of what became of them: who may touch which student, and until when."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import batch_students
from lucy.db.tables import BatchRow, StepRow
from lucy.domain.batches import BatchId, BatchState
from lucy.domain.operations import StepKind
from lucy.domain.steps import StepEvent, StepId, StepState, advance
from lucy.domain.students import StudentId


@dataclass(frozen=True, slots=True)
class ClaimedStep:
    """A step held by this worker until its lease ends. `attempts` counts this claim too: 1 is the first.

    `tries` are the attempts before this one that count towards giving up; `outcome` is what they left noted.
    `probe`: it was taken to see whether its system is back.
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
    outcome: Mapping[str, Any] = field(default_factory=dict)
    reason: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StepChange:
    """The new state of a step, as an event of the transition table and what goes with it."""

    step: StepId
    event: StepEvent
    due_at: datetime | None = None
    error_code: str = ""
    error_detail: str = ""
    remedy: str = ""
    outcome: dict[str, Any] | None = None
    tried: bool = False  # it counts towards giving up


# Who waits longer than any retry (for tomorrow's letters) is in hand and does not keep others from being begun.
SOON = timedelta(minutes=10)

# Written so that no path depends on statistics, which say nothing of a batch that has just begun: students in hand
# are found from their holds (`|| ''` keeps the index of every due step out of it); new ones in the order of that
# index, each looked up among the holds until there are enough (`case` keeps it so), none while none may be begun.
CANDIDATES = text(
    """
    with working as materialized (
        select batch.id, batch.state = 'running' and (
            :in_hand > (select count(*) from student_hold hold where hold.batch_id = batch.id)
            or :in_hand > (
                select count(*) from student_hold hold where hold.batch_id = batch.id and (
                    select true from step where step.batch_id = hold.batch_id and step.student_id = hold.student_id
                      and (step.state || '' = 'running' or step.state || '' = 'due' and step.due_at <= :soon)
                      and step.kind <> all(cast(:blocked as text[]))
                    limit 1
                )
            )
        ) as may_begin
        from batch where batch.state in ('running', 'paused', 'cancelled') and batch.finished_at is null
    ),
    candidate as (
        select mine.id, mine.student_id, mine.due_at, mine.position, working.id as batch_id
        from working
        cross join lateral (
            select step.id, step.student_id, step.due_at, step.position
            from (
                select own.id, own.due_at, own.position
                from student_hold hold
                cross join lateral (
                    select step.id, step.due_at, step.position from step
                    where step.batch_id = working.id and step.student_id = hold.student_id and step.kind = :kind
                      and step.state || '' = 'due' and step.due_at <= :now
                    offset 0
                ) as own
                where hold.batch_id = working.id
                order by own.due_at, own.position
                offset 0
            ) as hand
            join step on step.id = hand.id and step.state || '' = 'due' and step.due_at <= :now
            order by hand.due_at, hand.position
            limit :size
            for update of step skip locked
        ) as mine
        union all
        select fresh.id, fresh.student_id, fresh.due_at, fresh.position, working.id as batch_id
        from working
        cross join lateral (
            select step.id, step.student_id, step.due_at, step.position from step
            where step.batch_id = working.id and step.kind = :kind and step.state = 'due' and step.due_at <= :now
              and working.may_begin
              and case when exists (select from student_hold hold where hold.student_id = step.student_id)
                  then false else true end
            order by step.due_at, step.position
            limit :size
            for update of step skip locked
        ) as fresh
    )
    select fair.id, fair.batch_id, fair.student_id
    from (
        select candidate.*, row_number() over (partition by batch_id order by due_at, position) as turn from candidate
    ) as fair
    order by fair.turn, fair.batch_id
    limit :size
    """
)


async def claim(
    session: AsyncSession,
    kind: StepKind,
    *,
    size: int,
    now: datetime,
    lease_s: float,
    in_hand: int,
    blocked: Collection[StepKind] = (),
) -> list[ClaimedStep]:
    """Take up to `size` due steps of a lane for `lease_s` seconds.

    Every working batch gets its turn, one step after another, so that a single reset does not wait behind 5,000 rows.
    A student is in the hand of one batch at a time, from the first claim until nothing of theirs is open. A batch
    begins no further student while it has `in_hand` of them (those that only wait for a lane in `blocked` do not
    count): so a pause or a cancellation, which finishes the students in hand, is soon over. Only due steps of working
    batches are read (partial index), however many closed ones there are.
    """
    values = claim_values(kind, size=size, now=now, in_hand=in_hand, blocked=blocked)
    found = (await session.execute(CANDIDATES, values)).all()
    held = await batch_students.hold(session, {(row.batch_id, row.student_id) for row in found}, now=now)
    ids = [row.id for row in found if (row.batch_id, row.student_id) in held]
    return await _take(session, ids, now=now, lease_s=lease_s) if ids else []


def claim_values(
    kind: StepKind, *, size: int, now: datetime, in_hand: int, blocked: Collection[StepKind] = ()
) -> dict[str, object]:
    """The parameters of `CANDIDATES`."""
    return {
        "kind": kind.value,
        "now": now,
        "size": size,
        "in_hand": in_hand,
        "blocked": [one.value for one in blocked],
        "soon": now + SOON,
    }


async def _take(session: AsyncSession, ids: Sequence[int], *, now: datetime, lease_s: float) -> list[ClaimedStep]:
    lease_id = uuid.uuid4().hex
    rows = await session.execute(
        update(StepRow)
        .where(StepRow.id.in_(ids))
        .values(
            state=advance(StepState.DUE, StepEvent.CLAIM),
            attempts=StepRow.attempts + 1,
            lease_id=lease_id,
            lease_until=now + timedelta(seconds=lease_s),
            first_claimed_at=func.coalesce(StepRow.first_claimed_at, now),
            due_at=None,
        )
        .returning(StepRow)
        .execution_options(synchronize_session=False)
    )
    taken = {
        row.id: ClaimedStep(
            id=row.id,
            batch_id=row.batch_id,
            student_id=row.student_id,
            kind=row.kind,
            target=row.target,
            attempts=row.attempts,
            first_claimed_at=row.first_claimed_at or now,
            lease_id=lease_id,
            tries=row.tries,
            outcome=row.outcome,
            reason=row.reason,
        )
        for row in rows.scalars()
    }
    return [taken[StepId(id_)] for id_ in ids]


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


async def note(session: AsyncSession, step: StepId, outcome: dict[str, Any], *, lease_id: str) -> bool:
    """Keep something about a step in hand before its call; False when the step is no longer this claim's.

    Then nothing may be sent for it: another worker has it.
    """
    return step in await note_all(session, [step], outcome, lease_id=lease_id)


async def note_all(
    session: AsyncSession, steps: Sequence[StepId], outcome: Mapping[str, Any], *, lease_id: str
) -> frozenset[StepId]:
    """Keep the same about several steps of one claim; returns those that are still its own."""
    noted = await session.execute(
        text(
            """
            update step set outcome = outcome || :outcome
            where id = any(:steps) and state = 'running' and lease_id = :lease_id returning id
            """
        ).bindparams(bindparam("outcome", type_=JSONB())),
        {"steps": list(steps), "outcome": dict(outcome), "lease_id": lease_id},
    )
    return frozenset(StepId(row.id) for row in noted)


async def in_other_hands(session: AsyncSession, kinds: Collection[StepKind], *, lease_id: str) -> int:
    """How many steps of these kinds other claims have in hand.

    Held until the transaction ends, so that two claims that count come one after the other. To be asked last: whoever
    waits here must hold nothing that the one before still needs.
    """
    await session.execute(text("select pg_advisory_xact_lock(hashtextextended('lucy.in_other_hands', 0))"))
    statement = select(func.count()).where(
        StepRow.kind.in_(sorted(kinds)), StepRow.state == StepState.RUNNING, StepRow.lease_id != lease_id
    )
    return int(await session.scalar(statement) or 0)


async def still_to_come(session: AsyncSession, kinds: Collection[StepKind], *, until: datetime) -> int:
    """How many steps of these kinds running batches have yet to do before `until`."""
    statement = (
        select(func.count())
        .select_from(StepRow)
        .join(BatchRow, BatchRow.id == StepRow.batch_id)
        .where(
            StepRow.kind.in_(sorted(kinds)),
            StepRow.state.in_([StepState.WAITING, StepState.DUE]),
            or_(StepRow.due_at.is_(None), StepRow.due_at < until),
            BatchRow.state == BatchState.RUNNING,
        )
    )
    return int(await session.scalar(statement) or 0)


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
