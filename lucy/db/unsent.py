"""Passwords that were set and reached nobody: their letter failed, and none has been accepted since."""

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db.tables import AccountRow, StepRow, StudentRow
from lucy.domain.operations import StepKind
from lucy.domain.steps import StepState

_LETTERS = (StepKind.CREDENTIALS_MAIL, StepKind.PASSWORD_MAIL)


def waits_for_a_password() -> ColumnElement[bool]:
    """Of a query over students: an open case until a letter is accepted (`reenviar`)."""
    return exists().where(
        AccountRow.student_id == StudentRow.id,
        AccountRow.enabled,
        StepRow.student_id == StudentRow.id,
        StepRow.state == StepState.FAILED,
        StepRow.kind.in_(_LETTERS),
        or_(AccountRow.mailed_at.is_(None), AccountRow.mailed_at < StepRow.closed_at),
    )


async def unsent(session: AsyncSession) -> int:
    """How many students wait for a password of theirs."""
    return int(await session.scalar(select(func.count()).select_from(StudentRow).where(waits_for_a_password())) or 0)
