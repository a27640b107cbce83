"""What the spreadsheet of a batch is written from, in pages: a batch of thousands stays in bounded memory."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from sqlalchemy import Row, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db.tables import ApprovalRow, BatchStudentRow, StepRow, StudentRow
from lucy.domain.batch_sheet import SheetStep, SheetStudent
from lucy.domain.operations import StepKind
from lucy.domain.students import StudentId
from lucy.domain.views import Approval

PAGE = 200


async def hold_still(session: AsyncSession) -> None:
    """All that this transaction reads is of one moment; it must not have read anything yet."""
    await session.execute(text("set transaction isolation level repeatable read, read only"))


async def kinds(session: AsyncSession, number: int) -> list[StepKind]:
    """The kinds of step in the plan, in the order in which cards name them."""
    found = set((await session.scalars(select(StepRow.kind).where(StepRow.batch_id == number).distinct())).all())
    return [kind for kind in StepKind if kind in found]


async def approvals(session: AsyncSession, number: int) -> tuple[Approval, ...]:
    rows = await session.execute(
        select(ApprovalRow.approver_name, ApprovalRow.at)
        .where(ApprovalRow.batch_id == number)
        .order_by(ApprovalRow.at, ApprovalRow.approver_id)
    )
    return tuple(Approval(row.approver_name, row.at) for row in rows)


async def pages(session: AsyncSession, number: int, *, size: int = PAGE) -> AsyncIterator[list[SheetStudent]]:
    """The students in the plan's order, each with their steps."""
    last: tuple[int, int] = (-1, 0)
    while rows := await _students(session, number, after=last, size=size):
        steps = await _steps(session, number, [row.student_id for row in rows])
        yield [
            SheetStudent(
                last_name=row.last_name,
                first_name=row.first_name,
                document=row.document_number,
                stage=row.stage,
                steps=tuple(steps.get(row.student_id, ())),
                impossible=tuple(map(str, row.impossible)),
                changed=tuple(map(str, row.changed)),
            )
            for row in rows
        ]
        last = (rows[-1].position, rows[-1].student_id)


async def _students(session: AsyncSession, number: int, *, after: tuple[int, int], size: int) -> Sequence[Row[Any]]:
    place = tuple_(BatchStudentRow.position, BatchStudentRow.student_id)
    statement = (
        select(
            BatchStudentRow.student_id,
            BatchStudentRow.position,
            BatchStudentRow.impossible,
            BatchStudentRow.changed,
            StudentRow.last_name,
            StudentRow.first_name,
            StudentRow.document_number,
            StudentRow.stage,
        )
        .join(StudentRow, StudentRow.id == BatchStudentRow.student_id)
        .where(BatchStudentRow.batch_id == number, place > after)
        .order_by(BatchStudentRow.position, BatchStudentRow.student_id)
        .limit(size)
    )
    return (await session.execute(statement)).all()


async def _steps(session: AsyncSession, number: int, students: Sequence[StudentId]) -> dict[StudentId, list[SheetStep]]:
    """What is known of each step; its last change is its end, else its first claim."""
    statement = (
        select(
            StepRow.student_id,
            StepRow.kind,
            StepRow.target,
            StepRow.state,
            StepRow.error_code,
            StepRow.remedy,
            StepRow.closed_at,
            StepRow.first_claimed_at,
        )
        .where(StepRow.batch_id == number, StepRow.student_id.in_(students))
        .order_by(StepRow.position)
    )
    found: dict[StudentId, list[SheetStep]] = {}
    for row in await session.execute(statement):
        changed_at = row.closed_at or row.first_claimed_at
        step = SheetStep(row.kind, row.target, row.state, row.error_code, row.remedy, changed_at)
        found.setdefault(row.student_id, []).append(step)
    return found
