"""Un-enrol in arrays, then read the courses back: Moodle says `null` whether or not anybody left.

It says so for who is in the course by another method (a cohort, self-enrolment), which `enrol_manual` leaves alone, and
for rows that PHP has cut away. Un-enrolling again is harmless.
Source: contracts/moodle.md, "Functions" and "PHP cuts long requests silently".
"""

from collections.abc import Mapping, Sequence

from connectors.moodle import faults, wire
from connectors.moodle.arrays import Bisection, Outcome
from connectors.moodle.asking import for_each
from connectors.moodle.calls import MoodleCalls
from lucy.errors import OutcomeUnknown, Refused, RemoteError, System, Unreadable
from lucy.ports import UnenrolRequest

OPERATION = "unenrol"
WITNESSES = 20

Listed = frozenset[int] | RemoteError


async def unenrol(calls: MoodleCalls, requests: Sequence[UnenrolRequest]) -> Outcome:
    """The outcome of each. Raises RemoteError only when that is all there is to say of any."""
    rows = sorted(requests, key=lambda row: (row.course_id, row.user_id))
    arrays = Bisection(
        calls,
        operation=OPERATION,
        send=calls.unenrol,
        place=lambda row: row.course_id,
        course_codes=faults.UNENROL_COURSE_CODES,
        user_code=faults.INVALID_PARAMETER,
    )
    try:
        said = await arrays.run(rows, wire.UNENROL_ROWS)
    except Unreadable as error:
        said = dict.fromkeys((row.key for row in rows), error)
    open_rows = [row for row in rows if _may_be_done(said[row.key])]
    return said | await _read_back(calls, open_rows, said)


def _may_be_done(said: RemoteError | None) -> bool:
    """An answer that cannot be read proves as little as none."""
    return said is None or isinstance(said, OutcomeUnknown | Unreadable)


async def _read_back(calls: MoodleCalls, rows: Sequence[UnenrolRequest], said: Outcome) -> Outcome:
    """By the course's whole list: a user's own courses leave out suspended enrolments and hidden courses.

    One call a course; a large one takes seconds (8 s for 1,668 people with all fields, contracts/moodle.md, "Speed").
    """

    async def listed(course_id: int) -> Listed:
        try:
            return await calls.listed(OPERATION, course_id)
        except RemoteError as error:
            return error

    lists = await for_each(dict.fromkeys(row.course_id for row in rows), listed)
    blindness = await _blindness(calls, rows, lists)
    return {row.key: _verdict(row, said[row.key], blindness or lists[row.course_id]) for row in rows}


async def _blindness(
    calls: MoodleCalls, rows: Sequence[UnenrolRequest], lists: Mapping[int, Listed]
) -> RemoteError | None:
    """Empty lists prove nothing until somebody is seen: without `moodle/user:viewdetails` all are empty."""
    sizes = [len(one) for one in lists.values() if isinstance(one, frozenset)]
    if any(sizes) or not sizes:
        return None
    ids = list(dict.fromkeys(str(row.user_id) for row in rows))[:WITNESSES]
    try:
        seen = await calls.users_by("id", ids)
    except RemoteError as error:
        return error
    return None if seen else Refused(System.MOODLE, OPERATION, "M-003", detail="the token sees nobody")


def _verdict(row: UnenrolRequest, said: RemoteError | None, listed: Listed) -> RemoteError | None:
    """`said`: None, or that no proper answer came: then who is in the list may still leave it a little later."""
    if isinstance(listed, RemoteError):
        return said or listed
    if row.user_id not in listed:
        return None
    return said or Refused(System.MOODLE, OPERATION, "M-011", detail="still in the course's list")
