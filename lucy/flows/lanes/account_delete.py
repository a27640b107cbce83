"""Test accounts are deleted, real ones never (FEATURES C.13, T-999)."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import accounts as accounts_db
from lucy.db.claims import ClaimedStep
from lucy.domain.operations import StepKind
from lucy.domain.steps import StepEvent
from lucy.domain.students import is_test_name
from lucy.errors import NotFound, Remedy, RemoteError
from lucy.flows.lanes.account_change import AccountChangeLane
from lucy.flows.lanes.account_guard import Seen, Target
from lucy.flows.lanes.base import Outcome, conflict, failed
from lucy.flows.lanes.begun import found_so, not_done


@dataclass(frozen=True, slots=True)
class Gone:
    """The account is not there any more."""


class AccountDeleteLane(AccountChangeLane):
    """Into Entra's deleted items, from where an administrator can restore it for 30 days."""

    kind: ClassVar[StepKind] = StepKind.DELETE_ACCOUNT

    def refusal(self, target: Target) -> Outcome | None:
        if not is_test_name(target.account.upn):
            return failed(target.step, "T-999", Remedy.ADMINISTRATOR)
        somebody_elses = target.undone is not None and target.account.made_by_batch != target.undone
        return conflict(target.step) if somebody_elses else None

    def absent(self, step: ClaimedStep) -> Outcome:
        return found_so(step, Gone())

    async def already(self, seen: Seen) -> Outcome | None:
        """The name that counts is the one it has now."""
        if not is_test_name(seen.user.upn):
            return failed(seen.target.step, "T-999", Remedy.ADMINISTRATOR)
        return None

    async def change(self, wanted: Mapping[str, Seen]) -> AsyncIterator[Sequence[Outcome]]:
        answers = await self._directory.delete_users({key: seen.user.id for key, seen in wanted.items()})
        yield [self._outcome(wanted[key], error) for key, error in answers.items()]

    def _outcome(self, seen: Seen, error: RemoteError | None) -> Outcome:
        step = seen.target.step
        if error is None:
            return Outcome(step, StepEvent.COMPLETE, fact=Gone(), ids={"entra_id": seen.user.id})
        return self.absent(step) if isinstance(error, NotFound) else not_done(step, error)

    async def store(self, session: AsyncSession, outcomes: Sequence[Outcome], *, now: datetime) -> None:
        gone = [one.step.student_id for one in outcomes if isinstance(one.fact, Gone)]
        await accounts_db.forget_accounts(session, gone)
