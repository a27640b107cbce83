"""The letter that tells a student in which courses they are now: one course has a letter of its own."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import accounts as accounts_db
from lucy.db import moodle as moodle_db
from lucy.db import students as students_db
from lucy.db import templates
from lucy.db.claims import ClaimedStep
from lucy.domain import letters
from lucy.domain.letter_values import values_of
from lucy.domain.letters import LetterName, courses_html
from lucy.domain.moodle_rules import MAIN_SITE, site_and_course
from lucy.domain.operations import StepKind
from lucy.errors import Remedy
from lucy.flows.lanes.base import conflict, failed
from lucy.flows.lanes.letter import LetterLane, LetterWork, Ready


class CoursesMailLane(LetterLane):
    """Sent when every enrolment of the batch has ended; it names those that worked, and those that were there."""

    kind: ClassVar[StepKind] = StepKind.ENROLMENT_MAIL

    async def compose(self, session: AsyncSession, claimed: Sequence[ClaimedStep]) -> LetterWork:
        ids = [step.student_id for step in claimed]
        students = await students_db.load(session, ids)
        accounts = await accounts_db.accounts(session, ids)
        entered = await moodle_db.entered_with(session, {(step.batch_id, step.student_id) for step in claimed})
        every = await templates.live(session, LetterName.ENROLMENT)
        one_course = await templates.live(session, LetterName.COURSE)
        work = LetterWork([], [])
        for step in claimed:
            student, account = students[step.student_id], accounts.get(step.student_id)
            courses = entered.get((step.batch_id, step.student_id), {})
            upn = account.upn if account else ""
            address = letters.address_for(student.personal_email, upn, fallback=self._house.mail_fallback)
            if not courses:
                work.known.append(conflict(step))  # somebody took them out again
            elif not address:
                work.known.append(failed(step, "E-001", Remedy.SOURCE))
            else:
                template = one_course if len(courses) == 1 else every
                rendered = letters.render(template, {**values_of(student, upn), **self._values(courses)})
                work.ready.append(Ready(step, self.addressed(step, student, address, rendered), template))
        return work

    def _values(self, courses: Mapping[str, moodle_db.Entered]) -> dict[str, str]:
        """Courses of one site lead there; of several, to the main one."""
        sites = {site_and_course(course, self._house.moodle_sites)[0] for course in courses}
        site = sites.pop() if len(sites) == 1 else MAIN_SITE
        named = {one.name or course: self._address(course, one.course_id) for course, one in courses.items()}
        return {
            "moodle_url": self._house.moodle_urls.get(site, ""),
            "cursos_html": courses_html(named),
            "curso": next(iter(named)),
        }

    def _address(self, course: str, course_id: int) -> str:
        url = self._house.moodle_urls.get(site_and_course(course, self._house.moodle_sites)[0], "")
        return f"{url}/course/view.php?id={course_id}" if url else ""
