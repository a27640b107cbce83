"""Accounts given the name, the number and the country that the records have; what is right is left alone."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import accounts as accounts_db
from lucy.db.claims import ClaimedStep
from lucy.domain.account_print import NAME_LENGTH, account_print, shown_name
from lucy.domain.operations import StepKind
from lucy.domain.steps import StepEvent
from lucy.errors import NotFound, Remedy, RemoteError
from lucy.flows.lanes.account_change import AccountChangeLane
from lucy.flows.lanes.account_guard import Seen
from lucy.flows.lanes.base import Outcome, failed
from lucy.flows.lanes.begun import found_so, not_done
from lucy.ports import AccountChange


@dataclass(frozen=True, slots=True)
class Updated:
    """The print of the account as it is now."""

    print: str


class AccountUpdateLane(AccountChangeLane):
    """The number marks an account as the student's: one that was adopted by its name gets it here (FEATURES row 21)."""

    kind: ClassVar[StepKind] = StepKind.UPDATE_ACCOUNT
    watching: ClassVar[bool] = False

    def absent(self, step: ClaimedStep) -> Outcome:
        return failed(step, "T-007", Remedy.OPERATOR)

    async def already(self, seen: Seen) -> Outcome | None:
        return found_so(seen.target.step) if not self._differences(seen) else None

    def _differences(self, seen: Seen) -> frozenset[str]:
        student, user = seen.target.student, seen.user
        wanted = {
            "given_name": student.first_name[:NAME_LENGTH],
            "surname": student.last_name[:NAME_LENGTH],
            "display_name": shown_name(student.first_name, student.last_name),
            "employee_id": student.document_number,
            "usage_location": self._house.usage_location,
        }
        return frozenset(name for name, value in wanted.items() if getattr(user, name) != value)

    async def change(self, wanted: Mapping[str, Seen]) -> AsyncIterator[Sequence[Outcome]]:
        changes = [
            AccountChange(
                key=key,
                user_id=seen.user.id,
                first_name=seen.target.student.first_name,
                last_name=seen.target.student.last_name,
                employee_id=seen.target.student.document_number,
                usage_location=self._house.usage_location,
            )
            for key, seen in wanted.items()
        ]
        answers = await self._directory.update_users(changes)
        yield [self._outcome(wanted[key], error) for key, error in answers.items()]

    def _outcome(self, seen: Seen, error: RemoteError | None) -> Outcome:
        step = seen.target.step
        if error is None:
            return Outcome(step, StepEvent.COMPLETE, fact=Updated(self._print(seen)), ids={"entra_id": seen.user.id})
        return self.absent(step) if isinstance(error, NotFound) else not_done(step, error)

    def _print(self, seen: Seen) -> str:
        """What was set just now is not the work of another hand."""
        student = seen.target.student
        return account_print(
            upn=seen.user.upn,
            display_name=shown_name(student.first_name, student.last_name),
            given_name=student.first_name[:NAME_LENGTH],
            surname=student.last_name[:NAME_LENGTH],
            employee_id=student.document_number,
            usage_location=self._house.usage_location,
        )

    async def store(self, session: AsyncSession, outcomes: Sequence[Outcome], *, now: datetime) -> None:
        prints = {one.step.student_id: one.fact.print for one in outcomes if isinstance(one.fact, Updated)}
        await accounts_db.store_prints(session, prints, now=now)
