"""The last step of each kind for one student, with its batch and what was kept of it: where `por que` begins."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db.tables import ApprovalRow, AuditEventRow, BatchRow, BatchStudentRow, StepRow
from lucy.domain.operations import StepKind
from lucy.domain.steps import GOOD_STATES, StepState
from lucy.domain.students import StudentId

# Of a later attempt that was called off there is nothing to tell.
_NOTHING_CAME_OF_IT = frozenset({StepState.CANCELLED, StepState.SKIPPED})


@dataclass(frozen=True, slots=True)
class LastStep:
    """`answered` are ids that the provider's answer bore; `changed` what differed where the student dropped out.

    `later` is a newer one that did not end well, or has not ended: what was done before it still holds.
    """

    step: StepRow
    batch: BatchRow
    approvals: Sequence[ApprovalRow] = ()
    answered: dict[str, Any] = field(default_factory=dict)
    changed: Sequence[str] = ()
    later: "LastStep | None" = None

    @property
    def well(self) -> bool:
        return self.step.state in GOOD_STATES


async def last_steps(session: AsyncSession, student: StudentId) -> dict[tuple[StepKind, str], LastStep]:
    """By kind and target: of several batches the newest that did it; where none did, the newest."""
    rows = await session.execute(
        select(StepRow, BatchRow)
        .join(BatchRow, BatchRow.id == StepRow.batch_id)
        .where(StepRow.student_id == student)
        .order_by(StepRow.batch_id)
    )
    every: dict[tuple[StepKind, str], list[tuple[StepRow, BatchRow]]] = {}
    for step, batch in rows:
        every.setdefault((step.kind, step.target), []).append((step, batch))
    numbers = {batch.id for found in every.values() for _step, batch in found}
    approvals: dict[int, list[ApprovalRow]] = {}
    said = select(ApprovalRow).where(ApprovalRow.batch_id.in_(numbers)).order_by(ApprovalRow.at)
    for approval in await session.scalars(said):
        approvals.setdefault(approval.batch_id, []).append(approval)
    answers = await _answers(session, student, numbers)
    dropped = await session.scalars(
        select(BatchStudentRow).where(BatchStudentRow.student_id == student, BatchStudentRow.batch_id.in_(numbers))
    )
    changed = {int(row.batch_id): tuple(map(str, row.changed)) for row in dropped}

    def told(step: StepRow, batch: BatchRow, later: LastStep | None = None) -> LastStep:
        answered = answers.get((batch.id, step.kind.value, step.target), {})
        return LastStep(step, batch, approvals.get(batch.id, ()), answered, changed.get(batch.id, ()), later)

    last: dict[tuple[StepKind, str], LastStep] = {}
    for key, found in every.items():
        newest = told(*found[-1])
        done = next((one for one in reversed(found) if one[0].state in GOOD_STATES), None)
        if done is None or newest.well:
            last[key] = newest
        else:
            last[key] = told(*done, later=newest if newest.step.state not in _NOTHING_CAME_OF_IT else None)
    return last


async def _answers(
    session: AsyncSession, student: StudentId, batches: set[Any]
) -> dict[tuple[int, str, str], dict[str, Any]]:
    """What the audit kept of each step's end."""
    statement = (
        select(AuditEventRow)
        .where(AuditEventRow.student_id == student, AuditEventRow.batch_id.in_(batches))
        .where(AuditEventRow.action.startswith("step."))
        .order_by(AuditEventRow.id)
    )
    return {
        (event.batch_id or 0, event.action.removeprefix("step."), str(event.detail.get("target", ""))): event.detail
        for event in await session.scalars(statement)
    }
