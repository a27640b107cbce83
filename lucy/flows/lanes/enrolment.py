"""Enrolments: many students and courses in one array, remembering which were there before, and which suspended."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import course_drifts
from lucy.db import moodle as moodle_db
from lucy.db.claims import ClaimedStep
from lucy.domain.house import House
from lucy.domain.operations import StepKind
from lucy.domain.steps import StepEvent
from lucy.errors import Remedy, RemoteError
from lucy.flows.lanes.base import Noter, Outcome, failed, from_error
from lucy.flows.lanes.sites import SiteLane, SiteWork
from lucy.ports import EnrolmentRequest, Moodle, MoodleCourse


@dataclass(frozen=True, slots=True)
class Candidate:
    """`was_there`: Lucy did not make the Moodle user, or suspended them in the course: then they may be in it."""

    step: ClaimedStep
    shortname: str
    moodle_id: int
    was_there: bool


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


class EnrolmentLane(SiteLane[Candidate]):
    """`enrol_manual_enrol_users` over arrays; only users that were there before are asked for their courses.

    Enrolling makes a suspended enrolment active again: undone, it is suspended. An enrolment that is found at a repeat
    is Lucy's where her first attempt had found none, whatever became of the answer.
    """

    kind: ClassVar[StepKind] = StepKind.ENROLMENT

    def __init__(self, sites: Mapping[str, Moodle], note: Noter, house: House) -> None:
        super().__init__(sites, note, house)
        self.size = max(house.batch_size, 300)

    async def prepare(
        self, session: AsyncSession, claimed: Sequence[ClaimedStep], *, now: datetime
    ) -> SiteWork[Candidate]:
        places = {step.id: self.place(step.target) for step in claimed}
        users = await moodle_db.users_at(session, {(step.student_id, places[step.id][0]) for step in claimed})
        known = await moodle_db.enrolments_in(session, {(step.student_id, step.target) for step in claimed})
        work = SiteWork[Candidate]()
        for step in claimed:
            site, shortname = places[step.id]
            user, row = users.get((step.student_id, site)), known.get((step.student_id, step.target))
            if user is None:
                work.known.append(failed(step, "M-001", Remedy.OPERATOR))
            else:
                was_there = user.made_by_batch is None or (row is not None and row.suspended)
                work.add(site, Candidate(step, shortname, user.moodle_id, was_there))
        return work

    async def on_site(self, site: str, part: Mapping[str, Candidate]) -> AsyncIterator[Sequence[Outcome]]:
        moodle, candidates = self._sites[site], list(part.values())
        courses = await moodle.find_courses(sorted({one.shortname for one in candidates}))
        present = await moodle.courses_of(sorted({one.moodle_id for one in candidates if one.was_there}))
        suspended = await _suspended(moodle, candidates, courses)
        settled: list[Outcome] = []
        asked: dict[str, Asked] = {}
        for one in candidates:
            course = courses.get(one.shortname)
            if course is None:
                settled.append(failed(one.step, "M-005", Remedy.ADMINISTRATOR))
            elif course.id in present.get(one.moodle_id, ()):
                settled.append(_found(one, course))
            else:
                asked[str(one.step.id)] = Asked(one, course, one.moodle_id in suspended.get(course.id, ()))
        if settled:
            yield settled
        asked = await self._begin(asked)
        if asked:
            role = self._house.moodle_sites[site].role_id
            requests = [EnrolmentRequest(key, each.one.moodle_id, each.course.id, role) for key, each in asked.items()]
            answers = await moodle.enrol(requests)
            yield [_outcome(asked[key], error) for key, error in answers.items()]

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

    async def store(self, session: AsyncSession, outcomes: Sequence[Outcome], *, now: datetime) -> None:
        rows = [
            {
                "student_id": one.step.student_id,
                "course": one.step.target,
                "course_id": one.fact.course.id,
                "was_suspended": one.fact.was_suspended,
                "reason": dict(one.step.reason),
                "made_by_batch": one.step.batch_id if one.fact.ours else None,
                "created_at": now,
            }
            for one in outcomes
            if isinstance(one.fact, EnrolmentFact)
        ]
        await moodle_db.store_enrolments(session, rows)
        await course_drifts.settle(session, {(one.step.student_id, one.step.target) for one in outcomes if one.fact})


async def _suspended(
    moodle: Moodle, candidates: Sequence[Candidate], courses: Mapping[str, MoodleCourse | None]
) -> Mapping[int, frozenset[int]]:
    """Who is in these courses without being seen there; asked only where somebody was there before."""
    named = {courses.get(one.shortname) for one in candidates if one.was_there}
    ids = sorted({course.id for course in named if course is not None})
    return await moodle.suspended_in(ids) if ids else {}


def _found(one: Candidate, course: MoodleCourse) -> Outcome:
    """In the course: since an attempt of ours, or before."""
    noted = one.step.outcome
    if noted.get(ABSENT) or noted.get(SUSPENDED):
        return _done(Asked(one, course, bool(noted.get(SUSPENDED))))
    return Outcome(one.step, StepEvent.FIND_DONE, fact=EnrolmentFact(course, ours=False))


def _outcome(asked: Asked, error: RemoteError | None) -> Outcome:
    return _done(asked) if error is None else from_error(asked.one.step, error)


def _done(asked: Asked) -> Outcome:
    fact = EnrolmentFact(asked.course, ours=True, was_suspended=asked.was_suspended)
    return Outcome(asked.one.step, StepEvent.COMPLETE, fact=fact, ids={"course_id": str(asked.course.id)})
