"""Moodle users: found when they are there, created when they are not, let in again when Lucy had suspended them."""

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
from lucy.domain.steps import StepEvent
from lucy.errors import Remedy, RemoteError, System
from lucy.flows.lanes.base import Lane, Noter, Outcome, failed, from_error, unasked
from lucy.flows.lanes.moodle_suspension import Person, Suspending, store_suspensions
from lucy.ports import Moodle, MoodleUser, NewMoodleUser


@dataclass(frozen=True, slots=True)
class UserWork:
    known: list[Outcome]
    steps: dict[str, ClaimedStep]
    wanted: list[NewMoodleUser]
    suspended: dict[str, Person]


@dataclass(frozen=True, slots=True)
class UserFact:
    user: MoodleUser
    ours: bool


class MoodleUserLane(Lane[UserWork]):
    """Looks up before it creates: names, addresses and numbers are checked by the connector."""

    kind: ClassVar[StepKind] = StepKind.MOODLE_USER
    system: ClassVar[System] = System.MOODLE

    def __init__(self, moodle: Moodle, note: Noter, house: House) -> None:
        self._moodle, self._house = moodle, house
        self._letting_in = Suspending(moodle, note, suspended=False)
        self.size = max(house.batch_size, 100)

    async def prepare(self, session: AsyncSession, claimed: Sequence[ClaimedStep], *, now: datetime) -> UserWork:
        ids = [step.student_id for step in claimed]
        students = await students_db.load(session, ids)
        accounts = await accounts_db.accounts(session, ids)
        existing = await accounts_db.moodle_users(session, ids)
        work = UserWork([], {}, [], {})
        for step in claimed:
            account, user = accounts.get(step.student_id), existing.get(step.student_id)
            student = students[step.student_id]
            if user is not None and user.suspended:
                person = Person(step, user.moodle_id, user.username, student.document_number)
                work.suspended[str(step.id)] = person
            elif user is not None:
                work.known.append(Outcome(step, StepEvent.FIND_DONE))
            elif account is None:
                work.known.append(failed(step, "T-007", Remedy.OPERATOR))
            else:
                work.steps[str(step.id)] = step
                work.wanted.append(
                    NewMoodleUser(
                        key=str(step.id),
                        username=account.upn.lower(),
                        first_name=student.first_name,
                        last_name=student.last_name,
                        email=account.upn.lower(),
                        idnumber=student.document_number,
                        auth=self._house.moodle.auth,
                    )
                )
        return work

    async def perform(self, work: UserWork) -> AsyncIterator[Sequence[Outcome]]:
        if work.known:
            yield unasked(work.known)
        async for outcomes in self._letting_in.run(work.suspended):
            yield outcomes
        if not work.wanted:
            return
        found = await self._moodle.find_users(work.wanted)
        settled = [
            self._outcome(work.steps[key], result, ours=False) for key, result in found.items() if result is not None
        ]
        if settled:
            yield settled
        missing = [one for one in work.wanted if found.get(one.key) is None]
        if missing:
            created = await self._moodle.create_users(missing)
            yield [self._outcome(work.steps[key], result, ours=True) for key, result in created.items()]

    def _outcome(self, step: ClaimedStep, result: MoodleUser | RemoteError, *, ours: bool) -> Outcome:
        if isinstance(result, RemoteError):
            return from_error(step, result)
        event = StepEvent.COMPLETE if ours else StepEvent.FIND_DONE
        return Outcome(step, event, fact=UserFact(result, ours), ids={"moodle_id": str(result.id)})

    async def store(self, session: AsyncSession, outcomes: Sequence[Outcome], *, now: datetime) -> None:
        rows = [
            {
                "student_id": one.step.student_id,
                "moodle_id": one.fact.user.id,
                "username": one.fact.user.username,
                "made_by_batch": one.step.batch_id if one.fact.ours else None,
                "created_at": now,
            }
            for one in outcomes
            if isinstance(one.fact, UserFact)
        ]
        await accounts_db.store_moodle_users(session, rows)
        await store_suspensions(session, outcomes)
