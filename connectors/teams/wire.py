"""The connector service as pure functions: its statuses into errors, conversation ids into their parts.

Statuses: https://learn.microsoft.com/microsoftteams/platform/bots/how-to/conversations/send-proactive-messages and
"Status codes from bot conversational APIs" (contracts/teams-bot.md, section 2). A POST has no idempotency key: after an
answer that leaves it open it may have been delivered, a PUT may simply be repeated.
"""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from lucy.errors import Invalid, NotFound, OutcomeUnknown, Refused, RemoteError, RemoteIds, RetryLater, System

CODE = "T-012"
CREDENTIALS = "T-002"
OVERLAP_WAIT_S = 1.0
THROTTLED_WAIT_S = 5.0
DOWN_WAIT_S = 10.0
LONGEST_WAIT_S = 3600.0


def base_conversation(conversation_id: str) -> str:
    """The channel of a thread: what stands before `;messageid=`."""
    return conversation_id.partition(";")[0]


def thread_root(conversation_id: str) -> str:
    """The id of a thread's first message; empty outside of threads."""
    return conversation_id.partition(";messageid=")[2].partition(";")[0]


def retry_after_s(header: str | None, *, now: datetime) -> float | None:
    """Retry-After in seconds or as a date; None where it is absent or unreadable."""
    if not header:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            moment = parsedate_to_datetime(header)
        except ValueError:
            return None
        seconds = ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now).total_seconds()
    return min(max(seconds, 0.0), LONGEST_WAIT_S) if seconds == seconds else None  # not NaN


def status_error(
    operation: str, status: int, *, repeatable: bool, remote_code: str = "", wait_s: float | None = None
) -> RemoteError:
    """What a status means for the caller. `repeatable`: doing it twice is the same as once (an edit)."""
    detail, ids = f"status {status} {remote_code}".strip(), RemoteIds(remote_code=remote_code)
    if status == 429:
        after_s = THROTTLED_WAIT_S if wait_s is None else wait_s
        return RetryLater(System.TEAMS, operation, CODE, detail, ids, after_s=after_s, throttled=True)
    if status == 412:  # two operations on one conversation overlapped
        return RetryLater(System.TEAMS, operation, CODE, detail, ids, after_s=wait_s or OVERLAP_WAIT_S)
    if status == 408 or status >= 500:
        return undecided(operation, detail, repeatable=repeatable, ids=ids, wait_s=wait_s)
    if status == 404:
        return NotFound(System.TEAMS, operation, CODE, detail, ids)
    if status in {400, 413}:
        return Invalid(System.TEAMS, operation, CODE, detail, ids)
    return Refused(System.TEAMS, operation, CODE, detail, ids)


def undecided(
    operation: str,
    detail: str,
    *,
    repeatable: bool,
    ids: RemoteIds | None = None,
    wait_s: float | None = None,
) -> RemoteError:
    """Sent, and no trustworthy answer: an edit is repeated, a message may have been delivered."""
    if repeatable:
        after_s = DOWN_WAIT_S if wait_s is None else wait_s
        return RetryLater(System.TEAMS, operation, CODE, detail, ids or RemoteIds(), after_s=after_s)
    return OutcomeUnknown(System.TEAMS, operation, CODE, detail, ids or RemoteIds())


def not_sent(operation: str, detail: str) -> RetryLater:
    """The request did not leave this machine: nothing was done."""
    return RetryLater(System.TEAMS, operation, CODE, detail, after_s=DOWN_WAIT_S)
