"""Moodle users: found when they are there, created when they are not, let in again when Lucy had suspended them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import accounts as accounts_db
from lucy.db import moodle as moodle_db
from lucy.db import students as students_db
from lucy.db.claims import ClaimedStep
from lucy.domain.house import House
from lucy.domain.moodle_rules import MoodleAddress, MoodleRules
from lucy.domain.operations import StepKind
from lucy.domain.steps import StepEvent
from lucy.domain.students import Student, Upn
from lucy.errors import Remedy, RemoteError
from lucy.flows.lanes.base import Noter, Outcome, failed, from_error
from lucy.flows.lanes.moodle_suspension import Person, let_in, store_suspensions
from lucy.flows.lanes.sites import SiteLane, SiteWork
from lucy.ports import Moodle, MoodleUser, NewMoodleUser


@dataclass(frozen=True, slots=True)
class NewPerson:
    step: ClaimedStep
    user: NewMoodleUser


@dataclass(frozen=True, slots=True)
class UserFact:
    user: MoodleUser
    ours: bool


class MoodleUserLane(SiteLane[NewPerson | Person]):
    """Looks up before it creates: names, addresses and numbers are checked by the connector.

    A step's target is the site; the main one is "".
    """

    kind: ClassVar[StepKind] = StepKind.MOODLE_USER

    def __init__(self, sites: Mapping[str, Moodle], note: Noter, house: House) -> None:
        super().__init__(sites, note, house)
        self.size = max(house.batch_size, 100)

    async def prepare(
        self, session: AsyncSession, claimed: Sequence[ClaimedStep], *, now: datetime
    ) -> SiteWork[NewPerson | Person]:
        ids = [step.student_id for step in claimed]
        students = await students_db.load(session, ids)
        accounts = await accounts_db.accounts(session, ids)
        existing = await moodle_db.users_at(session, {(step.student_id, step.target) for step in claimed})
        work = SiteWork[NewPerson | Person]()
        for step in claimed:
            account, user = accounts.get(step.student_id), existing.get((step.student_id, step.target))
            student = students[step.student_id]
            if step.target not in self._sites:
                work.known.append(failed(step, "M-031", Remedy.ADMINISTRATOR))
            elif user is not None and user.suspended:
                work.add(step.target, Person(step, user.moodle_id, user.username, student.document_number))
            elif user is not None:
                work.known.append(Outcome(step, StepEvent.FIND_DONE))
            elif account is None:
                work.known.append(failed(step, "T-007", Remedy.OPERATOR))
            else:
                self._add(work, step, student, account.upn)
        return work

    def _add(self, work: SiteWork[NewPerson | Person], step: ClaimedStep, student: Student, upn: Upn) -> None:
        rules = self._house.moodle_sites[step.target]
        address = address_for(student, upn, rules)
        if not address:
            work.known.append(failed(step, "M-012", Remedy.SOURCE))
            return
        user = NewMoodleUser(
            key=str(step.id),
            username=upn.lower(),
            first_name=student.first_name,
            last_name=student.last_name,
            email=address,
            idnumber=student.document_number,
            auth=rules.auth,
            lang=rules.lang,
        )
        work.add(step.target, NewPerson(step, user))

    async def on_site(self, site: str, part: Mapping[str, NewPerson | Person]) -> AsyncIterator[Sequence[Outcome]]:
        moodle = self._sites[site]
        back = {key: one for key, one in part.items() if isinstance(one, Person)}
        async for outcomes in let_in(moodle, self._note, back):
            yield outcomes
        new = {key: one for key, one in part.items() if isinstance(one, NewPerson)}
        if not new:
            return
        found = await moodle.find_users([one.user for one in new.values()])
        settled = [_outcome(new[key].step, result, ours=False) for key, result in found.items() if result is not None]
        if settled:
            yield settled
        missing = [one.user for key, one in new.items() if found.get(key) is None]
        if missing:
            created = await moodle.create_users(missing)
            yield [_outcome(new[key].step, result, ours=True) for key, result in created.items()]

    async def store(self, session: AsyncSession, outcomes: Sequence[Outcome], *, now: datetime) -> None:
        rows = [
            {
                "student_id": one.step.student_id,
                "site": one.step.target,
                "moodle_id": one.fact.user.id,
                "username": one.fact.user.username,
                "made_by_batch": one.step.batch_id if one.fact.ours else None,
                "created_at": now,
            }
            for one in outcomes
            if isinstance(one.fact, UserFact)
        ]
        await moodle_db.store_users(session, rows)
        await store_suspensions(session, outcomes)


def address_for(student: Student, upn: Upn, rules: MoodleRules) -> str:
    """The address of a new user by the site's setting, or the other one where it may be; empty where there is none."""
    personal, institutional = student.personal_email.lower(), upn.lower()
    if rules.address is MoodleAddress.INSTITUTIONAL:
        return institutional
    return personal or (institutional if rules.address_fallback else "")


def _outcome(step: ClaimedStep, result: MoodleUser | RemoteError, *, ours: bool) -> Outcome:
    if isinstance(result, RemoteError):
        return from_error(step, result)
    event = StepEvent.COMPLETE if ours else StepEvent.FIND_DONE
    return Outcome(step, event, fact=UserFact(result, ours), ids={"moodle_id": str(result.id)})
