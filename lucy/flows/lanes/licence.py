"""Licences: the student SKU for accounts that have none of it."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import accounts as accounts_db
from lucy.db.claims import ClaimedStep
from lucy.domain.house import House
from lucy.domain.operations import StepKind
from lucy.domain.steps import StepEvent
from lucy.errors import NotFound, Remedy, RemoteError, System
from lucy.flows.lanes.base import Lane, Outcome, failed, from_error, not_replicated, unasked
from lucy.ports import Directory, LicenceRequest

# Entra may need minutes to show everywhere what it has just created (contracts/graph.md, section 10).
REPLICATION = timedelta(minutes=5)


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
        requests = [LicenceRequest(key, one.entra_id, self._sku_id) for key, one in work.candidates.items()]
        answers = await self._directory.assign_licences(requests)
        yield [self._outcome(work.candidates[key], error) for key, error in answers.items()]

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
