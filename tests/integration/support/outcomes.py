"""What tests of taking back look at: the stored facts of a student, and how a batch's steps ended."""

from collections import Counter

from sqlalchemy import select

from lucy.db.tables import AccountRow, EnrolmentRow, MoodleUserRow
from lucy.domain.operations import StepKind
from sandbox.graph.user import User
from tests.integration.support.people import Known
from tests.integration.support.works import Works


async def account(works: Works, student: Known) -> AccountRow | None:
    async with works.db.transaction() as session:
        return await session.get(AccountRow, student.id)


async def the_account(works: Works, student: Known) -> AccountRow:
    found = await account(works, student)
    assert found is not None
    return found


async def moodle_user(works: Works, student: Known) -> MoodleUserRow:
    async with works.db.transaction() as session:
        found = await session.get(MoodleUserRow, (student.id, ""))
    assert found is not None
    return found


async def enrolments(works: Works, student: Known) -> dict[str, EnrolmentRow]:
    async with works.db.transaction() as session:
        rows = await session.scalars(select(EnrolmentRow).where(EnrolmentRow.student_id == student.id))
        return {row.course: row for row in rows}


async def ended(works: Works, number: int, kind: StepKind | None = None) -> Counter[tuple[str, str]]:
    """How many steps of a batch are in which state, with which code."""
    return Counter((one.state.value, one.error_code) for one in await works.steps(number, kind))


async def states(works: Works, number: int, kind: StepKind | None = None) -> Counter[str]:
    return Counter(one.state.value for one in await works.steps(number, kind))


def in_entra(works: Works, student: Known) -> User:
    """The live account under the student's sign-in name."""
    (found,) = [one for one in works.states.graph.users.values() if one.upn == student.upn and one.deleted_at is None]
    return found


def in_course(works: Works, student_moodle_id: int, course: str) -> bool | None:
    """Whether the enrolment is active; None where there is none."""
    found = works.states.moodle.course_by_shortname(course)
    assert found is not None
    enrolment = works.states.moodle.store.enrolments.get((found.id, student_moodle_id))
    return None if enrolment is None else not enrolment.suspended
