"""Licences taken back: by an undo only those that its batch gave, and whosever where staff ask for it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import accounts as accounts_db
from lucy.db.claims import ClaimedStep
from lucy.domain.operations import StepKind
from lucy.domain.steps import StepEvent
from lucy.errors import NotFound, RemoteError
from lucy.flows.lanes.account_change import AccountChangeLane
from lucy.flows.lanes.account_guard import Seen, Target
from lucy.flows.lanes.base import Outcome, conflict
from lucy.flows.lanes.begun import found_so, not_done
from lucy.ports import GroupMember, LicenceRequest


@dataclass(frozen=True, slots=True)
class Unlicensed:
    """The account has none of Lucy's licence."""


class LicenceRemovalLane(AccountChangeLane):
    kind: ClassVar[StepKind] = StepKind.REMOVE_LICENCE

    def refusal(self, target: Target) -> Outcome | None:
        if not target.account.licensed:
            return found_so(target.step)
        if target.undone is None:
            return None
        given_by = target.account.licensed_by_batch
        return None if given_by is not None and given_by == target.undone else conflict(target.step)

    def absent(self, step: ClaimedStep) -> Outcome:
        return found_so(step, Unlicensed())

    async def already(self, seen: Seen) -> Outcome | None:
        return None if await self._guard.sku_id() in seen.user.sku_ids else self.absent(seen.target.step)

    async def change(self, wanted: Mapping[str, Seen]) -> AsyncIterator[Sequence[Outcome]]:
        sku_id = await self._guard.sku_id()
        group = self._house.licence_group
        if group:
            members = [GroupMember(key, seen.user.id, group) for key, seen in wanted.items()]
            answers = await self._directory.remove_members(members)
        else:
            requests = [LicenceRequest(key, seen.user.id, sku_id) for key, seen in wanted.items()]
            answers = await self._directory.remove_licences(requests)
        yield [self._outcome(wanted[key], error) for key, error in answers.items()]

    def _outcome(self, seen: Seen, error: RemoteError | None) -> Outcome:
        step = seen.target.step
        if error is None:
            return Outcome(step, StepEvent.COMPLETE, fact=Unlicensed(), ids={"entra_id": seen.user.id})
        return self.absent(step) if isinstance(error, NotFound) else not_done(step, error)

    async def store(self, session: AsyncSession, outcomes: Sequence[Outcome], *, now: datetime) -> None:
        taken = [one.step.student_id for one in outcomes if isinstance(one.fact, Unlicensed)]
        await accounts_db.mark_unlicensed(session, taken, now=now)
