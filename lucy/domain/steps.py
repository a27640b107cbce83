"""The life of a step: one operation for one student within a batch."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType, Protocol, TypeVar

from lucy.domain.batches import IllegalMove
from lucy.domain.moodle_rules import site_and_course
from lucy.domain.operations import FOR_WHAT_WAS_DONE, NEEDS, StepKind

StepId = NewType("StepId", int)


class StepState(StrEnum):
    WAITING = "waiting"
    DUE = "due"
    RUNNING = "running"
    DONE = "done"
    ALREADY = "already"
    SKIPPED = "skipped"
    FAILED = "failed"
    CANCELLED = "cancelled"
    DROPPED = "dropped"


class StepEvent(StrEnum):
    RELEASE = "release"
    CLAIM = "claim"
    POSTPONE = "postpone"
    COMPLETE = "complete"
    FIND_DONE = "find_done"
    SKIP = "skip"
    FAIL = "fail"
    CANCEL = "cancel"
    DROP = "drop"
    RETRY = "retry"


_S, _E = StepState, StepEvent

NEXT: dict[tuple[StepState, StepEvent], StepState] = {
    (_S.WAITING, _E.RELEASE): _S.DUE,
    (_S.WAITING, _E.SKIP): _S.SKIPPED,
    (_S.WAITING, _E.CANCEL): _S.CANCELLED,
    (_S.WAITING, _E.DROP): _S.DROPPED,
    (_S.DUE, _E.CLAIM): _S.RUNNING,
    (_S.DUE, _E.SKIP): _S.SKIPPED,
    (_S.DUE, _E.CANCEL): _S.CANCELLED,
    (_S.DUE, _E.DROP): _S.DROPPED,
    (_S.RUNNING, _E.POSTPONE): _S.DUE,
    (_S.RUNNING, _E.COMPLETE): _S.DONE,
    (_S.RUNNING, _E.FIND_DONE): _S.ALREADY,
    (_S.RUNNING, _E.SKIP): _S.SKIPPED,
    (_S.RUNNING, _E.FAIL): _S.FAILED,
    (_S.RUNNING, _E.DROP): _S.DROPPED,
    (_S.FAILED, _E.RETRY): _S.DUE,
    (_S.SKIPPED, _E.RETRY): _S.WAITING,
    (_S.CANCELLED, _E.RETRY): _S.WAITING,
}

OPEN_STATES = frozenset({_S.WAITING, _S.DUE, _S.RUNNING})
CLOSED_STATES = frozenset(set(StepState) - OPEN_STATES)
GOOD_STATES = frozenset({_S.DONE, _S.ALREADY})


def advance(state: StepState, event: StepEvent) -> StepState:
    """The state after `event`. Raises IllegalMove."""
    try:
        return NEXT[state, event]
    except KeyError:
        raise IllegalMove(state, event) from None


@dataclass(frozen=True, slots=True)
class Sibling:
    """A step among those of the same student in the same batch."""

    id: StepId
    kind: StepKind
    state: StepState
    target: str = ""


class Placed(Protocol):
    """A step or what will be one: of a kind, about a target (a course, a site, a group; else empty)."""

    @property
    def kind(self) -> StepKind: ...
    @property
    def target(self) -> str: ...


P = TypeVar("P", bound=Placed)


def needed_by(step: Placed, siblings: Iterable[P]) -> list[P]:
    """Those of the student's steps that `step` waits for: of the kinds it needs, and about the same thing.

    The group of a course waits for the enrolment in that course; what is done on one Moodle site for that site's user.
    """
    every = list(siblings)
    needed = [one for one in every if one.kind in NEEDS[step.kind]]
    if step.kind is StepKind.COURSE_GROUP:
        return [one for one in needed if one.target == step.target]
    if step.kind in (StepKind.ENROLMENT, StepKind.SUSPEND_MOODLE_USER):
        sites = {one.target for one in every if one.kind in _OF_A_SITE}
        return [one for one in needed if _site(one, sites) == _site(step, sites)]
    return needed


_OF_A_SITE = frozenset({StepKind.MOODLE_USER, StepKind.SUSPEND_MOODLE_USER})


def _site(step: Placed, sites: Collection[str]) -> str:
    return step.target if step.kind in _OF_A_SITE else site_and_course(step.target, sites)[0]


def settle(siblings: Iterable[Sibling]) -> list[tuple[Sibling, StepEvent]]:
    """What the waiting steps of one student may do now that some other step of theirs ended.

    A step is released when all it needs is good, and skipped when something it needs can no longer become good; a skip
    is carried on to the steps that wait for the skipped one. Needs that the plan does not have count as good. A letter
    about what was done waits for all to end, and is skipped when nothing was.
    """
    every = list(siblings)
    states = {one.id: one.state for one in every}
    order = list(StepKind)
    moves: list[tuple[Sibling, StepEvent]] = []
    waiting = [one for one in every if one.state is StepState.WAITING]
    for sibling in sorted(waiting, key=lambda one: order.index(one.kind)):
        needed = [states[one.id] for one in needed_by(sibling, every)]
        if sibling.kind in FOR_WHAT_WAS_DONE:
            if all(state in CLOSED_STATES for state in needed):
                event = StepEvent.RELEASE if StepState.DONE in needed else StepEvent.SKIP
                moves.append((sibling, event))
        elif any(state in CLOSED_STATES and state not in GOOD_STATES for state in needed):
            moves.append((sibling, StepEvent.SKIP))
            states[sibling.id] = StepState.SKIPPED
        elif all(state in GOOD_STATES for state in needed):
            moves.append((sibling, StepEvent.RELEASE))
    return moves
