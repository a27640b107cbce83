"""What the last look at each course found."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db.tables import CourseCheckRow


async def of_courses(session: AsyncSession, courses: Sequence[str]) -> dict[str, CourseCheckRow]:
    rows = await session.scalars(select(CourseCheckRow).where(CourseCheckRow.course.in_(list(courses))))
    return {row.course: row for row in rows.all()}


async def store(
    session: AsyncSession, found: Mapping[str, tuple[str, Sequence[str]]], *, keep: Sequence[str], now: datetime
) -> None:
    """Course → full name and the codes of what is wrong. Courses that are not among `keep` are forgotten."""
    await session.execute(delete(CourseCheckRow).where(CourseCheckRow.course.not_in(list(keep))))
    if found:
        statement = insert(CourseCheckRow)
        new = statement.excluded
        await session.execute(
            statement.on_conflict_do_update(
                index_elements=[CourseCheckRow.course],
                set_={"fullname": new.fullname, "problems": new.problems, "checked_at": new.checked_at},
            ),
            [
                {"course": course, "fullname": name, "problems": list(codes), "checked_at": now}
                for course, (name, codes) in found.items()
            ],
        )
