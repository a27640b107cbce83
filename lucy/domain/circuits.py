"""The circuit of an outside system: when it counts as down, how long it is left alone, who tries whether it is back.

Closed, everybody works. Open, nobody asks until the next try; then a single claim of a single process tries with one
step, and the others wait for what it finds. An answer of any kind closes the circuit.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from lucy.errors import OutcomeUnknown, RemoteError, RetryLater, Unreadable

PROBE_SIZE = 1
# Codes of steps that were postponed because their system was down.
DOWN_CODES = frozenset({"T-009", "T-015", "M-009", "M-010", "M-015", "E-006"})
# Waits that are about one step: not visible yet (T-013), its turn in a $batch (T-010), one recipient's server (E-003).
_ABOUT_ONE_STEP = frozenset({"T-010", "T-013", "E-003"})
# Waits of our own: the limiter's, the day's letters. Nothing was asked.
_NOT_ASKED = frozenset({"G-006", "E-011"})
# Moodle's answer to a row that clashes with another one: RetryLater by its family, and no outage.
_CLASH = "dmlwriteexception"


@dataclass(frozen=True, slots=True)
class CircuitRules:
    """Times in seconds. Slow failures open it sooner than counted ones: a system that swallows calls takes 20 s each.

    The wait grows with the time the system has been down, from the first to the longest.
    """

    failures: int = 5  # in a row, over all processes
    slow_failures: int = 3
    slow_s: float = 30.0
    forget_s: float = 600.0  # a failure this old, and nothing since, proves nothing
    first_wait_s: float = 30.0
    longest_wait_s: float = 300.0


class Sign(StrEnum):
    """What an outcome says of the system that was asked."""

    UP = "up"
    DOWN = "down"
    NONE = "none"


def sign_of(error: RemoteError) -> Sign:
    """Down: no answer, a failing server, maintenance, an answer that is not the interface's (HTML).

    Throttling is no outage. A refusal is an answer.
    """
    if not isinstance(error, (RetryLater, OutcomeUnknown, Unreadable)):
        return Sign.UP
    if isinstance(error, RetryLater) and error.throttled:
        return Sign.NONE
    if error.code in _ABOUT_ONE_STEP | _NOT_ASKED or error.ids.remote_code == _CLASH:
        return Sign.NONE
    return Sign.DOWN


def was_tried(error: RemoteError, *, probe: bool) -> bool:
    """Whether it counts towards giving the step up: not when it was told to wait, nor while the system is down."""
    if isinstance(error, RetryLater) and (error.throttled or error.code in _NOT_ASKED):
        return False
    return not (probe and sign_of(error) is Sign.DOWN)


def verdict(signs: Collection[Sign]) -> Sign:
    """Of a whole claim: one answer is enough to be up."""
    if Sign.UP in signs:
        return Sign.UP
    return Sign.DOWN if Sign.DOWN in signs else Sign.NONE


def is_evidence(*, steps: int, attempts: int, rules: CircuitRules) -> bool:
    """One step alone that has failed for long is no witness against its system: it may be the step."""
    return steps > 1 or attempts <= rules.failures


def opens(*, failures: int, since: datetime, now: datetime, rules: CircuitRules) -> bool:
    slow = failures >= rules.slow_failures and now - since >= timedelta(seconds=rules.slow_s)
    return failures >= rules.failures or slow


def next_try(*, opened_at: datetime, now: datetime, rules: CircuitRules) -> datetime:
    """Down for a minute, wait a minute: as a doubling wait, without counting."""
    down_s = (now - opened_at).total_seconds()
    return now + timedelta(seconds=min(max(rules.first_wait_s, down_s), rules.longest_wait_s))


def may_probe(*, next_try_at: datetime | None, probing_until: datetime | None, now: datetime) -> bool:
    """Whether it is time to try, and nobody else does. A prober that died loses its turn with its lease."""
    return (next_try_at is None or next_try_at <= now) and (probing_until is None or probing_until < now)
