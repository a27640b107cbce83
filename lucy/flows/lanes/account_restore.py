"""Accounts brought back out of the deleted items, in place of a second one for the same person."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import accounts as accounts_db
from lucy.db import students as students_db
from lucy.db.claims import ClaimedStep
from lucy.domain.house import House
from lucy.domain.operations import StepKind
from lucy.domain.plans import upn_for
from lucy.domain.steps import StepEvent
from lucy.domain.students import Student, Upn
from lucy.errors import Conflict, NotFound, Remedy, RemoteError, System
from lucy.flows.lanes.base import Lane, Noter, Outcome, failed, from_error, unasked
from lucy.flows.lanes.begun import begin, found_so, not_done
from lucy.flows.lanes.deleted_accounts import DeletedAccounts
from lucy.ports import Directory, DirectoryUser


@dataclass(frozen=True, slots=True)
class Candidate:
    step: ClaimedStep
    student: Student
    upn: Upn


@dataclass(frozen=True, slots=True)
class RestoreWork:
    known: list[Outcome]
    candidates: dict[str, Candidate]


@dataclass(frozen=True, slots=True)
class Restored:
    user: DirectoryUser
    licensed: bool


class AccountRestoreLane(Lane[RestoreWork]):
    """Looks among the living first: an earlier attempt whose answer was lost, or an administrator, was there."""

    kind: ClassVar[StepKind] = StepKind.RESTORE_ACCOUNT
    system: ClassVar[System] = System.GRAPH

    def __init__(self, directory: Directory, note: Noter, house: House) -> None:
        self._directory, self._note, self._house = directory, note, house
        self.size = house.batch_size

    async def prepare(self, session: AsyncSession, claimed: Sequence[ClaimedStep], *, now: datetime) -> RestoreWork:
        ids = [step.student_id for step in claimed]
        students = await students_db.load(session, ids)
        accounts = await accounts_db.accounts(session, ids)
        work = RestoreWork([], {})
        for step in claimed:
            if step.student_id in accounts:
                work.known.append(found_so(step))
            else:
                student = students[step.student_id]
                prefix, domain = self._house.account_prefix, self._house.account_domain
                upn = upn_for(student.document_number, prefix=prefix, domain=domain)
                work.candidates[str(step.id)] = Candidate(step, student, upn)
        return work

    async def perform(self, work: RestoreWork) -> AsyncIterator[Sequence[Outcome]]:
        if work.known:
            yield unasked(work.known)
        if not work.candidates:
            return
        sku_id = (await self._directory.licence_seats(self._house.licence_sku)).sku_id
        living = await self._directory.find_users({key: one.upn for key, one in work.candidates.items()})
        settled = {key: self._living(work.candidates[key], user, sku_id) for key, user in living.items() if user}
        if settled:
            yield list(settled.values())
        open_ = {key: one for key, one in work.candidates.items() if key not in settled}
        wanted = {one.step.student_id: (one.student, one.upn) for one in open_.values()}
        found = await DeletedAccounts(self._directory).find(wanted) if wanted else {}
        nowhere = [
            failed(one.step, "T-029", Remedy.OPERATOR) for one in open_.values() if one.step.student_id not in found
        ]
        if nowhere:
            yield nowhere
        open_ = {key: one for key, one in open_.items() if one.step.student_id in found}
        mine = await begin(self._note, [one.step for one in open_.values()])
        ids = {key: found[one.step.student_id].id for key, one in open_.items() if one.step.id in mine}
        if ids:
            answers = await self._directory.restore_users(ids)
            yield [self._outcome(open_[key], result, sku_id) for key, result in answers.items()]

    def _living(self, candidate: Candidate, user: DirectoryUser | RemoteError, sku_id: str) -> Outcome:
        if isinstance(user, RemoteError):
            return from_error(candidate.step, user)
        if user.employee_id != candidate.student.document_number:
            return from_error(candidate.step, Conflict(System.GRAPH, "restore", "T-004"))
        return found_so(candidate.step, Restored(user, sku_id in user.sku_ids))

    def _outcome(self, candidate: Candidate, result: DirectoryUser | RemoteError, sku_id: str) -> Outcome:
        step = candidate.step
        if isinstance(result, NotFound):
            return failed(step, "T-029", Remedy.OPERATOR)
        if isinstance(result, RemoteError):
            return not_done(step, result)
        fact = Restored(result, sku_id in result.sku_ids)
        return Outcome(step, StepEvent.COMPLETE, fact=fact, ids={"entra_id": result.id})

    async def store(self, session: AsyncSession, outcomes: Sequence[Outcome], *, now: datetime) -> None:
        """Whoever made it once, it was there before this batch: nobody's letter, and no password of Lucy's."""
        rows = [
            {
                "student_id": one.step.student_id,
                "upn": one.fact.user.upn.lower(),
                "entra_id": one.fact.user.id,
                "enabled": one.fact.user.enabled,
                "licensed": one.fact.licensed,
                "created_at": one.fact.user.created_at or now,
                "verified_at": now,
            }
            for one in outcomes
            if isinstance(one.fact, Restored)
        ]
        await accounts_db.store_accounts(session, rows)
