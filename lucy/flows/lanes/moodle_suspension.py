"""Moodle users kept out of the site, and let in again: their work and their enrolments stay."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import batches as batches_db
from lucy.db import moodle as moodle_db
from lucy.db import students as students_db
from lucy.db.claims import ClaimedStep
from lucy.domain.house import House
from lucy.domain.operations import StepKind
from lucy.domain.steps import StepEvent
from lucy.errors import Conflict, NotFound, Remedy, RemoteError, System
from lucy.flows.lanes.base import Noter, Outcome, conflict, failed, from_error
from lucy.flows.lanes.begun import begin, found_so, not_done
from lucy.flows.lanes.sites import SiteLane, SiteWork
from lucy.ports import Moodle, MoodleUser, UserSuspension


@dataclass(frozen=True, slots=True)
class Person:
    """The Moodle user that a step is about, as Lucy knows it."""

    step: ClaimedStep
    moodle_id: int
    username: str
    document: str

    def is_this(self, user: MoodleUser) -> bool:
        """Ids are never used again; somebody may have given the user to another person all the same."""
        return user.username == self.username or user.idnumber == self.document


@dataclass(frozen=True, slots=True)
class SuspensionFact:
    suspended: bool


def keep_out(moodle: Moodle, note: Noter, people: Mapping[str, Person]) -> AsyncIterator[Sequence[Outcome]]:
    """Suspend users of one site, after a look at who it is."""
    return _Suspending(moodle, note, suspended=True).run(people)


def let_in(moodle: Moodle, note: Noter, people: Mapping[str, Person]) -> AsyncIterator[Sequence[Outcome]]:
    """The inverse of `keep_out`."""
    return _Suspending(moodle, note, suspended=False).run(people)


class _Suspending:
    def __init__(self, moodle: Moodle, note: Noter, *, suspended: bool) -> None:
        self._moodle, self._note, self._suspended = moodle, note, suspended
        self._fact = SuspensionFact(suspended)

    async def run(self, people: Mapping[str, Person]) -> AsyncIterator[Sequence[Outcome]]:
        if not people:
            return
        found = await self._moodle.read_users(sorted({one.moodle_id for one in people.values()}))
        settled: list[Outcome] = []
        open_: dict[str, Person] = {}
        for key, person in people.items():
            outcome = self._judge(person, found.get(person.moodle_id))
            if outcome is None:
                open_[key] = person
            else:
                settled.append(outcome)
        if settled:
            yield settled
        mine = await begin(self._note, [one.step for one in open_.values()])
        open_ = {key: one for key, one in open_.items() if one.step.id in mine}
        if open_:
            requests = [UserSuspension(key, one.moodle_id, self._suspended) for key, one in open_.items()]
            answers = await self._moodle.suspend_users(requests)
            yield [self._outcome(open_[key], error) for key, error in answers.items()]

    def _judge(self, person: Person, user: MoodleUser | None) -> Outcome | None:
        """None for who has to be changed."""
        if user is None:
            return self._gone(person.step)
        if not person.is_this(user):
            return from_error(person.step, Conflict(System.MOODLE, "identify", "M-008"))
        return found_so(person.step, self._fact) if user.suspended is self._suspended else None

    def _gone(self, step: ClaimedStep) -> Outcome:
        """Nobody is kept out who is not there; nobody can be let in either."""
        return found_so(step) if self._suspended else failed(step, "M-001", Remedy.OPERATOR)

    def _outcome(self, person: Person, error: RemoteError | None) -> Outcome:
        step = person.step
        if error is None:
            return Outcome(step, StepEvent.COMPLETE, fact=self._fact, ids={"moodle_id": str(person.moodle_id)})
        return self._gone(step) if isinstance(error, NotFound) else not_done(step, error)


async def store_suspensions(session: AsyncSession, outcomes: Sequence[Outcome]) -> None:
    """Of steps whose target is the site."""
    facts = {
        (one.step.student_id, one.step.target): one.fact.suspended
        for one in outcomes
        if isinstance(one.fact, SuspensionFact)
    }
    await moodle_db.store_suspended(session, facts)


class MoodleSuspensionLane(SiteLane[Person]):
    """Only users that the undone batch made."""

    kind: ClassVar[StepKind] = StepKind.SUSPEND_MOODLE_USER

    def __init__(self, sites: Mapping[str, Moodle], note: Noter, house: House) -> None:
        super().__init__(sites, note, house)
        self.size = max(house.batch_size, 100)

    async def prepare(
        self, session: AsyncSession, claimed: Sequence[ClaimedStep], *, now: datetime
    ) -> SiteWork[Person]:
        students = await students_db.load(session, [step.student_id for step in claimed])
        users = await moodle_db.users_at(session, {(step.student_id, step.target) for step in claimed})
        undone = await batches_db.undone_by(session, {step.batch_id for step in claimed})
        work = SiteWork[Person]()
        for step in claimed:
            user = users.get((step.student_id, step.target))
            if user is None:
                work.known.append(found_so(step))
            elif user.made_by_batch is None or user.made_by_batch != undone.get(step.batch_id):
                work.known.append(conflict(step))
            elif step.target not in self._sites:
                work.known.append(failed(step, "M-031", Remedy.ADMINISTRATOR))
            else:
                document = students[step.student_id].document_number
                work.add(step.target, Person(step, user.moodle_id, user.username, document))
        return work

    def on_site(self, site: str, part: Mapping[str, Person]) -> AsyncIterator[Sequence[Outcome]]:
        return keep_out(self._sites[site], self._note, part)

    async def store(self, session: AsyncSession, outcomes: Sequence[Outcome], *, now: datetime) -> None:
        await store_suspensions(session, outcomes)
