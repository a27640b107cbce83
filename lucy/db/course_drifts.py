"""What differs between the courses of Moodle and what Lucy expects."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db.moodle import Place
from lucy.db.tables import CourseDriftRow, EnrolmentRow, MoodleUserRow
from lucy.domain.course_drift import CourseDrift, in_words
from lucy.domain.students import StudentId


@dataclass(frozen=True, slots=True)
class Recorded:
    """An enrolment as Lucy has it. `suspended`: she knows it to be so."""

    course_id: int
    suspended: bool


async def recorded(session: AsyncSession) -> dict[str, dict[StudentId, Recorded]]:
    """Lucy's enrolments by course."""
    found: dict[str, dict[StudentId, Recorded]] = {}
    statement = select(EnrolmentRow.course, EnrolmentRow.student_id, EnrolmentRow.course_id, EnrolmentRow.suspended)
    for course, student, course_id, suspended in await session.execute(statement):
        found.setdefault(course, {})[student] = Recorded(course_id, suspended)
    return found


async def users(session: AsyncSession, site: str) -> dict[int, StudentId]:
    """Whose each Moodle user of a site is."""
    statement = select(MoodleUserRow.moodle_id, MoodleUserRow.student_id).where(MoodleUserRow.site == site)
    return {row.moodle_id: row.student_id for row in await session.execute(statement)}


async def of_student(session: AsyncSession, student: StudentId) -> dict[str, str]:
    """What is told of their courses now, in words."""
    rows = await session.execute(
        select(CourseDriftRow.course, CourseDriftRow.kind).where(CourseDriftRow.student_id == student)
    )
    return {row.course: in_words(CourseDrift(row.kind)) for row in rows}


async def told(session: AsyncSession, course: str) -> dict[StudentId, frozenset[CourseDrift]]:
    """What is told of a course until now."""
    found: dict[StudentId, set[CourseDrift]] = {}
    statement = select(CourseDriftRow.student_id, CourseDriftRow.kind).where(CourseDriftRow.course == course)
    for student, kind in await session.execute(statement):
        found.setdefault(student, set()).add(CourseDrift(kind))
    return {student: frozenset(kinds) for student, kinds in found.items()}


async def replace(session: AsyncSession, course: str, found: Mapping[StudentId, CourseDrift], *, now: datetime) -> None:
    """What is told of a course becomes exactly this; what was told already keeps since when."""
    wanted = [(student, drift.value) for student, drift in found.items()]
    mine = CourseDriftRow.course == course
    gone = delete(CourseDriftRow).where(mine)
    if wanted:
        gone = gone.where(tuple_(CourseDriftRow.student_id, CourseDriftRow.kind).not_in(wanted))
    await session.execute(gone)
    if wanted:
        await session.execute(
            insert(CourseDriftRow).on_conflict_do_nothing(),
            [{"student_id": student, "course": course, "kind": kind, "first_seen_at": now} for student, kind in wanted],
        )


async def keep_courses(session: AsyncSession, courses: Collection[str]) -> None:
    """Nothing is told of other courses."""
    await session.execute(delete(CourseDriftRow).where(CourseDriftRow.course.not_in(list(courses))))


async def settle(session: AsyncSession, places: Collection[Place]) -> None:
    """Lucy did something about these."""
    if places:
        these = tuple_(CourseDriftRow.student_id, CourseDriftRow.course).in_(list(places))
        await session.execute(delete(CourseDriftRow).where(these))


async def counts(session: AsyncSession) -> Sequence[tuple[CourseDrift, str, int, datetime]]:
    """Kind, course, how many, since when; the most first."""
    statement = (
        select(
            CourseDriftRow.kind,
            CourseDriftRow.course,
            func.count().label("n"),
            func.min(CourseDriftRow.first_seen_at).label("since"),
        )
        .group_by(CourseDriftRow.kind, CourseDriftRow.course)
        .order_by(func.count().desc(), CourseDriftRow.course)
    )
    return [(CourseDrift(row.kind), row.course, int(row.n), row.since) for row in await session.execute(statement)]
