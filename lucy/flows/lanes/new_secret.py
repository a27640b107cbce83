"""New passwords: one that nobody is told, so that the mailed one opens nothing; or one on its way to a letter."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import accounts as accounts_db
from lucy.db.claims import ClaimedStep
from lucy.db.tables import SealedSecretRow
from lucy.domain.house import House
from lucy.domain.operations import StepKind
from lucy.domain.passwords import fingerprint, make_password
from lucy.domain.steps import StepEvent, StepId
from lucy.errors import NotFound, Remedy, RemoteError, System
from lucy.flows.lanes.account_guard import AccountGuard, Seen, Target, foreign, targets
from lucy.flows.lanes.base import Lane, Noter, Outcome, conflict, failed, unasked
from lucy.flows.lanes.begun import begin, found_so, not_done
from lucy.ports import Directory, NewPassword
from lucy.sealing import Sealer


@dataclass(frozen=True, slots=True)
class SecretWork:
    known: list[Outcome]
    wanted: dict[str, Target]
    secrets: Mapping[StepId, SealedSecretRow]


@dataclass(frozen=True, slots=True)
class SecretFact:
    """The print of the password that is set now."""

    fingerprint: str


class NewSecretLane(Lane[SecretWork]):
    """The password is sealed before the call and the same for every attempt: to set it again is harmless."""

    kind: ClassVar[StepKind] = StepKind.NEW_SECRET
    mailed: ClassVar[bool] = False
    system: ClassVar[System] = System.GRAPH

    def __init__(self, directory: Directory, sealer: Sealer, note: Noter, house: House) -> None:
        self._directory, self._sealer, self._note, self._house = directory, sealer, note, house
        self._guard = AccountGuard(directory, house)
        self.size = house.batch_size

    async def prepare(self, session: AsyncSession, claimed: Sequence[ClaimedStep], *, now: datetime) -> SecretWork:
        found, without = await targets(session, claimed, now=now)
        known = [self.absent(step) for step in without]
        wanted: dict[str, Target] = {}
        for key, target in found.items():
            if (outcome := foreign(target, self._house)) is not None:
                known.append(outcome)
            elif target.undone is not None and target.account.made_by_batch != target.undone:
                known.append(conflict(target.step))
            else:
                wanted[key] = target
        return SecretWork(known, wanted, await self._seal(session, wanted, now=now))

    async def _seal(
        self, session: AsyncSession, wanted: Mapping[str, Target], *, now: datetime
    ) -> dict[StepId, SealedSecretRow]:
        rows = []
        for target in wanted.values():
            student = target.student
            names = (student.first_name, student.last_name, student.document_number)
            avoid = [part for name in names for part in name.split()]
            password = make_password(length=self._house.password_length, avoid=avoid)
            rows.append(
                {
                    "step_id": target.step.id,
                    "student_id": target.step.student_id,
                    "batch_id": target.step.batch_id,
                    "ciphertext": self._sealer.seal(password),
                    "fingerprint": fingerprint(password),
                }
            )
        return await accounts_db.seal_if_absent(session, rows, now=now, keep_h=self._house.secret_keep_h)

    async def perform(self, work: SecretWork) -> AsyncIterator[Sequence[Outcome]]:
        if work.known:
            yield unasked(work.known)
        look = await self._guard.look(work.wanted, watching=True)
        settled = [*look.settled, *(self.absent(target.step) for target in look.gone)]
        if settled:
            yield settled
        mine = await begin(self._note, [seen.target.step for seen in look.present.values()])
        present = {key: seen for key, seen in look.present.items() if seen.target.step.id in mine}
        if present:
            requests = [
                NewPassword(key, seen.user.id, self._sealer.open(work.secrets[seen.target.step.id].ciphertext))
                for key, seen in present.items()
            ]
            answers = await self._directory.reset_passwords(requests)
            yield [self._outcome(present[key], work, error) for key, error in answers.items()]

    def _outcome(self, seen: Seen, work: SecretWork, error: RemoteError | None) -> Outcome:
        step = seen.target.step
        if error is None:
            fact = SecretFact(work.secrets[step.id].fingerprint)
            return Outcome(step, StepEvent.COMPLETE, fact=fact, ids={"entra_id": seen.user.id})
        return self.absent(step) if isinstance(error, NotFound) else not_done(step, error)

    def absent(self, step: ClaimedStep) -> Outcome:
        """There is no account: no password opens anything."""
        return found_so(step)

    async def store(self, session: AsyncSession, outcomes: Sequence[Outcome], *, now: datetime) -> None:
        set_ = {one.step.student_id: one.fact.fingerprint for one in outcomes if isinstance(one.fact, SecretFact)}
        await accounts_db.store_fingerprints(session, set_, now=now)
        # One that nobody is told is destroyed as soon as it is set: nothing waits for it. One that a letter takes is
        # kept until then. Where it was not set it is of no use either.
        kept = {StepEvent.POSTPONE, StepEvent.COMPLETE} if self.mailed else {StepEvent.POSTPONE}
        await accounts_db.destroy_secrets(session, [one.step.id for one in outcomes if one.event not in kept])


class ResetPasswordLane(NewSecretLane):
    """Temporary: it must be changed at the first sign-in. The letter of the same batch takes it."""

    kind: ClassVar[StepKind] = StepKind.RESET_PASSWORD
    mailed: ClassVar[bool] = True

    def absent(self, step: ClaimedStep) -> Outcome:
        return failed(step, "T-007", Remedy.OPERATOR)
