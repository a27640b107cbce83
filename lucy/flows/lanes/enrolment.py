"""Enrolments: many students and courses in one array, remembering which were there before, and which suspended."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import accounts as accounts_db
from lucy.db.claims import ClaimedStep
from lucy.domain.house import House
from lucy.domain.operations import StepKind
from lucy.domain.steps import StepEvent
from lucy.errors import Remedy, RemoteError, System
from lucy.flows.lanes.base import Lane, Noter, Outcome, failed, from_error, unasked
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
    was_suspended: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """Who is to be enrolled where. `was_suspended`: enrolling makes active what somebody had suspended."""

    one: Candidate
    course: MoodleCourse
    was_suspended: bool


# Noted before the call about users that were there before: how a repeat knows what the first attempt found.
ABSENT, SUSPENDED = "absent", "was_suspended"


class EnrolmentLane(Lane[EnrolmentWork]):
    """`enrol_manual_enrol_users` over arrays; only users that were there before are asked for their courses.

    Enrolling makes a suspended enrolment active again: undone, it is suspended. An enrolment that is found at a repeat
    is Lucy's where her first attempt had found none, whatever became of the answer.
    """

    kind: ClassVar[StepKind] = StepKind.ENROLMENT
    system: ClassVar[System] = System.MOODLE

    def __init__(self, moodle: Moodle, note: Noter, house: House) -> None:
        self._moodle, self._note, self._house = moodle, note, house
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
        suspended = await self._suspended(work.candidates, courses)
        settled: list[Outcome] = []
        asked: dict[str, Asked] = {}
        for one in work.candidates:
            course = courses.get(one.step.target)
            if course is None:
                settled.append(failed(one.step, "M-005", Remedy.ADMINISTRATOR))
            elif course.id in present.get(one.moodle_id, ()):
                settled.append(self._found(one, course))
            else:
                asked[str(one.step.id)] = Asked(one, course, one.moodle_id in suspended.get(course.id, ()))
        if settled:
            yield settled
        asked = await self._begin(asked)
        if asked:
            yield await self._enrol(asked)

    async def _suspended(
        self, candidates: Sequence[Candidate], courses: Mapping[str, MoodleCourse | None]
    ) -> Mapping[int, frozenset[int]]:
        """Who is in these courses without being seen there; asked only where somebody was there before."""
        named = {courses.get(one.step.target) for one in candidates if one.was_there}
        ids = sorted({course.id for course in named if course is not None})
        return await self._moodle.suspended_in(ids) if ids else {}

    def _found(self, one: Candidate, course: MoodleCourse) -> Outcome:
        """In the course: since an attempt of ours, or before."""
        noted = one.step.outcome
        if noted.get(ABSENT) or noted.get(SUSPENDED):
            return self._done(Asked(one, course, bool(noted.get(SUSPENDED))))
        return Outcome(one.step, StepEvent.FIND_DONE, fact=EnrolmentFact(course, ours=False))

    async def _begin(self, asked: Mapping[str, Asked]) -> dict[str, Asked]:
        """Note what was found, once: a repeat goes by what the first attempt saw. Returns what is still ours to do."""
        going_on: dict[str, Asked] = {}
        fresh: dict[bool, list[Asked]] = {False: [], True: []}
        for key, each in asked.items():
            noted = each.one.step.outcome
            if not each.one.was_there:
                going_on[key] = each
            elif noted.get(ABSENT) or noted.get(SUSPENDED):
                going_on[key] = replace(each, was_suspended=bool(noted.get(SUSPENDED)))
            else:
                fresh[each.was_suspended].append(each)
        for was_suspended, some in fresh.items():
            mine = await self._note([each.one.step for each in some], {SUSPENDED if was_suspended else ABSENT: True})
            going_on |= {str(each.one.step.id): each for each in some if each.one.step.id in mine}
        return going_on

    async def _enrol(self, asked: Mapping[str, Asked]) -> list[Outcome]:
        role = self._house.moodle.role_id
        requests = [EnrolmentRequest(key, each.one.moodle_id, each.course.id, role) for key, each in asked.items()]
        answers = await self._moodle.enrol(requests)
        return [self._outcome(asked[key], error) for key, error in answers.items()]

    def _outcome(self, asked: Asked, error: RemoteError | None) -> Outcome:
        return self._done(asked) if error is None else from_error(asked.one.step, error)

    def _done(self, asked: Asked) -> Outcome:
        fact = EnrolmentFact(asked.course, ours=True, was_suspended=asked.was_suspended)
        return Outcome(asked.one.step, StepEvent.COMPLETE, fact=fact, ids={"course_id": str(asked.course.id)})

    async def store(self, session: AsyncSession, outcomes: Sequence[Outcome], *, now: datetime) -> None:
        rows = [
            {
                "student_id": one.step.student_id,
                "course": one.step.target,
                "course_id": one.fact.course.id,
                "was_suspended": one.fact.was_suspended,
                "made_by_batch": one.step.batch_id if one.fact.ours else None,
                "created_at": now,
            }
            for one in outcomes
            if isinstance(one.fact, EnrolmentFact)
        ]
        await accounts_db.store_enrolments(session, rows)
