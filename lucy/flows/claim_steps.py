"""The claim of a lane, with each student's turn: whoever changed since the approval drops out before it begins."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import batch_students, batches, claims
from lucy.db.claims import ClaimedStep
from lucy.db.tables import BatchStudentRow
from lucy.domain.basis import changed_since
from lucy.domain.batches import BatchId
from lucy.domain.house import House
from lucy.domain.operations import StepKind
from lucy.domain.steps import StepEvent
from lucy.domain.students import StudentId
from lucy.flows.ask_again import what_of
from lucy.flows.lanes.base import Changed, Outcome
from lucy.flows.plan_rows import plan_rows

Pair = tuple[BatchId, StudentId]


@dataclass(frozen=True, slots=True)
class Claim:
    """What a lane has in hand: `steps` to be done, and outcomes for students who are no longer as they were shown."""

    steps: list[ClaimedStep]
    dropped: list[Outcome]

    @property
    def all(self) -> list[ClaimedStep]:
        return [*self.steps, *(one.step for one in self.dropped)]


async def claim_steps(
    session: AsyncSession,
    kind: StepKind,
    *,
    size: int,
    lease_s: float,
    blocked: Collection[StepKind],
    house: House,
    now: datetime,
) -> Claim:
    """Claim due steps. The first step of a student in a batch is their turn: the facts are held against the approval.

    From then on the student is finished with what was approved, so a change that comes later is for the next batch.
    """
    claimed = await claims.claim(
        session, kind, size=size, now=now, lease_s=lease_s, in_hand=house.in_hand, blocked=blocked
    )
    fresh = await batch_students.lock_not_begun(session, {(one.batch_id, one.student_id) for one in claimed})
    changed = await _changed(session, fresh, house)
    begun = [(row.batch_id, row.student_id) for row in fresh if (row.batch_id, row.student_id) not in changed]
    await batch_students.begin(session, begun, now=now)
    return Claim(
        [one for one in claimed if (one.batch_id, one.student_id) not in changed],
        [
            Outcome(one, StepEvent.DROP, code="G-003", fact=Changed(changed[one.batch_id, one.student_id]))
            for one in claimed
            if (one.batch_id, one.student_id) in changed
        ],
    )


async def _changed(session: AsyncSession, rows: Sequence[BatchStudentRow], house: House) -> dict[Pair, tuple[str, ...]]:
    """Those whose facts are not what was approved, with what differs."""
    found: dict[Pair, tuple[str, ...]] = {}
    of_batch: dict[BatchId, list[BatchStudentRow]] = {}
    for row in rows:
        if row.basis_hash:
            of_batch.setdefault(row.batch_id, []).append(row)
    for number, some in of_batch.items():
        batch = await batches.get(session, number)
        assert batch is not None
        what = await what_of(session, batch)
        current = await plan_rows(session, what, [row.student_id for row in some], house=house)
        for row, new in zip(some, current.rows, strict=True):
            if row.basis_hash != new.basis_hash and (differs := changed_since(row.basis, new.basis)):
                found[number, row.student_id] = differs
    return found
