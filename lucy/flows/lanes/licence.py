"""Licences: the student SKU for accounts that have none of it, outright or from a group that gives it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import accounts as accounts_db
from lucy.db.claims import ClaimedStep
from lucy.domain.house import House
from lucy.domain.operations import StepKind
from lucy.domain.steps import StepEvent
from lucy.errors import NotFound, Refused, Remedy, RemoteError, RetryLater, System
from lucy.flows.lanes.base import Lane, Outcome, failed, from_error, not_replicated, unasked
from lucy.ports import Directory, DirectoryUser, GroupMember, LicenceRequest

# Entra may need minutes to show everywhere what it has just created (contracts/graph.md, section 10).
REPLICATION = timedelta(minutes=5)

# A group gives its licence in the background: https://learn.microsoft.com/entra/identity/users/licensing-groups-assign
GROUP_WAIT_S = 20.0
# What it says where it cannot (contracts/graph.md, licenseAssignmentStates), as for a licence assigned outright.
GROUP_REFUSALS = {
    "CountViolation": "T-005",
    "MutuallyExclusiveViolation": "T-025",
    "DependencyViolation": "T-026",
    "ProhibitedInUsageLocationViolation": "T-024",
    "UniquenessViolation": "T-028",
}


@dataclass(frozen=True, slots=True)
class Candidate:
    step: ClaimedStep
    entra_id: str
    fresh: bool


@dataclass(frozen=True, slots=True)
class LicenceWork:
    known: list[Outcome]
    candidates: dict[str, Candidate]


class LicenceLane(Lane[LicenceWork]):
    """`POST /users/{id}/assignLicense` in `$batch`; assigning what is assigned is harmless."""

    kind: ClassVar[StepKind] = StepKind.LICENCE
    system: ClassVar[System] = System.GRAPH

    def __init__(self, directory: Directory, house: House) -> None:
        self._directory, self._house = directory, house
        self.size = house.batch_size
        self._sku_id = ""

    async def prepare(self, session: AsyncSession, claimed: Sequence[ClaimedStep], *, now: datetime) -> LicenceWork:
        accounts = await accounts_db.accounts(session, [step.student_id for step in claimed])
        known: list[Outcome] = []
        candidates: dict[str, Candidate] = {}
        for step in claimed:
            account = accounts.get(step.student_id)
            if account is None:
                known.append(failed(step, "T-007", Remedy.OPERATOR))
            elif account.licensed:
                known.append(Outcome(step, StepEvent.FIND_DONE))
            else:
                fresh = account.created_at >= now - REPLICATION
                candidates[str(step.id)] = Candidate(step, account.entra_id, fresh)
        return LicenceWork(known, candidates)

    async def perform(self, work: LicenceWork) -> AsyncIterator[Sequence[Outcome]]:
        if work.known:
            yield unasked(work.known)
        if not work.candidates:
            return
        if not self._sku_id:
            self._sku_id = (await self._directory.licence_seats(self._house.licence_sku)).sku_id
        if self._house.licence_group:
            yield await self._by_group(work.candidates)
            return
        requests = [LicenceRequest(key, one.entra_id, self._sku_id) for key, one in work.candidates.items()]
        answers = await self._directory.assign_licences(requests)
        yield [self._outcome(work.candidates[key], error) for key, error in answers.items()]

    async def _by_group(self, candidates: Mapping[str, Candidate]) -> list[Outcome]:
        """Members get the licence from the group, some time later: only what is read back counts."""
        group = self._house.licence_group
        members = [GroupMember(key, one.entra_id, group) for key, one in candidates.items()]
        answers = await self._directory.add_members(members)
        joined = {key: candidates[key].entra_id for key, error in answers.items() if error is None}
        seen = await self._directory.read_users(joined) if joined else {}
        return [
            self._outcome(candidates[key], error or self._not_given(seen.get(key))) for key, error in answers.items()
        ]

    def _not_given(self, user: DirectoryUser | RemoteError | None) -> RemoteError | None:
        """Why the group has not given it; None when it has."""
        if isinstance(user, RemoteError):
            return user
        if user is None:
            return NotFound(System.GRAPH, "read back", "T-013")
        if self._sku_id in user.sku_ids:
            return None
        why = user.licence_errors.get(self._sku_id, "")
        if why in GROUP_REFUSALS:
            return Refused(System.GRAPH, "licence by group", GROUP_REFUSALS[why], detail=why)
        return RetryLater(System.GRAPH, "licence by group", "T-019", after_s=GROUP_WAIT_S)

    def _outcome(self, candidate: Candidate, error: RemoteError | None) -> Outcome:
        step = candidate.step
        if error is None:
            return Outcome(step, StepEvent.COMPLETE, ids={"entra_id": candidate.entra_id})
        if isinstance(error, NotFound) and candidate.fresh:
            return from_error(step, not_replicated(step, error))
        if isinstance(error, NotFound):
            return failed(step, "T-007", Remedy.OPERATOR)
        return from_error(step, error)

    async def store(self, session: AsyncSession, outcomes: Sequence[Outcome], *, now: datetime) -> None:
        given = [(one.step.student_id, one.step.batch_id) for one in outcomes if one.event is StepEvent.COMPLETE]
        await accounts_db.mark_licensed(session, given, now=now)
