"""What the mail lanes have in common: the day's quota, one letter at a time, and the fence before each of them.

A worker that was stopped for longer than its lease may wake up with letters in hand that another one has sent. So each
hand-over is noted on the step first, and is left alone where the step is no longer this claim's. A note without an
answer since says that the server may have the letter: it goes out again with the same Message-ID, and is counted.
"""

from abc import abstractmethod
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import ClassVar

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import claims
from lucy.db import config as config_db
from lucy.db import letters as letters_db
from lucy.db.claims import ClaimedStep
from lucy.db.letters import AcceptedLetter
from lucy.domain import letters
from lucy.domain.config import letters_quota
from lucy.domain.house import House
from lucy.domain.letters import LetterName, Template
from lucy.domain.operations import LETTERS, PATIENT_LETTERS
from lucy.domain.steps import StepEvent, StepId
from lucy.domain.students import Student
from lucy.errors import OutcomeUnknown, Remedy, RemoteError, System
from lucy.flows.forecast_batch import letters_since_midnight
from lucy.flows.lanes.base import Lane, Noter, Outcome, from_error, unasked
from lucy.ports import Accepted, Letter, Mailer

HANDING_OVER, SENT_AGAIN = "handing_over", "sent_again"
# Codes that say something of the server, not of the letter: no name, no connection, no login, no safe connection; for
# Graph no permission, no such mailbox, a wait.
NO_SERVER = frozenset({"E-005", "E-006", "E-009", "E-012", "E-017", "E-018", "E-019"})


@dataclass(frozen=True, slots=True)
class Ready:
    """A letter to be handed over. `secret_step` is the step that made the password it carries, if it carries one."""

    step: ClaimedStep
    letter: Letter
    template: Template
    secret_step: StepId | None = None


@dataclass(frozen=True, slots=True)
class LetterFact:
    """The server took the letter; a sealed password of `secret_step` has done its work."""

    name: LetterName
    to_address: str
    secret_step: StepId | None = None


@dataclass(frozen=True, slots=True)
class LetterWork:
    known: list[Outcome]
    ready: list[Ready]


class LetterLane(Lane[LetterWork]):
    """Letters one after another over a kept connection, each recorded as soon as the server answered for it."""

    system: ClassVar[System] = System.MAIL

    def __init__(self, mailer: Mailer, note: Noter, house: House) -> None:
        self._mailer, self._note, self._house = mailer, note, house
        self.size = house.batch_size

    @abstractmethod
    async def compose(self, session: AsyncSession, claimed: Sequence[ClaimedStep]) -> LetterWork:
        """Write the letters, and the outcomes of those that do not go out."""

    async def prepare(self, session: AsyncSession, claimed: Sequence[ClaimedStep], *, now: datetime) -> LetterWork:
        work = await self.compose(session, claimed)
        quota = letters_quota(await config_db.values(session))
        if not quota or not work.ready:
            return work
        in_hand = await claims.in_other_hands(session, LETTERS, lease_id=claimed[0].lease_id)
        sent = await letters_since_midnight(session, house=self._house, now=now)
        sooner = 0
        if self.kind in PATIENT_LETTERS:
            midnight = self._midnight(now)
            sooner = await claims.still_to_come(session, LETTERS - PATIENT_LETTERS, until=midnight)
        room = max(0, quota - sent - in_hand - sooner)
        waiting = [self._tomorrow(one.step, now) for one in work.ready[room:]]
        return LetterWork([*work.known, *waiting], work.ready[:room])

    def _tomorrow(self, step: ClaimedStep, now: datetime) -> Outcome:
        wait = (self._midnight(now) - now).total_seconds()
        remedy = Remedy.WAIT.value
        return Outcome(step, StepEvent.POSTPONE, code="E-011", remedy=remedy, after_s=wait, tried=False)

    def addressed(self, step: ClaimedStep, student: Student, address: str, rendered: letters.Rendered) -> Letter:
        """The letter of a step, the same for every attempt; `address` may be empty, then it goes nowhere."""
        return Letter(
            key=str(step.id),
            message_id=letters.message_id(batch=step.batch_id, step=step.id, domain=self._house.mail_domain),
            to_address=address,
            to_name=letters.neutral(student.full_name),
            subject=rendered.subject,
            text=rendered.text,
            html=rendered.html,
        )

    def _midnight(self, now: datetime) -> datetime:
        """When the next day's quota begins."""
        day = now.astimezone(self._house.zone).date() + timedelta(days=1)
        return datetime.combine(day, time.min, self._house.zone)

    async def perform(self, work: LetterWork) -> AsyncIterator[Sequence[Outcome]]:
        """Raises RemoteError where the server cannot be used: the rest is not tried."""
        if work.known:
            yield unasked(work.known)
        for one in work.ready:
            again = _unanswered(one.step)
            mark = {HANDING_OVER: datetime.now(UTC).isoformat(), **({SENT_AGAIN: again} if again else {})}
            if one.step.id not in await self._note([one.step], mark):
                continue
            answer, goes_on = await self._hand_over(one.letter)
            yield [self._outcome(one, answer, again)]
            if isinstance(answer, RemoteError) and not goes_on:
                raise answer

    async def _hand_over(self, letter: Letter) -> tuple[Accepted | RemoteError, bool]:
        """The answer, and whether the next letter may be tried."""
        try:
            answers = [answer async for _key, answer in self._mailer.send([letter])]
        except RemoteError as error:  # nobody's turn at present: nothing was sent
            return error, False
        answer = answers[0]
        if isinstance(answer, Accepted | OutcomeUnknown):
            return answer, True
        return answer, answer.code not in NO_SERVER

    def _outcome(self, one: Ready, answer: Accepted | RemoteError, again: int) -> Outcome:
        answered: dict[str, object] = {HANDING_OVER: None}
        if isinstance(answer, OutcomeUnknown):
            return from_error(one.step, answer)
        if isinstance(answer, RemoteError):
            return replace(from_error(one.step, answer), kept=answered)
        ids = {
            "message_id": one.letter.message_id,
            **({"template": str(version)} if (version := one.template.version) else {}),
        }
        if again:
            ids[SENT_AGAIN], answered[SENT_AGAIN] = str(again), again
        fact = LetterFact(one.template.name, one.letter.to_address, one.secret_step)
        return Outcome(one.step, StepEvent.COMPLETE, fact=fact, ids=ids, kept=answered)

    async def store(self, session: AsyncSession, outcomes: Sequence[Outcome], *, now: datetime) -> None:
        """What became of it afterwards is found by the step: bounces name it."""
        taken = [
            AcceptedLetter(step.id, step.student_id, step.batch_id, fact.name, fact.to_address)
            for step, fact in accepted(outcomes)
        ]
        await letters_db.add(session, taken, now=now)


def accepted(outcomes: Sequence[Outcome]) -> list[tuple[ClaimedStep, LetterFact]]:
    """The letters among them that the server took."""
    return [(one.step, one.fact) for one in outcomes if isinstance(one.fact, LetterFact)]


def _unanswered(step: ClaimedStep) -> int:
    """How many times this letter may have been accepted already."""
    before = int(step.outcome.get(SENT_AGAIN) or 0)
    return before + 1 if step.outcome.get(HANDING_OVER) else before
