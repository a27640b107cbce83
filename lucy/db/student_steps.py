"""The last step of each kind for one student, with its batch and what was kept of it: where `por que` begins."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db.tables import ApprovalRow, AuditEventRow, BatchRow, BatchStudentRow, StepRow
from lucy.domain.operations import StepKind
from lucy.domain.students import StudentId


@dataclass(frozen=True, slots=True)
class LastStep:
    """`answered` are ids that the provider's answer bore; `changed` what differed where the student dropped out."""

    step: StepRow
    batch: BatchRow
    approvals: Sequence[ApprovalRow] = ()
    answered: dict[str, Any] = field(default_factory=dict)
    changed: Sequence[str] = ()


async def last_steps(session: AsyncSession, student: StudentId) -> dict[tuple[StepKind, str], LastStep]:
    """By kind and target; of several batches the newest counts."""
    rows = await session.execute(
        select(StepRow, BatchRow)
        .join(BatchRow, BatchRow.id == StepRow.batch_id)
        .where(StepRow.student_id == student)
        .order_by(StepRow.batch_id)
    )
    last = {(step.kind, step.target): (step, batch) for step, batch in rows}
    numbers = {batch.id for _step, batch in last.values()}
    approvals: dict[int, list[ApprovalRow]] = {}
    said = select(ApprovalRow).where(ApprovalRow.batch_id.in_(numbers)).order_by(ApprovalRow.at)
    for approval in await session.scalars(said):
        approvals.setdefault(approval.batch_id, []).append(approval)
    answers = await _answers(session, student, numbers)
    dropped = await session.scalars(
        select(BatchStudentRow).where(BatchStudentRow.student_id == student, BatchStudentRow.batch_id.in_(numbers))
    )
    changed = {int(row.batch_id): tuple(map(str, row.changed)) for row in dropped}
    return {
        key: LastStep(
            step,
            batch,
            approvals.get(batch.id, ()),
            answers.get((batch.id, step.kind.value, step.target), {}),
            changed.get(batch.id, ()),
        )
        for key, (step, batch) in last.items()
    }


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
