"""Accounts disabled, with what was signed in ended, or enabled again."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import accounts as accounts_db
from lucy.db.claims import ClaimedStep
from lucy.domain.operations import StepKind
from lucy.domain.steps import StepEvent
from lucy.errors import NotFound, Remedy, RemoteError
from lucy.flows.lanes.account_change import AccountChangeLane
from lucy.flows.lanes.account_guard import Seen
from lucy.flows.lanes.base import Outcome, failed, from_error
from lucy.flows.lanes.begun import begun, found_so, not_done
from lucy.ports import EnabledChange


@dataclass(frozen=True, slots=True)
class Switched:
    """Whether the account may sign in now."""

    enabled: bool


class AccountSwitchLane(AccountChangeLane):
    """Disabling comes before the sessions: a session ended while the account is enabled is opened again at once.

    A claim that disabled and could not end the sessions, or died in between, has left its note: whoever repeats it
    finds the account disabled and still ends them.
    """

    enabled: ClassVar[bool]

    def absent(self, step: ClaimedStep) -> Outcome:
        return failed(step, "T-007", Remedy.OPERATOR) if self.enabled else found_so(step)

    async def already(self, seen: Seen) -> Outcome | None:
        if seen.user.enabled is not self.enabled:
            return None
        sessions_open = not self.enabled and begun(seen.target.step)
        return None if sessions_open else found_so(seen.target.step, Switched(self.enabled))

    async def change(self, wanted: Mapping[str, Seen]) -> AsyncIterator[Sequence[Outcome]]:
        requests = [
            EnabledChange(key, seen.user.id, self.enabled)
            for key, seen in wanted.items()
            if seen.user.enabled is not self.enabled
        ]
        answers = await self._directory.set_enabled(requests) if requests else {}
        lost = [self._not_switched(wanted[key], error) for key, error in answers.items() if error is not None]
        if lost:
            yield lost
        switched = {key: seen for key, seen in wanted.items() if answers.get(key) is None}
        if switched and self.enabled:
            yield [self._done(seen) for seen in switched.values()]
        elif switched:
            ended = await self._directory.revoke_sessions({key: seen.user.id for key, seen in switched.items()})
            yield [self._ended(switched[key], error) for key, error in ended.items()]

    def _not_switched(self, seen: Seen, error: RemoteError) -> Outcome:
        return self.absent(seen.target.step) if isinstance(error, NotFound) else not_done(seen.target.step, error)

    def _ended(self, seen: Seen, error: RemoteError | None) -> Outcome:
        """The account is disabled whatever became of its sessions; the note stays, so that they are ended."""
        if error is None or isinstance(error, NotFound):
            return self._done(seen)
        return replace(from_error(seen.target.step, error), fact=Switched(False))

    def _done(self, seen: Seen) -> Outcome:
        ids = {"entra_id": seen.user.id}
        return Outcome(seen.target.step, StepEvent.COMPLETE, fact=Switched(self.enabled), ids=ids)

    async def store(self, session: AsyncSession, outcomes: Sequence[Outcome], *, now: datetime) -> None:
        found = {one.step.student_id: one.fact.enabled for one in outcomes if isinstance(one.fact, Switched)}
        await accounts_db.store_enabled(session, found, now=now)


class EnableAccountLane(AccountSwitchLane):
    """Enabling takes nothing away: no look at who else was there."""

    kind: ClassVar[StepKind] = StepKind.ENABLE_ACCOUNT
    enabled: ClassVar[bool] = True
    watching: ClassVar[bool] = False


class DisableAccountLane(AccountSwitchLane):
    kind: ClassVar[StepKind] = StepKind.DISABLE_ACCOUNT
    enabled: ClassVar[bool] = False
