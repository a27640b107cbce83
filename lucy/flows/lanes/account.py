"""Accounts in Entra ID: created once, adopted only when the identity agrees, never doubled.

The password of a new account is sealed before the account is asked for and stays the same for every attempt of the
step. So when an answer is lost and the account turns out to exist, the sealed password is the one that opens it.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import accounts as accounts_db
from lucy.db import students as students_db
from lucy.db.claims import ClaimedStep
from lucy.domain.house import House
from lucy.domain.operations import StepKind
from lucy.domain.passwords import fingerprint, make_password
from lucy.domain.plans import upn_for
from lucy.domain.selections import fold
from lucy.domain.steps import StepEvent
from lucy.domain.students import Student, StudentId, Upn, is_test_name
from lucy.errors import AlreadyThere, Conflict, Remedy, RemoteError, RetryLater, System
from lucy.flows.lanes.account_guard import print_of_user
from lucy.flows.lanes.base import Lane, Outcome, failed, from_error, unasked
from lucy.flows.lanes.deleted_accounts import DeletedAccounts
from lucy.ports import Directory, DirectoryUser, NewAccount
from lucy.sealing import Sealer

# Entra's clock and ours may differ by this much when we ask whether an account was made by an attempt of ours.
CLOCK_SKEW = timedelta(minutes=2)

People = Mapping[StudentId, Student]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A student whose account is to be made."""

    step: ClaimedStep
    student: Student
    account: NewAccount


@dataclass(frozen=True, slots=True)
class AccountWork:
    known: list[Outcome]
    candidates: dict[str, Candidate]


@dataclass(frozen=True, slots=True)
class AccountFact:
    """The account as it is now; `ours` when an attempt of this step made it."""

    user: DirectoryUser
    ours: bool
    licensed: bool


class AccountLane(Lane[AccountWork]):
    """`POST /users` in `$batch`; the directory is asked first only where an earlier attempt may have had its effect."""

    kind: ClassVar[StepKind] = StepKind.ACCOUNT
    system: ClassVar[System] = System.GRAPH

    def __init__(self, directory: Directory, sealer: Sealer, house: House) -> None:
        self._directory, self._sealer, self._house = directory, sealer, house
        self._deleted = DeletedAccounts(directory)
        self.size = house.batch_size

    async def prepare(self, session: AsyncSession, claimed: Sequence[ClaimedStep], *, now: datetime) -> AccountWork:
        ids = [step.student_id for step in claimed]
        students = await students_db.load(session, ids)
        existing = await accounts_db.accounts(session, ids)
        known = [Outcome(step, StepEvent.FIND_DONE) for step in claimed if step.student_id in existing]
        missing = [step for step in claimed if step.student_id not in existing]
        passwords = await self._seal(session, missing, students, now=now)
        candidates = {
            str(step.id): Candidate(step, students[step.student_id], self._account(step, students, passwords))
            for step in missing
        }
        return AccountWork(known, candidates)

    async def _seal(
        self,
        session: AsyncSession,
        steps: Sequence[ClaimedStep],
        students: People,
        *,
        now: datetime,
    ) -> dict[int, str]:
        rows = []
        for step in steps:
            student = students[step.student_id]
            names = (student.first_name, student.last_name, student.document_number)
            avoid = [part for name in names for part in name.split()]
            password = make_password(length=self._house.password_length, avoid=avoid)
            rows.append(
                {
                    "step_id": step.id,
                    "student_id": step.student_id,
                    "batch_id": step.batch_id,
                    "ciphertext": self._sealer.seal(password),
                    "fingerprint": fingerprint(password),
                }
            )
        sealed = await accounts_db.seal_if_absent(session, rows, now=now, keep_h=self._house.secret_keep_h)
        return {step_id: self._sealer.open(row.ciphertext) for step_id, row in sealed.items()}

    def _account(self, step: ClaimedStep, students: People, passwords: Mapping[int, str]) -> NewAccount:
        student = students[step.student_id]
        nickname = f"{self._house.account_prefix}{student.document_number}"
        return NewAccount(
            key=str(step.id),
            upn=upn_for(student.document_number, prefix=self._house.account_prefix, domain=self._house.account_domain),
            mail_nickname=nickname,
            first_name=student.first_name,
            last_name=student.last_name,
            employee_id=student.document_number,
            password=passwords[step.id],
        )

    async def perform(self, work: AccountWork) -> AsyncIterator[Sequence[Outcome]]:
        if work.known:
            yield unasked(work.known)
        seen_before = {key: one.account.upn for key, one in work.candidates.items() if one.step.attempts > 1}
        found = await self._look(work, seen_before)
        settled = [outcome for outcome in found.values() if outcome is not None]
        if settled:
            yield settled
        absent = {key: one for key, one in work.candidates.items() if found.get(key) is None}
        twins = await self._twins(absent)
        if twins:
            yield twins
        lost = {str(one.step.id) for one in twins}
        to_create = [one.account for key, one in absent.items() if key not in lost]
        if to_create:
            created = await self._directory.create_users(to_create)
            outcomes = {key: self._created(work.candidates[key], result) for key, result in created.items()}
            taken = {key: work.candidates[key].account.upn for key, one in outcomes.items() if one is None}
            looked = await self._look(work, taken)
            yield [
                outcome or looked.get(key) or self._unseen(work.candidates[key]) for key, outcome in outcomes.items()
            ]

    async def _twins(self, candidates: Mapping[str, Candidate]) -> list[Outcome]:
        """Those whose account lies in the deleted items: staff decide, a second one would leave their work behind.

        A deleted test account is no loss, and the name of a test is used again and again.
        """
        wanted = {
            one.step.student_id: (one.student, one.account.upn)
            for one in candidates.values()
            if not is_test_name(one.account.upn)
        }
        found = await self._deleted.find(wanted) if wanted else {}
        return [
            failed(one.step, "T-018", Remedy.OPERATOR) for one in candidates.values() if one.step.student_id in found
        ]

    def _created(self, candidate: Candidate, result: DirectoryUser | RemoteError) -> Outcome | None:
        """The outcome of a creation; None when the name is in use and has to be looked at."""
        if isinstance(result, AlreadyThere):
            return None
        if isinstance(result, RemoteError):
            return from_error(candidate.step, result)
        return self._done(candidate, result)

    async def _look(self, work: AccountWork, upns: Mapping[str, Upn]) -> dict[str, Outcome | None]:
        """Judge the accounts that exist under these names; None where there is none."""
        if not upns:
            return {}
        seats = await self._directory.licence_seats(self._house.licence_sku)
        found = await self._directory.find_users(upns)
        judged: dict[str, Outcome | None] = {}
        for key, user in found.items():
            candidate = work.candidates[key]
            if user is None:
                judged[key] = None
            elif isinstance(user, RemoteError):
                judged[key] = from_error(candidate.step, user)
            else:
                judged[key] = self._judge(candidate, user, licensed=seats.sku_id in user.sku_ids)
        return judged

    def _judge(self, candidate: Candidate, user: DirectoryUser, *, licensed: bool) -> Outcome:
        """Ours, the same person's, or a stranger's (FEATURES rows 20 and 21)."""
        step, student = candidate.step, candidate.student
        if user.employee_id == student.document_number:
            if step.attempts > 1 and made_since(user, step.first_claimed_at):
                return self._done(candidate, user)
            return Outcome(step, StepEvent.FIND_DONE, fact=AccountFact(user, ours=False, licensed=licensed))
        if not user.employee_id and same_person(user, student):
            return Outcome(step, StepEvent.FIND_DONE, fact=AccountFact(user, ours=False, licensed=licensed))
        return from_error(step, Conflict(System.GRAPH, "adopt", "T-004"))

    def _done(self, candidate: Candidate, user: DirectoryUser) -> Outcome:
        fact = AccountFact(user, ours=True, licensed=False)
        return Outcome(candidate.step, StepEvent.COMPLETE, fact=fact, ids={"entra_id": user.id})

    def _unseen(self, candidate: Candidate) -> Outcome:
        """In use, and not visible yet: the directory has not replicated it."""
        return from_error(candidate.step, RetryLater(System.GRAPH, "look up", "T-013", after_s=5.0))

    async def store(self, session: AsyncSession, outcomes: Sequence[Outcome], *, now: datetime) -> None:
        facts = [(one.step, one.fact) for one in outcomes if isinstance(one.fact, AccountFact)]
        secrets = await accounts_db.secrets_for(session, [(step.batch_id, step.student_id) for step, _ in facts])
        rows = []
        for step, fact in facts:
            secret = secrets.get((step.batch_id, step.student_id)) if fact.ours else None
            rows.append(
                {
                    "student_id": step.student_id,
                    "upn": fact.user.upn.lower(),
                    "entra_id": fact.user.id,
                    "enabled": fact.user.enabled,
                    "licensed": fact.licensed,
                    "made_by_batch": step.batch_id if fact.ours else None,
                    "secret_fingerprint": secret.fingerprint if secret else "",
                    "made_print": print_of_user(fact.user) if fact.ours else "",
                    "created_at": fact.user.created_at or now,
                    "verified_at": now,
                }
            )
        await accounts_db.store_accounts(session, rows)
        # A password that was never set must never be mailed. One that an earlier attempt may have set is kept until it
        # expires: should the step be tried again, it is what opens the account.
        unset = [
            one.step.id
            for one in outcomes
            if one.event is StepEvent.FIND_DONE or (one.event is StepEvent.FAIL and one.step.attempts == 1)
        ]
        await accounts_db.destroy_secrets(session, unset)


def made_since(user: DirectoryUser, moment: datetime) -> bool:
    """Whether the account was made after `moment`; a directory that does not tell is believed to be ours."""
    return user.created_at is None or user.created_at >= moment - CLOCK_SKEW


def same_person(user: DirectoryUser, student: Student) -> bool:
    """Whether the account's name is the student's, whatever the order, case and accents."""
    return sorted(fold(user.display_name).replace(",", " ").split()) == sorted(fold(student.full_name).split())
