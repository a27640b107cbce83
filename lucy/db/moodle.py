"""What students have on the Moodle sites: users, enrolments, groups."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, delete, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db.tables import CourseCheckRow, EnrolmentRow, MoodleUserRow, StepRow
from lucy.domain.batches import BatchId
from lucy.domain.operations import StepKind
from lucy.domain.steps import GOOD_STATES
from lucy.domain.students import StudentId

Place = tuple[StudentId, str]  # a student and a site, or a course


async def users_by_site(
    session: AsyncSession, students: Collection[StudentId]
) -> dict[StudentId, dict[str, MoodleUserRow]]:
    """Each student's users by site; the main one is ""."""
    found: dict[StudentId, dict[str, MoodleUserRow]] = {}
    statement = select(MoodleUserRow).where(MoodleUserRow.student_id.in_(list(students)))
    for row in (await session.scalars(statement.order_by(MoodleUserRow.site))).all():
        found.setdefault(row.student_id, {})[row.site] = row
    return found


async def users_at(session: AsyncSession, places: Collection[Place]) -> dict[Place, MoodleUserRow]:
    """The users of students on sites."""
    found = await users_by_site(session, {student for student, _site in places})
    return {(student, site): row for student, rows in found.items() for site, row in rows.items()}


async def store_users(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        statement = insert(MoodleUserRow)
        await session.execute(
            statement.on_conflict_do_update(
                index_elements=[MoodleUserRow.student_id, MoodleUserRow.site],
                set_={"moodle_id": statement.excluded.moodle_id, "username": statement.excluded.username},
            ),
            [dict(row) for row in rows],
        )


async def store_suspended(session: AsyncSession, places: Mapping[Place, bool]) -> None:
    """Note whose user is kept out of a site."""
    for suspended in (True, False):
        some = [place for place, value in places.items() if value is suspended]
        if some:
            these = tuple_(MoodleUserRow.student_id, MoodleUserRow.site).in_(some)
            await session.execute(update(MoodleUserRow).where(these).values(suspended=suspended))


async def enrolments(session: AsyncSession, student: StudentId) -> Sequence[EnrolmentRow]:
    statement = select(EnrolmentRow).where(EnrolmentRow.student_id == student).order_by(EnrolmentRow.course)
    return (await session.scalars(statement)).all()


async def enrolments_in(session: AsyncSession, places: Collection[Place]) -> dict[Place, EnrolmentRow]:
    """The enrolments of students in courses."""
    rows = await session.scalars(select(EnrolmentRow).where(_in(places)))
    return {(row.student_id, row.course): row for row in rows.all()}


async def store_enrolments(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """New ones are stored; one that is known keeps who made it, is active again, and has its reason renewed."""
    if rows:
        statement = insert(EnrolmentRow)
        await session.execute(
            statement.on_conflict_do_update(
                index_elements=[EnrolmentRow.student_id, EnrolmentRow.course],
                set_={"suspended": False, "reason": statement.excluded.reason},
            ),
            [dict(row) for row in rows],
        )


@dataclass(frozen=True, slots=True)
class Entered:
    """A course that somebody is in. `name` is its full name, empty where no look at the course has told it."""

    course_id: int
    name: str


async def entered_with(
    session: AsyncSession, pairs: Collection[tuple[BatchId, StudentId]]
) -> dict[tuple[BatchId, StudentId], dict[str, Entered]]:
    """The courses that students are in now and that their batch was about, in the plan's order."""
    rows = await session.execute(
        select(StepRow.batch_id, StepRow.student_id, StepRow.target, EnrolmentRow.course_id, CourseCheckRow.fullname)
        .join(EnrolmentRow, and_(EnrolmentRow.student_id == StepRow.student_id, EnrolmentRow.course == StepRow.target))
        .outerjoin(CourseCheckRow, CourseCheckRow.course == StepRow.target)
        .where(
            tuple_(StepRow.batch_id, StepRow.student_id).in_(list(pairs)),
            StepRow.kind == StepKind.ENROLMENT,
            StepRow.state.in_(sorted(GOOD_STATES)),
            ~EnrolmentRow.suspended,
        )
        .order_by(StepRow.position)
    )
    found: dict[tuple[BatchId, StudentId], dict[str, Entered]] = {}
    for row in rows:
        found.setdefault((row.batch_id, row.student_id), {})[row.target] = Entered(row.course_id, row.fullname or "")
    return found


async def note_suspended(session: AsyncSession, places: Collection[Place], *, suspended: bool) -> None:
    """Note which enrolments are suspended now, and which are active again."""
    if places:
        await session.execute(update(EnrolmentRow).where(_in(places)).values(suspended=suspended))


async def forget_enrolments(session: AsyncSession, places: Collection[Place]) -> None:
    if places:
        await session.execute(delete(EnrolmentRow).where(_in(places)))


async def store_groups(session: AsyncSession, groups: Mapping[Place, Sequence[str]]) -> None:
    """Note the groups of each course that Lucy has the student in."""
    for (student, course), names in groups.items():
        await session.execute(
            update(EnrolmentRow)
            .where(EnrolmentRow.student_id == student, EnrolmentRow.course == course)
            .values(groups=list(names))
        )


def _in(places: Collection[Place]) -> Any:
    return tuple_(EnrolmentRow.student_id, EnrolmentRow.course).in_(list(places))
