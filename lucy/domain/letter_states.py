"""What became of a letter after the mail server took it: it came back, its password was used, or was not.

Until then its step tells: due, handed over, failed. Used is what tells for certain that it arrived.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from lucy.domain.letters import LetterName

# Those that carry a password; only of these can be told whether it was used.
WITH_PASSWORD = frozenset({LetterName.CREDENTIALS, LetterName.PASSWORD})
# What says nothing of the address: a full or closed mailbox, the other system, a policy; and what is only for now.
_ELSE = re.compile(r"4\.|5\.[237]\.")


class LetterState(StrEnum):
    ACCEPTED = "accepted"
    BOUNCED = "bounced"
    UNUSED = "unused"  # a password that nobody has used in the days that staff set
    USED = "used"
    REISSUED = "reissued"  # a later letter took its place


@dataclass(frozen=True, slots=True)
class SentLetter:
    """A letter that the server took. `detail` of one that came back: the enhanced status code of RFC 3463, or empty."""

    state: LetterState
    accepted_at: datetime
    state_at: datetime
    detail: str = ""


def says_no_such_mailbox(status: str) -> bool:
    """Whether a letter that came back with this status would come back again from the same address."""
    return _ELSE.match(status) is None


def was_used(
    *, since: datetime, signed_in_at: datetime | None, password_changed_at: datetime | None, must_change: bool | None
) -> bool | None:
    """Whether somebody entered with the password that was mailed at `since`; None where nothing tells.

    A temporary password has to be changed at the first sign-in: one that was changed later than it was mailed was used.
    """
    told = [moment for moment in (signed_in_at, password_changed_at) if moment is not None]
    if must_change is False or any(moment > since for moment in told):
        return True
    return False if told or must_change else None
