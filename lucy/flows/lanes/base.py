"""What every lane has in common: outcomes, and how an error becomes one."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import ClassVar, Generic, Protocol, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db.claims import ClaimedStep
from lucy.db.steps import CONFLICT
from lucy.domain.circuits import Sign, sign_of, was_tried
from lucy.domain.operations import StepKind
from lucy.domain.steps import StepEvent, StepId
from lucy.errors import NotFound, OutcomeUnknown, Remedy, RemoteError, RetryLater, System, Unreadable

MAX_TRIES = 30
LONGEST_WAIT_S = 300.0
# An answer that is not the interface's own (a maintenance page, a proxy's) says nothing about the student.
_HANDED_BACK = (RetryLater, OutcomeUnknown, Unreadable)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one claimed step ended, or why it goes back to the queue.

    `fact` is what the lane has to store about the student; `ids` are remote ids for the audit, never personal data.
    `sign` is what it says of the system; `tried` False: going back to the queue does not count towards giving up.
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
    kept: dict[str, object] = field(default_factory=dict)  # noted on the step, not in the audit
    sign: Sign = Sign.UP
    tried: bool = True


@dataclass(frozen=True, slots=True)
class Changed:
    """The fact of a dropped student: what differed from what was approved, in words."""

    changed: tuple[str, ...]


def unasked(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Decided from what we know ourselves: that says nothing of the system."""
    return [replace(one, sign=Sign.NONE) for one in outcomes]


def failed(step: ClaimedStep, code: str, remedy: Remedy) -> Outcome:
    return Outcome(step, StepEvent.FAIL, code=code, remedy=remedy.value)


def conflict(step: ClaimedStep) -> Outcome:
    """Somebody changed it since: it is left as they want it (FEATURES row 67)."""
    return Outcome(step, StepEvent.SKIP, code=CONFLICT, remedy=Remedy.OPERATOR.value)


def from_error(step: ClaimedStep, error: RemoteError) -> Outcome:
    """Postpone what may heal, fail what will not (contracts: each error names its remedy).

    A wait that the provider named is taken as it is; other waits grow with the tries, up to five minutes.
    """
    sign, tried = sign_of(error), was_tried(error, probe=step.probe)
    ids = {
        name: value
        for name, value in (
            ("request_id", error.ids.request_id),
            ("client_request_id", error.ids.client_request_id),
            ("remote_code", error.ids.remote_code),
        )
        if value
    }
    if not isinstance(error, _HANDED_BACK):
        return Outcome(step, StepEvent.FAIL, code=error.code, detail=error.detail, remedy=error.remedy.value, ids=ids)
    if tried and step.tries + 1 >= MAX_TRIES:
        remedy = Remedy.OPERATOR.value
        return Outcome(step, StepEvent.FAIL, code="G-004", detail=str(error), remedy=remedy, ids=ids, sign=sign)
    throttled = isinstance(error, RetryLater) and error.throttled
    wait = error.after_s if isinstance(error, RetryLater) else 1.0
    if not throttled:
        wait = max(wait, min(LONGEST_WAIT_S, 2.0**step.tries))
    return Outcome(
        step,
        StepEvent.POSTPONE,
        code=error.code,
        detail=error.detail,
        remedy=error.remedy.value,
        after_s=wait,
        throttled=throttled,
        ids=ids,
        sign=sign,
        tried=tried,
    )


def not_replicated(step: ClaimedStep, error: NotFound) -> RetryLater:
    """Not visible yet, straight after its creation: a wait of its own (contracts/graph.md, section 10)."""
    waits = (2.0, 4.0, 8.0, 16.0, 30.0)
    after = waits[min(step.tries, len(waits) - 1)]
    return RetryLater(error.system, error.operation, "T-013", error.detail, error.ids, after_s=after)


class Noter(Protocol):
    """Keeps something about steps in hand, committed before their call. `lucy/flows/note_steps.py` is one."""

    async def __call__(self, steps: Sequence[ClaimedStep], what: Mapping[str, object]) -> frozenset[StepId]:
        """Returns those that are still this claim's. The others are another worker's: nothing may be sent for them."""
        ...


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
