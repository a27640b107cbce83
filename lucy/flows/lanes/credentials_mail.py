"""The letter with the temporary password: only the last password set is mailed, and it is destroyed once accepted."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import accounts as accounts_db
from lucy.db import students as students_db
from lucy.db import templates
from lucy.db.claims import ClaimedStep
from lucy.db.tables import AccountRow, SealedSecretRow
from lucy.domain import letters
from lucy.domain.house import House
from lucy.domain.letter_values import values_of
from lucy.domain.letters import LetterName, Template
from lucy.domain.operations import StepKind
from lucy.domain.plans_letters import AFTER_A_RESET
from lucy.domain.steps import StepEvent
from lucy.domain.students import Student
from lucy.errors import Remedy
from lucy.flows.lanes.base import Noter, Outcome, failed
from lucy.flows.lanes.letter import LetterLane, LetterWork, Ready, accepted
from lucy.ports import Letter, Mailer
from lucy.sealing import Sealer


class CredentialsMailLane(LetterLane):
    """The first letter of an account that the batch made, and the same anew after a reset."""

    kind: ClassVar[StepKind] = StepKind.CREDENTIALS_MAIL
    letter: ClassVar[LetterName] = LetterName.CREDENTIALS

    def __init__(self, mailer: Mailer, sealer: Sealer, note: Noter, house: House) -> None:
        super().__init__(mailer, note, house)
        self._sealer = sealer

    async def compose(self, session: AsyncSession, claimed: Sequence[ClaimedStep]) -> LetterWork:
        ids = [step.student_id for step in claimed]
        students = await students_db.load(session, ids)
        accounts = await accounts_db.accounts(session, ids)
        secrets = await accounts_db.secrets_for(session, [(step.batch_id, step.student_id) for step in claimed])
        template = await templates.live(session, self.letter)
        work = LetterWork([], [])
        for step in claimed:
            account = accounts.get(step.student_id)
            secret = secrets.get((step.batch_id, step.student_id))
            refusal = self._refusal(step, account, secret)
            if refusal is not None:
                work.known.append(refusal)
            elif account is not None and secret is not None:
                letter = self._letter(template, step, students[step.student_id], account, secret)
                if letter.to_address:
                    work.ready.append(Ready(step, letter, template, secret.step_id))
                else:
                    work.known.append(failed(step, "E-001", Remedy.SOURCE))
        return work

    def _refusal(self, step: ClaimedStep, account: AccountRow | None, secret: SealedSecretRow | None) -> Outcome | None:
        """Why no letter goes out, None when it may."""
        if account is None:
            return failed(step, "T-007", Remedy.OPERATOR)
        if secret is None and account.made_by_batch != step.batch_id and not step.reason.get(AFTER_A_RESET):
            return Outcome(step, StepEvent.SKIP, code="E-010")
        if secret is None:
            return failed(step, "E-008", Remedy.OPERATOR)
        if account.secret_fingerprint != secret.fingerprint:
            return failed(step, "E-007", Remedy.OPERATOR)
        return None

    def _letter(
        self, template: Template, step: ClaimedStep, student: Student, account: AccountRow, secret: SealedSecretRow
    ) -> Letter:
        rendered = letters.render(
            template,
            {**values_of(student, account.upn), "password": self._sealer.open(secret.ciphertext)},
        )
        address = letters.address_for(student.personal_email, account.upn, fallback=self._house.mail_fallback)
        return self.addressed(step, student, address, rendered)

    async def store(self, session: AsyncSession, outcomes: Sequence[Outcome], *, now: datetime) -> None:
        await super().store(session, outcomes, now=now)
        taken = accepted(outcomes)
        await accounts_db.mark_mailed(session, {step.student_id: fact.to_address for step, fact in taken}, now=now)
        await accounts_db.destroy_secrets(session, [fact.secret_step for _, fact in taken if fact.secret_step])


class PasswordMailLane(CredentialsMailLane):
    """The password of a reset."""

    kind: ClassVar[StepKind] = StepKind.PASSWORD_MAIL
    letter: ClassVar[LetterName] = LetterName.PASSWORD
