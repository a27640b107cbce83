"""Groups of a course for modality and commission: made once, joined, left by an undo (FEATURES row 52)."""

from abc import abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import moodle as moodle_db
from lucy.db.claims import ClaimedStep
from lucy.domain.course_rules import reason_from
from lucy.domain.house import House
from lucy.domain.operations import StepKind
from lucy.domain.steps import StepEvent
from lucy.errors import AlreadyThere, NotFound, Remedy, RemoteError, RetryLater, System
from lucy.flows.lanes.base import Noter, Outcome, failed, from_error
from lucy.flows.lanes.begun import begin, found_so, not_done
from lucy.flows.lanes.sites import SiteLane, SiteWork
from lucy.ports import GroupSeat, Moodle, NewGroup

GroupIds = Mapping[tuple[int, str], int]  # course id, name → group id


@dataclass(frozen=True, slots=True)
class Membership:
    """A student and the groups of one course, as Moodle knows them. `names` is never empty."""

    step: ClaimedStep
    moodle_id: int
    course_id: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grouped:
    """The groups of the course that the student is in now, as far as Lucy put them there."""

    names: tuple[str, ...]


class CourseGroupLane(SiteLane[Membership]):
    """A step's target is the course."""

    def __init__(self, sites: Mapping[str, Moodle], note: Noter, house: House) -> None:
        super().__init__(sites, note, house)
        self.size = max(house.batch_size, 300)

    async def prepare(
        self, session: AsyncSession, claimed: Sequence[ClaimedStep], *, now: datetime
    ) -> SiteWork[Membership]:
        sites = {step.id: self.place(step.target)[0] for step in claimed}
        users = await moodle_db.users_at(session, {(step.student_id, sites[step.id]) for step in claimed})
        rows = await moodle_db.enrolments_in(session, {(step.student_id, step.target) for step in claimed})
        work = SiteWork[Membership]()
        for step in claimed:
            user, row = users.get((step.student_id, sites[step.id])), rows.get((step.student_id, step.target))
            names = self.names(step, row.groups if row else ())
            if user is None or row is None:
                work.known.append(self.outside(step))
            elif not names:
                work.known.append(Outcome(step, StepEvent.FIND_DONE))
            else:
                work.add(sites[step.id], Membership(step, user.moodle_id, row.course_id, names))
        return work

    async def store(self, session: AsyncSession, outcomes: Sequence[Outcome], *, now: datetime) -> None:
        facts = {
            (one.step.student_id, one.step.target): one.fact.names for one in outcomes if isinstance(one.fact, Grouped)
        }
        await moodle_db.store_groups(session, facts)

    @abstractmethod
    def names(self, step: ClaimedStep, present: Sequence[str]) -> tuple[str, ...]:
        """The groups that the step is about; `present` are those that Lucy knows them to be in."""

    @abstractmethod
    def outside(self, step: ClaimedStep) -> Outcome:
        """The outcome of a student who is not in the course, as far as Lucy knows."""


class JoinCourseGroupLane(CourseGroupLane):
    """Two workers that make one group at once: Moodle refuses the second, who looks again and finds it."""

    kind: ClassVar[StepKind] = StepKind.COURSE_GROUP

    def names(self, step: ClaimedStep, present: Sequence[str]) -> tuple[str, ...]:
        reason = reason_from(step.reason)
        return reason.groups if reason else ()

    def outside(self, step: ClaimedStep) -> Outcome:
        return failed(step, "M-021", Remedy.OPERATOR)

    async def on_site(self, site: str, part: Mapping[str, Membership]) -> AsyncIterator[Sequence[Outcome]]:
        moodle = self._sites[site]
        wanted = {(one.course_id, name) for one in part.values() for name in one.names}
        ids, refused = await _groups(moodle, wanted)
        lost = {key: error for key, one in part.items() if (error := _refused(one, refused)) is not None}
        if lost:
            yield [from_error(part[key].step, error) for key, error in lost.items()]
        open_ = {key: one for key, one in part.items() if key not in lost}
        mine = await begin(self._note, [one.step for one in open_.values()])
        open_ = {key: one for key, one in open_.items() if one.step.id in mine}
        if open_:
            seats = {
                f"{key} {place}": GroupSeat(f"{key} {place}", ids[one.course_id, name], one.moodle_id)
                for key, one in open_.items()
                for place, name in enumerate(one.names)
            }
            answers = await moodle.join_groups(list(seats.values()))
            yield [_joined(one, _first(answers, key)) for key, one in open_.items()]


class LeaveCourseGroupLane(CourseGroupLane):
    """Only the groups that Lucy put them in; a group that is gone has nobody in it."""

    kind: ClassVar[StepKind] = StepKind.LEAVE_COURSE_GROUP

    def names(self, step: ClaimedStep, present: Sequence[str]) -> tuple[str, ...]:
        return tuple(present)

    def outside(self, step: ClaimedStep) -> Outcome:
        return found_so(step)

    async def on_site(self, site: str, part: Mapping[str, Membership]) -> AsyncIterator[Sequence[Outcome]]:
        moodle = self._sites[site]
        ids = await _existing(moodle, {one.course_id for one in part.values()})
        seats: dict[str, list[GroupSeat]] = {}
        for key, one in part.items():
            for place, name in enumerate(one.names):
                if (one.course_id, name) in ids:
                    seat = GroupSeat(f"{key} {place}", ids[one.course_id, name], one.moodle_id)
                    seats.setdefault(key, []).append(seat)
        gone = [found_so(one.step, Grouped(())) for key, one in part.items() if key not in seats]
        if gone:
            yield gone
        mine = await begin(self._note, [part[key].step for key in seats])
        open_ = {key: some for key, some in seats.items() if part[key].step.id in mine}
        if open_:
            answers = await moodle.leave_groups([seat for some in open_.values() for seat in some])
            yield [_left(part[key], _first(answers, key)) for key in open_]


async def _groups(
    moodle: Moodle, wanted: set[tuple[int, str]]
) -> tuple[GroupIds, Mapping[tuple[int, str], RemoteError]]:
    """The ids of the groups, made where there are none; and why one could not be made."""
    ids = dict(await _existing(moodle, {course for course, _name in wanted}))
    missing = {f"{course} {name}": (course, name) for course, name in sorted(wanted - set(ids))}
    if not missing:
        return ids, {}
    made = await moodle.create_groups([NewGroup(key, course, name) for key, (course, name) in missing.items()])
    refused: dict[tuple[int, str], RemoteError] = {}
    for key, result in made.items():
        if isinstance(result, RemoteError):
            refused[missing[key]] = result
        else:
            ids[missing[key]] = result.id
    raced = {course for (course, _name), error in refused.items() if isinstance(error, AlreadyThere)}
    if raced:
        ids |= await _existing(moodle, raced)
    return ids, {place: error for place, error in refused.items() if place not in ids}


async def _existing(moodle: Moodle, courses: set[int]) -> dict[tuple[int, str], int]:
    found = await moodle.groups_in(sorted(courses))
    return {(course, group.name): group.id for course, groups in found.items() for group in groups}


def _refused(one: Membership, refused: Mapping[tuple[int, str], RemoteError]) -> RemoteError | None:
    error = next((refused[one.course_id, name] for name in one.names if (one.course_id, name) in refused), None)
    if isinstance(error, AlreadyThere):  # and not seen a moment later: somebody deleted it again
        return RetryLater(System.MOODLE, error.operation, error.code, error.detail, error.ids)
    return error


def _first(answers: Mapping[str, RemoteError | None], key: str) -> RemoteError | None:
    """The first error among the seats of one step."""
    own = (error for seat, error in answers.items() if seat.partition(" ")[0] == key)
    return next((error for error in own if error is not None), None)


def _joined(one: Membership, error: RemoteError | None) -> Outcome:
    if error is None:
        return Outcome(one.step, StepEvent.COMPLETE, fact=Grouped(one.names), ids={"course_id": str(one.course_id)})
    return not_done(one.step, error)


def _left(one: Membership, error: RemoteError | None) -> Outcome:
    if error is None:
        return Outcome(one.step, StepEvent.COMPLETE, fact=Grouped(()), ids={"course_id": str(one.course_id)})
    return found_so(one.step, Grouped(())) if isinstance(error, NotFound) else not_done(one.step, error)
