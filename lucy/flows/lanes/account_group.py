"""Entra groups that accounts are put into and taken out of: a class team, a group that rights hang on."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import account_groups as groups_db
from lucy.db.claims import ClaimedStep
from lucy.domain.operations import StepKind
from lucy.domain.steps import StepEvent
from lucy.errors import NotFound, Remedy, RemoteError
from lucy.flows.lanes.account_change import AccountChangeLane, ChangeWork
from lucy.flows.lanes.account_guard import Seen
from lucy.flows.lanes.base import Outcome, conflict, failed, from_error, not_replicated
from lucy.flows.lanes.begun import found_so, not_done
from lucy.ports import GroupMember


@dataclass(frozen=True, slots=True)
class Member:
    """In the group now, or out of it. `ours`: Lucy made the account, so nobody else can have put it there before."""

    inside: bool
    ours: bool = False


class JoinAccountGroupLane(AccountChangeLane):
    """A step's target is the group's object id. Joining once more is harmless."""

    kind: ClassVar[StepKind] = StepKind.ACCOUNT_GROUP
    watching: ClassVar[bool] = False

    def absent(self, step: ClaimedStep) -> Outcome:
        return failed(step, "T-007", Remedy.OPERATOR)

    async def already(self, seen: Seen) -> Outcome | None:
        return None

    async def change(self, wanted: Mapping[str, Seen]) -> AsyncIterator[Sequence[Outcome]]:
        members = [GroupMember(key, seen.user.id, seen.target.step.target) for key, seen in wanted.items()]
        answers = await self._directory.add_members(members)
        yield [self._outcome(wanted[key], error) for key, error in answers.items()]

    def _outcome(self, seen: Seen, error: RemoteError | None) -> Outcome:
        step = seen.target.step
        if error is None:
            fact = Member(inside=True, ours=seen.target.account.made_by_batch is not None)
            return Outcome(step, StepEvent.COMPLETE, fact=fact, ids={"entra_id": seen.user.id})
        if isinstance(error, NotFound) and error.code != "T-020" and seen.target.fresh:
            return from_error(step, not_replicated(step, error))
        return not_done(step, error)

    async def store(self, session: AsyncSession, outcomes: Sequence[Outcome], *, now: datetime) -> None:
        rows = [
            {
                "student_id": one.step.student_id,
                "group_id": one.step.target,
                "made_by_batch": one.step.batch_id if one.fact.ours else None,
                "joined_at": now,
            }
            for one in outcomes
            if isinstance(one.fact, Member)
        ]
        await groups_db.store(session, rows)


class LeaveAccountGroupLane(AccountChangeLane):
    """Only memberships that the undone batch made."""

    kind: ClassVar[StepKind] = StepKind.LEAVE_ACCOUNT_GROUP
    watching: ClassVar[bool] = False

    async def prepare(self, session: AsyncSession, claimed: Sequence[ClaimedStep], *, now: datetime) -> ChangeWork:
        work = await super().prepare(session, claimed, now=now)
        made = await groups_db.made_by(session, {(step.student_id, step.target) for step in claimed})
        for key, target in list(work.wanted.items()):
            maker = made.get((target.step.student_id, target.step.target))
            if maker is None or maker != target.undone:
                work.known.append(conflict(target.step))
                del work.wanted[key]
        return work

    async def already(self, seen: Seen) -> Outcome | None:
        return None

    async def change(self, wanted: Mapping[str, Seen]) -> AsyncIterator[Sequence[Outcome]]:
        members = [GroupMember(key, seen.user.id, seen.target.step.target) for key, seen in wanted.items()]
        answers = await self._directory.remove_members(members)
        yield [self._outcome(wanted[key], error) for key, error in answers.items()]

    def _outcome(self, seen: Seen, error: RemoteError | None) -> Outcome:
        step = seen.target.step
        if error is None:
            return Outcome(step, StepEvent.COMPLETE, fact=Member(inside=False), ids={"entra_id": seen.user.id})
        return found_so(step, Member(inside=False)) if isinstance(error, NotFound) else not_done(step, error)

    async def store(self, session: AsyncSession, outcomes: Sequence[Outcome], *, now: datetime) -> None:
        left = [(one.step.student_id, one.step.target) for one in outcomes if isinstance(one.fact, Member)]
        await groups_db.forget(session, left)
