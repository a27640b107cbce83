"""Suspend users or let them in again, in arrays that tell of each row: bad rows become warnings, good ones are done.

Source: contracts/moodle.md, "Functions" (`core_user_update_users`).
"""

from collections.abc import Sequence

from connectors.moodle import faults, wire
from connectors.moodle.arrays import Outcome, in_chunks
from connectors.moodle.calls import MoodleCalls
from lucy.errors import OutcomeUnknown, RemoteError
from lucy.ports import UserSuspension

OPERATION = "suspend_users"


async def suspend(calls: MoodleCalls, requests: Sequence[UserSuspension]) -> Outcome:
    """The outcome of each. Raises RemoteError only when that is all there is to say of any."""
    outcome: Outcome = {}

    async def send(chunk: Sequence[UserSuspension]) -> None:
        await _array(calls, chunk, outcome)

    return await in_chunks(requests, wire.SUSPENSION_ROWS, outcome, send, lambda row: row.key)


async def _array(calls: MoodleCalls, rows: Sequence[UserSuspension], outcome: Outcome) -> None:
    """A PHP failure over one row fails the call: bisect, since what was done already may be done again."""
    try:
        refused = await calls.suspend(rows)
    except OutcomeUnknown as error:
        outcome |= {row.key: error for row in rows}
        raise faults.not_sent(OPERATION) from None
    except RemoteError as error:
        if not faults.blames_a_row(error):
            raise
        if len(rows) == 1:
            outcome[rows[0].key] = error
            return
        middle = len(rows) // 2
        await _array(calls, rows[:middle], outcome)
        await _array(calls, rows[middle:], outcome)
    else:
        outcome |= {row.key: refused.get(row.user_id) for row in rows}
