"""What cards show of letters that are no student's."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TrialLetterView:
    """A letter of trial. `address` is masked; `code` is empty while it is under way and when it was accepted."""

    address: str
    asked_by: str
    finished: bool = False
    code: str = ""
    reply: str = ""
