"""An attempt is noted before its call: a repeat that finds everything done already knows whether it was Lucy.

What an attempt of this step did counts as done and can be undone; what was so before, or somebody did, does not.
"""

from collections.abc import Sequence
from dataclasses import replace

from lucy.db.claims import ClaimedStep
from lucy.domain.steps import StepEvent, StepId
from lucy.errors import OutcomeUnknown, RemoteError, Unreadable
from lucy.flows.lanes.base import Noter, Outcome, from_error

_BEGUN = "begun"
_IN_DOUBT = (OutcomeUnknown, Unreadable)


def begun(step: ClaimedStep) -> bool:
    """Whether an earlier attempt made the call and may have had its effect."""
    return bool(step.outcome.get(_BEGUN))


async def begin(note: Noter, steps: Sequence[ClaimedStep]) -> frozenset[StepId]:
    """Note the attempt; returns the steps that may be gone on with, the others are another worker's by now."""
    return await note(steps, {_BEGUN: True})


def found_so(step: ClaimedStep, fact: object = None) -> Outcome:
    """It is as wanted before anything was sent: by an earlier attempt whose answer was lost, or so already."""
    return Outcome(step, StepEvent.COMPLETE if begun(step) else StepEvent.FIND_DONE, fact=fact)


def not_done(step: ClaimedStep, error: RemoteError) -> Outcome:
    """The outcome of a failed call; a definite refusal takes the note of this attempt back."""
    outcome = from_error(step, error)
    return outcome if isinstance(error, _IN_DOUBT) else replace(outcome, kept={_BEGUN: begun(step)})
