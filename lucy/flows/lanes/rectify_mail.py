"""The letter that takes back an earlier one: that account has no effect, its password opens nothing."""

from collections.abc import Sequence
from typing import ClassVar

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import accounts as accounts_db
from lucy.db import students as students_db
from lucy.db import templates
from lucy.db.claims import ClaimedStep
from lucy.db.tables import AccountRow
from lucy.domain import letters
from lucy.domain.letters import LetterName, Template
from lucy.domain.operations import StepKind
from lucy.domain.plans import upn_for
from lucy.domain.students import Student
from lucy.errors import Remedy
from lucy.flows.lanes.base import failed
from lucy.flows.lanes.letter import LetterLane, LetterWork, Ready
from lucy.ports import Letter


class RectifyMailLane(LetterLane):
    """To where the letter with the password went. It holds no password."""

    kind: ClassVar[StepKind] = StepKind.RECTIFY_MAIL

    async def compose(self, session: AsyncSession, claimed: Sequence[ClaimedStep]) -> LetterWork:
        ids = [step.student_id for step in claimed]
        students = await students_db.load(session, ids)
        accounts = await accounts_db.accounts(session, ids)
        template = await templates.live(session, LetterName.RECTIFY)
        work = LetterWork([], [])
        for step in claimed:
            letter = self._letter(template, step, students[step.student_id], accounts.get(step.student_id))
            if letter.to_address:
                work.ready.append(Ready(step, letter, template))
            else:
                work.known.append(failed(step, "E-001", Remedy.SOURCE))
        return work

    def _letter(self, template: Template, step: ClaimedStep, student: Student, account: AccountRow | None) -> Letter:
        """An account that was deleted by now is named all the same; nothing can be written to it."""
        house = self._house
        given = upn_for(student.document_number, prefix=house.account_prefix, domain=house.account_domain)
        names = {"nombre": student.first_name, "apellido": student.last_name}
        rendered = letters.render(template, {**names, "upn": account.upn if account else given})
        institutional = account.upn if account else ""
        address = letters.address_for(student.personal_email, institutional, fallback=house.mail_fallback)
        return self.addressed(step, student, address, rendered)
