"""Enrolments taken back: out of the course, or suspended again where they were before Lucy made them active."""

from abc import abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import accounts as accounts_db
from lucy.db import batches as batches_db
from lucy.db.claims import ClaimedStep
from lucy.db.tables import EnrolmentRow
from lucy.domain.batches import BatchId
from lucy.domain.house import House
from lucy.domain.operations import StepKind
from lucy.domain.steps import StepEvent
from lucy.errors import NotFound, Refused, Remedy, RemoteError, System
from lucy.flows.lanes.base import Lane, Noter, Outcome, conflict, failed, unasked
from lucy.flows.lanes.begun import begin, found_so, not_done
from lucy.ports import EnrolmentRequest, Moodle, UnenrolRequest


@dataclass(frozen=True, slots=True)
class Place:
    """A student in a course, by their ids in Moodle."""

    step: ClaimedStep
    moodle_id: int
    course_id: int


@dataclass(frozen=True, slots=True)
class LeavingWork:
    known: list[Outcome]
    places: dict[str, Place]


@dataclass(frozen=True, slots=True)
class Left:
    """The student is not in the course any more, as far as Lucy is concerned."""


class LeavingLane(Lane[LeavingWork]):
    """Only enrolments that Lucy made (FEATURES row 53); the courses are read back before anything is done."""

    system: ClassVar[System] = System.MOODLE

    def __init__(self, moodle: Moodle, note: Noter, house: House) -> None:
        self._moodle, self._note, self._house = moodle, note, house
        self.size = max(house.batch_size, 300)

    async def prepare(self, session: AsyncSession, claimed: Sequence[ClaimedStep], *, now: datetime) -> LeavingWork:
        rows = await accounts_db.enrolments_in(session, {(step.student_id, step.target) for step in claimed})
        users = await accounts_db.moodle_users(session, {step.student_id for step in claimed})
        undone = await batches_db.undone_by(session, {step.batch_id for step in claimed})
        work = LeavingWork([], {})
        for step in claimed:
            row, user = rows.get((step.student_id, step.target)), users.get(step.student_id)
            if row is None:
                work.known.append(found_so(step))
            elif not self.is_ours(row, undone.get(step.batch_id)):
                work.known.append(conflict(step))
            elif user is None:
                work.known.append(failed(step, "M-001", Remedy.OPERATOR))
            else:
                work.places[str(step.id)] = Place(step, user.moodle_id, row.course_id)
        return work

    async def perform(self, work: LeavingWork) -> AsyncIterator[Sequence[Outcome]]:
        if work.known:
            yield unasked(work.known)
        if not work.places:
            return
        courses = sorted({one.course_id for one in work.places.values()})
        listed = await self._moodle.enrolled_in(courses)
        await self._must_see(work, listed)
        suspended = await self._moodle.suspended_in(courses)
        settled: list[Outcome] = []
        open_: dict[str, Place] = {}
        for key, place in work.places.items():
            if place.moodle_id not in listed.get(place.course_id, ()):
                settled.append(found_so(place.step, Left()))
            elif place.moodle_id in suspended.get(place.course_id, ()):
                settled.append(self.inactive(place.step))
            else:
                open_[key] = place
        if settled:
            yield settled
        mine = await begin(self._note, [place.step for place in open_.values()])
        open_ = {key: place for key, place in open_.items() if place.step.id in mine}
        if open_:
            answers = await self.leave(open_)
            yield [self._outcome(open_[key], error) for key, error in answers.items()]

    async def _must_see(self, work: LeavingWork, listed: Mapping[int, frozenset[int]]) -> None:
        """Empty courses prove nothing until somebody is seen: without `moodle/user:viewdetails` all are empty."""
        if any(listed.values()):
            return
        seen = await self._moodle.read_users([one.moodle_id for one in work.places.values()])
        if not any(seen.values()):
            raise Refused(System.MOODLE, "enrolled_in", "M-003", detail="the token sees nobody")

    def _outcome(self, place: Place, error: RemoteError | None) -> Outcome:
        if error is None:
            ids = {"course_id": str(place.course_id)}
            return Outcome(place.step, StepEvent.COMPLETE, fact=Left(), ids=ids)
        return found_so(place.step, Left()) if isinstance(error, NotFound) else not_done(place.step, error)

    @abstractmethod
    def is_ours(self, row: EnrolmentRow, undone: BatchId | None) -> bool:
        """Whether the enrolment is this step's to take back. `undone`: the batch that is undone, if any."""

    @abstractmethod
    def inactive(self, step: ClaimedStep) -> Outcome:
        """The outcome of an enrolment that is suspended now."""

    @abstractmethod
    async def leave(self, places: Mapping[str, Place]) -> Mapping[str, RemoteError | None]:
        """Make the call."""

    async def store(self, session: AsyncSession, outcomes: Sequence[Outcome], *, now: datetime) -> None:
        """A row says that Lucy knows the student to be in the course: one that is suspended again has none."""
        left = [(one.step.student_id, one.step.target) for one in outcomes if isinstance(one.fact, Left)]
        await accounts_db.forget_enrolments(session, left)


class UnenrolLane(LeavingLane):
    """Out of the course; the connector reads it back. Lucy leaves enrolments active: a suspended one was changed."""

    kind: ClassVar[StepKind] = StepKind.UNENROL

    def is_ours(self, row: EnrolmentRow, undone: BatchId | None) -> bool:
        if row.made_by_batch is None or row.was_suspended:
            return False
        return undone is None or row.made_by_batch == undone

    def inactive(self, step: ClaimedStep) -> Outcome:
        return conflict(step)

    async def leave(self, places: Mapping[str, Place]) -> Mapping[str, RemoteError | None]:
        return await self._moodle.unenrol(
            [UnenrolRequest(key, one.moodle_id, one.course_id) for key, one in places.items()]
        )


class SuspendEnrolmentLane(LeavingLane):
    """As it was before the undone batch made it active; the student's work in the course stays."""

    kind: ClassVar[StepKind] = StepKind.SUSPEND_ENROLMENT

    def is_ours(self, row: EnrolmentRow, undone: BatchId | None) -> bool:
        return row.was_suspended and row.made_by_batch is not None and row.made_by_batch == undone

    def inactive(self, step: ClaimedStep) -> Outcome:
        return found_so(step, Left())

    async def leave(self, places: Mapping[str, Place]) -> Mapping[str, RemoteError | None]:
        role = self._house.moodle.role_id
        return await self._moodle.enrol(
            [EnrolmentRequest(key, one.moodle_id, one.course_id, role, suspend=True) for key, one in places.items()]
        )
