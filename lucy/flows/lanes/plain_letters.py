"""Letters without a password: welcome, and the notice to the address that a student had before."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import accounts as accounts_db
from lucy.db import students as students_db
from lucy.db import templates
from lucy.db.claims import ClaimedStep
from lucy.db.tables import AccountRow
from lucy.domain import letters
from lucy.domain.letter_values import values_of
from lucy.domain.letters import LetterName, Template
from lucy.domain.operations import StepKind
from lucy.domain.plans_letters import FORMER_STAGE
from lucy.domain.students import Student, StudentId
from lucy.errors import Remedy
from lucy.flows.lanes.base import Outcome, failed
from lucy.flows.lanes.letter import LetterLane, LetterWork, Ready, accepted
from lucy.ports import Letter


class PlainLetterLane(LetterLane):
    """What is said is in `letter`; where it goes the lane knows."""

    letter: ClassVar[LetterName]

    async def compose(self, session: AsyncSession, claimed: Sequence[ClaimedStep]) -> LetterWork:
        ids = [step.student_id for step in claimed]
        students = await students_db.load(session, ids)
        accounts = await accounts_db.accounts(session, ids)
        addresses = await self.addresses(session, students, accounts)
        template = await templates.live(session, self.letter)
        work = LetterWork([], [])
        for step in claimed:
            address = addresses.get(step.student_id, "")
            if address:
                student, account = students[step.student_id], accounts.get(step.student_id)
                letter = self._letter(template, step, student, account, address)
                work.ready.append(Ready(step, letter, template))
            else:
                work.known.append(failed(step, "E-001", Remedy.SOURCE))
        return work

    def _letter(
        self, template: Template, step: ClaimedStep, student: Student, account: AccountRow | None, address: str
    ) -> Letter:
        values = {**values_of(student, account.upn if account else ""), **self.values(step, student)}
        rendered = letters.render(template, values)
        return self.addressed(step, student, address, rendered)

    def values(self, step: ClaimedStep, student: Student) -> Mapping[str, str]:
        """What the letter names beyond the student's own."""
        return {}

    @abstractmethod
    async def addresses(
        self, session: AsyncSession, students: Mapping[StudentId, Student], accounts: Mapping[StudentId, AccountRow]
    ) -> Mapping[StudentId, str]:
        """Where each letter goes; who is not named has no address."""


class NoticeMailLane(PlainLetterLane):
    kind: ClassVar[StepKind] = StepKind.NOTICE_MAIL
    letter: ClassVar[LetterName] = LetterName.NOTICE

    async def addresses(
        self, session: AsyncSession, students: Mapping[StudentId, Student], accounts: Mapping[StudentId, AccountRow]
    ) -> Mapping[StudentId, str]:
        return await students_db.former_emails(session, list(students))


class ContactLetterLane(PlainLetterLane):
    """To the personal address, else to the institutional one."""

    async def addresses(
        self, session: AsyncSession, students: Mapping[StudentId, Student], accounts: Mapping[StudentId, AccountRow]
    ) -> Mapping[StudentId, str]:
        upns = {student: account.upn for student, account in accounts.items()}
        fallback = self._house.mail_fallback
        return {
            id_: letters.address_for(one.personal_email, upns.get(id_, ""), fallback=fallback)
            for id_, one in students.items()
        }


class WelcomeMailLane(ContactLetterLane):
    kind: ClassVar[StepKind] = StepKind.WELCOME_MAIL
    letter: ClassVar[LetterName] = LetterName.WELCOME

    async def store(self, session: AsyncSession, outcomes: Sequence[Outcome], *, now: datetime) -> None:
        await super().store(session, outcomes, now=now)
        welcomed = [step.student_id for step, _fact in accepted(outcomes)]
        await students_db.mark_welcomed(session, welcomed, now=now)


class StatusMailLane(ContactLetterLane):
    kind: ClassVar[StepKind] = StepKind.STATUS_MAIL
    letter: ClassVar[LetterName] = LetterName.STATUS

    def values(self, step: ClaimedStep, student: Student) -> Mapping[str, str]:
        return {"antes": str(step.reason.get(FORMER_STAGE, "")), "ahora": student.stage.value}

    async def store(self, session: AsyncSession, outcomes: Sequence[Outcome], *, now: datetime) -> None:
        await super().store(session, outcomes, now=now)
        await students_db.mark_told(session, [step.student_id for step, _fact in accepted(outcomes)])
