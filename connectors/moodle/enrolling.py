"""Enrol in arrays so that one bad row does not cost the good ones.

An array with one bad row enrols nobody and does not say which row it was, but the errorcode tells whether to blame the
course or the user: split by course, or look the users up, then bisect. Enrolling again is harmless.
Source: contracts/moodle.md, "Arrays are all or nothing".
"""

from collections.abc import Sequence

from connectors.moodle import faults, wire
from connectors.moodle.calls import MoodleCalls
from lucy.errors import OutcomeUnknown, RemoteError
from lucy.ports import EnrolmentRequest

Outcome = dict[str, RemoteError | None]


async def enrol(calls: MoodleCalls, requests: Sequence[EnrolmentRequest]) -> Outcome:
    """The outcome of each. Raises RemoteError only when that is all there is to say of any.

    Rows go sorted by course and user: two arrays that cross deadlock in the database.
    """
    rows = sorted(requests, key=lambda row: (row.course_id, row.user_id, row.role_id))
    outcome: Outcome = {}
    try:
        for chunk in wire.chunks(rows, wire.ENROL_ROWS):
            await _enrol_array(calls, chunk, outcome, looked=False)
    except RemoteError as error:
        if not outcome:
            raise
        for row in rows:
            outcome.setdefault(row.key, error)
    return outcome


async def _enrol_array(calls: MoodleCalls, rows: Sequence[EnrolmentRequest], outcome: Outcome, *, looked: bool) -> None:
    """`looked`: the users of these rows were looked up already."""
    error = await _try(calls, rows)
    code = "" if error is None else faults.remote_code(error)
    if error is None or code == faults.WRITE_FAILED:
        outcome |= {row.key: error for row in rows}
    elif isinstance(error, OutcomeUnknown):
        outcome |= {row.key: error for row in rows}
        raise faults.not_sent("enrol")
    elif code in faults.COURSE_CODES:
        await _part_by_course(calls, rows, outcome, error=error, looked=looked)
    elif not faults.blames_a_row(error):
        raise error
    elif len(rows) == 1:
        outcome[rows[0].key] = error
    else:
        await _part_by_user(calls, rows, outcome, code=code, looked=looked)


async def _try(calls: MoodleCalls, rows: Sequence[EnrolmentRequest]) -> RemoteError | None:
    """Once more at once after a clash with another caller: that call was rolled back."""
    try:
        await calls.enrol(rows)
    except RemoteError as error:
        if faults.remote_code(error) != faults.WRITE_FAILED:
            return error
    else:
        return None
    try:
        await calls.enrol(rows)
    except RemoteError as error:
        return error
    return None


async def _part_by_course(
    calls: MoodleCalls, rows: Sequence[EnrolmentRequest], outcome: Outcome, *, error: RemoteError, looked: bool
) -> None:
    groups: dict[tuple[int, int], list[EnrolmentRequest]] = {}
    for row in rows:
        groups.setdefault((row.course_id, row.role_id), []).append(row)
    if len(groups) == 1:
        outcome |= {row.key: error for row in rows}
        return
    in_order = list(groups.values())
    middle = len(in_order) // 2
    for half in (in_order[:middle], in_order[middle:]):
        await _enrol_array(calls, [row for group in half for row in group], outcome, looked=looked)


async def _part_by_user(
    calls: MoodleCalls, rows: Sequence[EnrolmentRequest], outcome: Outcome, *, code: str, looked: bool
) -> None:
    middle = len(rows) // 2
    parts: tuple[Sequence[EnrolmentRequest], ...] = (rows[:middle], rows[middle:])
    if code == faults.CODING_ERROR and not looked:
        looked = True
        present = await _present_users(calls, rows)
        good = [row for row in rows if row.user_id in present]
        suspect = [row for row in rows if row.user_id not in present]
        if good and suspect:
            parts = (good, suspect)
    for part in parts:
        await _enrol_array(calls, part, outcome, looked=looked)


async def _present_users(calls: MoodleCalls, rows: Sequence[EnrolmentRequest]) -> frozenset[int]:
    """Only a hint of whom to send apart: a look-up without rights lies with `[]`, so absence condemns nobody.

    By id, deleted users are found too; Moodle has put a hash where their address was.
    """
    ids = dict.fromkeys(str(row.user_id) for row in rows)
    found = await calls.users_by("id", list(ids))
    return frozenset(user.id for user in found if not user.email or "@" in user.email)
