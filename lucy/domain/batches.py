"""The life of a batch: one table of legal moves, nowhere else."""

import re
from enum import StrEnum
from typing import NewType

BatchId = NewType("BatchId", int)


class BatchState(StrEnum):
    DRAFT = "draft"
    AWAITING_APPROVAL = "awaiting_approval"
    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    HELD = "held"
    FINISHED = "finished"
    FINISHED_WITH_FAILURES = "finished_with_failures"
    NOTHING_DONE = "nothing_done"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class Relation(StrEnum):
    """How a batch came from another one."""

    CHANGED = "changed"  # students that were dropped because they changed after the approval
    SPLIT = "split"  # what did not fit into the seats or the day's mail
    WITHHELD = "withheld"  # removals held back while the additions go on
    REST = "rest"  # what a cancelled batch had not begun
    UNDO = "undo"


class BatchEvent(StrEnum):
    SUBMIT = "submit"
    SKIP_APPROVAL = "skip_approval"
    HOLD = "hold"
    RELEASE = "release"
    APPROVE = "approve"
    REJECT = "reject"
    EXPIRE = "expire"
    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    REQUEUE = "requeue"
    CANCEL = "cancel"
    FINISH = "finish"
    FINISH_WITH_FAILURES = "finish_with_failures"
    FINISH_EMPTY = "finish_empty"
    RETRY = "retry"


_S, _E = BatchState, BatchEvent

NEXT: dict[tuple[BatchState, BatchEvent], BatchState] = {
    (_S.DRAFT, _E.SUBMIT): _S.AWAITING_APPROVAL,
    (_S.DRAFT, _E.SKIP_APPROVAL): _S.QUEUED,
    (_S.DRAFT, _E.HOLD): _S.HELD,
    (_S.DRAFT, _E.FINISH_EMPTY): _S.NOTHING_DONE,
    (_S.DRAFT, _E.CANCEL): _S.CANCELLED,
    (_S.HELD, _E.RELEASE): _S.AWAITING_APPROVAL,
    (_S.HELD, _E.REJECT): _S.REJECTED,
    (_S.HELD, _E.EXPIRE): _S.EXPIRED,
    (_S.HELD, _E.CANCEL): _S.CANCELLED,
    (_S.AWAITING_APPROVAL, _E.APPROVE): _S.QUEUED,
    (_S.AWAITING_APPROVAL, _E.REJECT): _S.REJECTED,
    (_S.AWAITING_APPROVAL, _E.EXPIRE): _S.EXPIRED,
    (_S.AWAITING_APPROVAL, _E.CANCEL): _S.CANCELLED,
    (_S.QUEUED, _E.START): _S.RUNNING,
    (_S.QUEUED, _E.HOLD): _S.HELD,
    (_S.QUEUED, _E.PAUSE): _S.PAUSED,
    (_S.QUEUED, _E.CANCEL): _S.CANCELLED,
    (_S.RUNNING, _E.PAUSE): _S.PAUSED,
    (_S.RUNNING, _E.HOLD): _S.HELD,
    (_S.RUNNING, _E.CANCEL): _S.CANCELLED,
    (_S.RUNNING, _E.FINISH): _S.FINISHED,
    (_S.RUNNING, _E.FINISH_WITH_FAILURES): _S.FINISHED_WITH_FAILURES,
    (_S.RUNNING, _E.FINISH_EMPTY): _S.NOTHING_DONE,
    (_S.PAUSED, _E.RESUME): _S.RUNNING,
    (_S.PAUSED, _E.REQUEUE): _S.QUEUED,  # paused before it had begun: everything is looked at again
    (_S.PAUSED, _E.CANCEL): _S.CANCELLED,
    (_S.PAUSED, _E.FINISH): _S.FINISHED,
    (_S.PAUSED, _E.FINISH_WITH_FAILURES): _S.FINISHED_WITH_FAILURES,
    (_S.PAUSED, _E.FINISH_EMPTY): _S.NOTHING_DONE,
    (_S.FINISHED_WITH_FAILURES, _E.RETRY): _S.RUNNING,
}

WAITING_STATES = frozenset({_S.AWAITING_APPROVAL, _S.HELD})  # for a person
OPEN_STATES = frozenset({_S.DRAFT, _S.AWAITING_APPROVAL, _S.HELD, _S.QUEUED, _S.RUNNING, _S.PAUSED})
CLOSED_STATES = frozenset(set(BatchState) - OPEN_STATES)


class IllegalMove(Exception):
    """The event does not apply in this state; nothing was changed."""

    def __init__(self, state: StrEnum, event: StrEnum) -> None:
        super().__init__(f"{event.value} does not apply to {state.value}")
        self.state, self.event = state, event


def advance(state: BatchState, event: BatchEvent) -> BatchState:
    """The state after `event`. Raises IllegalMove."""
    try:
        return NEXT[state, event]
    except KeyError:
        raise IllegalMove(state, event) from None


def batch_code(number: int) -> str:
    """42 → L-0042, as people say and type it."""
    return f"L-{number:04d}"


def parse_batch_code(text: str) -> int | None:
    """L-0042, l42, 42 → 42; None when it is not a code."""
    digits = text.strip().upper().removeprefix("L").lstrip("-– ").strip()
    return int(digits) if re.fullmatch(r"[0-9]{1,9}", digits) else None
