"""Which Entra groups Lucy put accounts into."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db.tables import AccountGroupRow
from lucy.domain.students import StudentId

Membership = tuple[StudentId, str]  # a student and the group's object id


async def of_students(session: AsyncSession, students: Collection[StudentId]) -> dict[StudentId, frozenset[str]]:
    found: dict[StudentId, set[str]] = {}
    statement = select(AccountGroupRow.student_id, AccountGroupRow.group_id)
    for student, group in await session.execute(statement.where(AccountGroupRow.student_id.in_(list(students)))):
        found.setdefault(student, set()).add(group)
    return {student: frozenset(groups) for student, groups in found.items()}


async def made_by(session: AsyncSession, memberships: Collection[Membership]) -> dict[Membership, int | None]:
    """The batch that made each membership that Lucy knows; None where the account was there before her."""
    rows = await session.scalars(select(AccountGroupRow).where(_in(memberships)))
    return {(row.student_id, row.group_id): row.made_by_batch for row in rows.all()}


async def store(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """One that is known keeps who made it."""
    if rows:
        await session.execute(insert(AccountGroupRow).on_conflict_do_nothing(), [dict(row) for row in rows])


async def forget(session: AsyncSession, memberships: Collection[Membership]) -> None:
    if memberships:
        await session.execute(delete(AccountGroupRow).where(_in(memberships)))


def _in(memberships: Collection[Membership]) -> Any:
    return tuple_(AccountGroupRow.student_id, AccountGroupRow.group_id).in_(list(memberships))
