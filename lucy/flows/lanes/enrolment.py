"""Enrolments: many students and courses in one array, remembering which were there before."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import accounts as accounts_db
from lucy.db.claims import ClaimedStep
from lucy.domain.house import House
from lucy.domain.operations import StepKind
from lucy.domain.steps import StepEvent
from lucy.errors import Remedy, RemoteError, System
from lucy.flows.lanes.base import Lane, Outcome, failed, from_error, unasked
from lucy.ports import EnrolmentRequest, Moodle, MoodleCourse


@dataclass(frozen=True, slots=True)
class Candidate:
    """`was_there` when Lucy did not make the Moodle user: then it may hold enrolments of its own."""

    step: ClaimedStep
    moodle_id: int
    was_there: bool


@dataclass(frozen=True, slots=True)
class EnrolmentWork:
    known: list[Outcome]
    candidates: list[Candidate]


@dataclass(frozen=True, slots=True)
class EnrolmentFact:
    course: MoodleCourse
    ours: bool


class EnrolmentLane(Lane[EnrolmentWork]):
    """`enrol_manual_enrol_users` over arrays; only users that were there before are asked for their courses."""

    kind: ClassVar[StepKind] = StepKind.ENROLMENT
    system: ClassVar[System] = System.MOODLE

    def __init__(self, moodle: Moodle, house: House) -> None:
        self._moodle, self._house = moodle, house
        self.size = max(house.batch_size, 300)

    async def prepare(self, session: AsyncSession, claimed: Sequence[ClaimedStep], *, now: datetime) -> EnrolmentWork:
        users = await accounts_db.moodle_users(session, {step.student_id for step in claimed})
        work = EnrolmentWork([], [])
        for step in claimed:
            user = users.get(step.student_id)
            if user is None:
                work.known.append(failed(step, "M-001", Remedy.OPERATOR))
            else:
                work.candidates.append(Candidate(step, user.moodle_id, user.made_by_batch is None))
        return work

    async def perform(self, work: EnrolmentWork) -> AsyncIterator[Sequence[Outcome]]:
        if work.known:
            yield unasked(work.known)
        if not work.candidates:
            return
        courses = await self._moodle.find_courses(sorted({one.step.target for one in work.candidates}))
        present = await self._moodle.courses_of(sorted({one.moodle_id for one in work.candidates if one.was_there}))
        settled: list[Outcome] = []
        asked: dict[str, tuple[Candidate, MoodleCourse]] = {}
        for one in work.candidates:
            course = courses.get(one.step.target)
            if course is None:
                settled.append(failed(one.step, "M-005", Remedy.ADMINISTRATOR))
            elif course.id in present.get(one.moodle_id, ()):
                settled.append(Outcome(one.step, StepEvent.FIND_DONE, fact=EnrolmentFact(course, ours=False)))
            else:
                asked[str(one.step.id)] = (one, course)
        if settled:
            yield settled
        if asked:
            yield await self._enrol(asked)

    async def _enrol(self, asked: Mapping[str, tuple[Candidate, MoodleCourse]]) -> list[Outcome]:
        answers = await self._moodle.enrol(
            [
                EnrolmentRequest(key, one.moodle_id, course.id, self._house.moodle_role_id)
                for key, (one, course) in asked.items()
            ]
        )
        return [self._outcome(*asked[key], error) for key, error in answers.items()]

    def _outcome(self, one: Candidate, course: MoodleCourse, error: RemoteError | None) -> Outcome:
        if error is not None:
            return from_error(one.step, error)
        fact = EnrolmentFact(course, ours=True)
        return Outcome(one.step, StepEvent.COMPLETE, fact=fact, ids={"course_id": str(course.id)})

    async def store(self, session: AsyncSession, outcomes: Sequence[Outcome], *, now: datetime) -> None:
        rows = [
            {
                "student_id": one.step.student_id,
                "course": one.step.target,
                "course_id": one.fact.course.id,
                "made_by_batch": one.step.batch_id if one.fact.ours else None,
                "created_at": now,
            }
            for one in outcomes
            if isinstance(one.fact, EnrolmentFact)
        ]
        await accounts_db.store_enrolments(session, rows)
