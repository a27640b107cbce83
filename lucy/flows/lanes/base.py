"""What every lane has in common: outcomes, and how an error becomes one."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Generic, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db.steps import ClaimedStep
from lucy.domain.operations import StepKind
from lucy.domain.steps import StepEvent
from lucy.errors import NotFound, OutcomeUnknown, Remedy, RemoteError, RetryLater, System, Unreadable

MAX_ATTEMPTS = 30
UNREADABLE_ATTEMPTS = 6  # a gateway's page passes within a minute; a wrong address never does
LONGEST_WAIT_S = 300.0
_HANDED_BACK = (RetryLater, OutcomeUnknown)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one claimed step ended, or why it goes back to the queue.

    `fact` is what the lane has to store about the student; `ids` are remote ids for the audit, never personal data.
    """

    step: ClaimedStep
    event: StepEvent
    code: str = ""
    detail: str = ""
    remedy: str = ""
    after_s: float = 0.0
    throttled: bool = False
    fact: object = None
    ids: dict[str, str] = field(default_factory=dict)


def failed(step: ClaimedStep, code: str, remedy: Remedy) -> Outcome:
    return Outcome(step, StepEvent.FAIL, code=code, remedy=remedy.value)


def from_error(step: ClaimedStep, error: RemoteError) -> Outcome:
    """Postpone what may heal, fail what will not (contracts: each error names its remedy).

    A wait that the provider named is taken as it is; other waits grow with the attempts, up to five minutes. An answer
    that cannot be understood is asked for again a few times: it may be the page of a gateway.
    """
    ids = {
        name: value
        for name, value in (
            ("request_id", error.ids.request_id),
            ("client_request_id", error.ids.client_request_id),
            ("remote_code", error.ids.remote_code),
        )
        if value
    }
    passing = isinstance(error, Unreadable) and step.attempts < UNREADABLE_ATTEMPTS
    if not passing and not isinstance(error, _HANDED_BACK):
        return Outcome(step, StepEvent.FAIL, code=error.code, detail=error.detail, remedy=error.remedy.value, ids=ids)
    if step.attempts >= MAX_ATTEMPTS:
        return Outcome(step, StepEvent.FAIL, code="G-004", detail=str(error), remedy=Remedy.OPERATOR.value, ids=ids)
    throttled = isinstance(error, RetryLater) and error.throttled
    wait = error.after_s if isinstance(error, RetryLater) else 1.0
    if not throttled:
        wait = max(wait, min(LONGEST_WAIT_S, 2.0 ** (step.attempts - 1)))
    return Outcome(
        step,
        StepEvent.POSTPONE,
        code=error.code,
        detail=error.detail,
        remedy=error.remedy.value,
        after_s=wait,
        throttled=throttled,
        ids=ids,
    )


def not_replicated(step: ClaimedStep, error: NotFound) -> RetryLater:
    """Not visible yet, straight after its creation: a wait of its own (contracts/graph.md, section 10)."""
    waits = (2.0, 4.0, 8.0, 16.0, 30.0)
    after = waits[min(step.attempts, len(waits)) - 1]
    return RetryLater(error.system, error.operation, "T-013", error.detail, error.ids, after_s=after)


W = TypeVar("W")


class Lane(ABC, Generic[W]):
    """One kind of step. The driver (`workers/lanes.py`) claims, commits, performs, records, commits."""

    kind: ClassVar[StepKind]
    system: ClassVar[System]
    size: int

    @abstractmethod
    async def prepare(self, session: AsyncSession, claimed: Sequence[ClaimedStep], *, now: datetime) -> W:
        """Read what the call needs, in the transaction of the claim."""

    @abstractmethod
    def perform(self, work: W) -> AsyncIterator[Sequence[Outcome]]:
        """Call the outside, with no transaction open; yields outcomes as they become known.

        A RemoteError raised here counts for every step without an outcome yet.
        """

    @abstractmethod
    async def store(self, session: AsyncSession, outcomes: Sequence[Outcome], *, now: datetime) -> None:
        """Store the facts of recorded outcomes, in the transaction that records them."""
