"""Enrolments taken back: out of the course, or suspended in it."""

from abc import abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import batches as batches_db
from lucy.db import course_drifts
from lucy.db import moodle as moodle_db
from lucy.db.claims import ClaimedStep
from lucy.db.tables import EnrolmentRow
from lucy.domain.batches import BatchId
from lucy.domain.house import House
from lucy.domain.operations import StepKind
from lucy.domain.steps import StepEvent
from lucy.errors import NotFound, Refused, Remedy, RemoteError, System
from lucy.flows.lanes.base import Noter, Outcome, conflict, failed
from lucy.flows.lanes.begun import begin, found_so, not_done
from lucy.flows.lanes.sites import SiteLane, SiteWork
from lucy.ports import EnrolmentRequest, Moodle, UnenrolRequest


@dataclass(frozen=True, slots=True)
class Place:
    """A student in a course, by their ids in Moodle. `ours`: Lucy put them in before, and stays
    their maker."""

    step: ClaimedStep
    moodle_id: int
    course_id: int
    ours: bool


@dataclass(frozen=True, slots=True)
class Left:
    """The student is not in the course any more, as far as Lucy is concerned. `suspended`: they may be let in again."""

    suspended: bool = False


class LeavingLane(SiteLane[Place]):
    """Only enrolments that Lucy made (FEATURES row 53); the courses are read back before anything is done."""

    def __init__(self, sites: Mapping[str, Moodle], note: Noter, house: House) -> None:
        super().__init__(sites, note, house)
        self.size = max(house.batch_size, 300)

    async def prepare(self, session: AsyncSession, claimed: Sequence[ClaimedStep], *, now: datetime) -> SiteWork[Place]:
        rows = await moodle_db.enrolments_in(session, {(step.student_id, step.target) for step in claimed})
        sites = {step.id: self.place(step.target)[0] for step in claimed}
        users = await moodle_db.users_at(session, {(step.student_id, sites[step.id]) for step in claimed})
        undone = await batches_db.undone_by(session, {step.batch_id for step in claimed})
        work = SiteWork[Place]()
        for step in claimed:
            row, user = rows.get((step.student_id, step.target)), users.get((step.student_id, sites[step.id]))
            if row is None:
                work.known.append(found_so(step))
            elif not self.is_ours(row, undone.get(step.batch_id)):
                work.known.append(conflict(step))
            elif user is None:
                work.known.append(failed(step, "M-001", Remedy.OPERATOR))
            else:
                ours = row.made_by_batch != undone.get(step.batch_id)
                work.add(sites[step.id], Place(step, user.moodle_id, row.course_id, ours))
        return work

    async def on_site(self, site: str, part: Mapping[str, Place]) -> AsyncIterator[Sequence[Outcome]]:
        moodle = self._sites[site]
        courses = sorted({one.course_id for one in part.values()})
        listed = await moodle.enrolled_in(courses)
        await _must_see(moodle, part, listed)
        suspended = await moodle.suspended_in(courses)
        settled: list[Outcome] = []
        open_: dict[str, Place] = {}
        for key, place in part.items():
            if place.moodle_id not in listed.get(place.course_id, ()):
                settled.append(found_so(place.step, Left()))
            elif place.moodle_id in suspended.get(place.course_id, ()):
                settled.append(self.inactive(place))
            else:
                open_[key] = place
        if settled:
            yield settled
        mine = await begin(self._note, [place.step for place in open_.values()])
        open_ = {key: place for key, place in open_.items() if place.step.id in mine}
        if open_:
            answers = await self.leave(site, open_)
            yield [self._outcome(open_[key], error) for key, error in answers.items()]

    def _outcome(self, place: Place, error: RemoteError | None) -> Outcome:
        if error is None:
            ids = {"course_id": str(place.course_id)}
            return Outcome(place.step, StepEvent.COMPLETE, fact=self.left(place), ids=ids)
        return found_so(place.step, Left()) if isinstance(error, NotFound) else not_done(place.step, error)

    @abstractmethod
    def is_ours(self, row: EnrolmentRow, undone: BatchId | None) -> bool:
        """Whether the enrolment is this step's to take back. `undone`: the batch that is undone, if any."""

    @abstractmethod
    def inactive(self, place: Place) -> Outcome:
        """The outcome of an enrolment that is suspended now."""

    @abstractmethod
    def left(self, place: Place) -> Left:
        """What is to be remembered of an enrolment that was taken back."""

    @abstractmethod
    async def leave(self, site: str, places: Mapping[str, Place]) -> Mapping[str, RemoteError | None]:
        """Make the call."""

    async def store(self, session: AsyncSession, outcomes: Sequence[Outcome], *, now: datetime) -> None:
        """A row says that Lucy knows the student to be in the course: one that was suspended before her has none."""
        left = {(one.step.student_id, one.step.target): one.fact for one in outcomes if isinstance(one.fact, Left)}
        await moodle_db.forget_enrolments(session, [place for place, fact in left.items() if not fact.suspended])
        out = [place for place, fact in left.items() if fact.suspended]
        await moodle_db.note_suspended(session, out, suspended=True)
        await course_drifts.settle(session, left)


class UnenrolLane(LeavingLane):
    """Out of the course; the connector reads it back. Lucy leaves enrolments active: a suspended one was changed."""

    kind: ClassVar[StepKind] = StepKind.UNENROL

    def is_ours(self, row: EnrolmentRow, undone: BatchId | None) -> bool:
        if row.made_by_batch is None or row.was_suspended:
            return False
        return undone is None or row.made_by_batch == undone

    def inactive(self, place: Place) -> Outcome:
        return conflict(place.step)

    def left(self, place: Place) -> Left:
        return Left()

    async def leave(self, site: str, places: Mapping[str, Place]) -> Mapping[str, RemoteError | None]:
        return await self._sites[site].unenrol(
            [UnenrolRequest(key, one.moodle_id, one.course_id) for key, one in places.items()]
        )


class SuspendEnrolmentLane(LeavingLane):
    """Asked for: in place of taking the student out. Undoing: as it was before the undone batch made it active.

    Either way the student's work in the course stays.
    """

    kind: ClassVar[StepKind] = StepKind.SUSPEND_ENROLMENT

    def is_ours(self, row: EnrolmentRow, undone: BatchId | None) -> bool:
        return row.made_by_batch is not None and (row.was_suspended or row.made_by_batch != undone)

    def inactive(self, place: Place) -> Outcome:
        return found_so(place.step, self.left(place))

    def left(self, place: Place) -> Left:
        return Left(suspended=place.ours)

    async def leave(self, site: str, places: Mapping[str, Place]) -> Mapping[str, RemoteError | None]:
        role = self._house.moodle_sites[site].role_id
        return await self._sites[site].enrol(
            [EnrolmentRequest(key, one.moodle_id, one.course_id, role, suspend=True) for key, one in places.items()]
        )


async def _must_see(moodle: Moodle, part: Mapping[str, Place], listed: Mapping[int, frozenset[int]]) -> None:
    """Empty courses prove nothing until somebody is seen: without `moodle/user:viewdetails` all are empty."""
    if any(listed.values()):
        return
    seen = await moodle.read_users([one.moodle_id for one in part.values()])
    if not any(seen.values()):
        raise Refused(System.MOODLE, "enrolled_in", "M-003", detail="the token sees nobody")
